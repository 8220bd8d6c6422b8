"""Loudness and level: EBU R 128 over ITU-R BS.1770-4, true peak, RMS."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles
from workers.kernels.compiled import kernel, warms
from workers.kernels.waveform import Survey, survey_waveform

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0


class Levels(NamedTuple):
    """What `measure_levels` returns."""

    integrated_lufs: float
    ungated_lufs: float
    momentary_max_lufs: float
    true_peak_dbtp: float
    sample_peak_dbfs: float
    rms_dbfs: float


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power) if power > 0 else -math.inf


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


@kernel
def _above(powers: Doubles, whole: int, share: float, gate: float) -> tuple[float, float]:
    """Mean power of the 400 ms blocks louder than the gate, NaN where none is, and the highest of all blocks."""
    added = 0.0
    count = 0
    highest = 0.0
    for i in range(whole - 3):
        block = (powers[i] + powers[i + 1] + powers[i + 2] + powers[i + 3]) * share
        highest = max(highest, block)
        if block > gate:
            added += block
            count += 1
    return (added / count if count else math.nan), highest


def _gated(powers: Doubles, whole: int, step: int) -> tuple[float, float]:
    """Loudness of the 400 ms blocks through both gates, NaN where none passes; that of the loudest one."""
    if whole < 4:
        return math.nan, math.nan
    loud, highest = _above(powers, whole, 0.25 / step, 10 ** ((ABSOLUTE_GATE_LUFS + 0.691) / 10))
    if math.isnan(loud):
        return math.nan, _lufs(highest)
    gated, _ = _above(powers, whole, 0.25 / step, loud * 10 ** (RELATIVE_GATE_LU / 10))
    return _lufs(gated), _lufs(highest)


def measure_levels(y: ArrayLike, sr: float) -> Levels:
    """Measure loudness, true peak, peak and RMS in one pass.

    ``L = -0.691 + 10 log10(sum_c G_c mean(K(y_c)^2))`` over blocks of 400 ms that overlap by 75 % and pass a gate at
    -70 LUFS and one 10 LU below what passed that [1]_ [2]_.

    Parameters
    ----------
    y : array of float32, shape (n_samples, n_channels) or (n_samples,)
        The signal, full scale at 1.0, channels in WAV order.
    sr : float
        Sampling rate, in Hz.

    Returns
    -------
    integrated_lufs : float
        Integrated loudness, in LUFS. NaN where no block passes the gate: silence, and anything shorter than 400 ms.
    ungated_lufs : float
        Loudness of the whole without blocks and gates, in LUFS: defined for the shortest hit. -inf for silence.
    momentary_max_lufs : float
        Loudness of the loudest block, in LUFS. NaN for anything shorter than 400 ms.
    true_peak_dbtp : float
        Highest value between the samples too, in dBTP: four times oversampled below 96 kHz, twice below 192 kHz.
        Never lower than the sample peak; -inf for silence.
    sample_peak_dbfs, rms_dbfs : float
        Highest sample, and root mean square over samples and channels, in dB of full scale. -inf for silence.

    Raises
    ------
    ParameterError
        If `y` is neither a non-empty vector nor matrix, holds NaN or infinity, or ``sr <= 0``.

    References
    ----------
    .. [1] Recommendation ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level",
       2015.
    .. [2] EBU R 128, "Loudness normalisation and permitted maximum level of audio signals", 2020.
    """
    array = np.asarray(y)
    return levels_of(survey_waveform(array[:, np.newaxis] if array.ndim == 1 else array, sr))


def levels_of(seen: Survey) -> Levels:
    """What `measure_levels` returns, of a waveform that was walked over. Raises ParameterError."""
    squares = float(seen.energies.sum())
    if not math.isfinite(squares):
        raise ParameterError("y holds NaN or infinite samples.")
    n = seen.n_samples
    integrated, loudest = _gated(seen.powers, n // seen.step, seen.step)
    return Levels(
        integrated_lufs=integrated,
        ungated_lufs=_lufs(float(seen.powers.sum()) / n),
        momentary_max_lufs=loudest,
        true_peak_dbtp=_decibels(seen.true_peak),
        sample_peak_dbfs=_decibels(seen.peak),
        rms_dbfs=_decibels(math.sqrt(squares / (n * len(seen.sums)))),
    )


def integrated_loudness(y: ArrayLike, sr: float) -> float:
    """Integrated loudness in LUFS, of `measure_levels`: NaN where nothing passes the gate.

    ``-0.691 + 10 log10`` of the mean weighted power of the blocks that pass both gates. Raises ParameterError.
    """
    return measure_levels(y, sr).integrated_lufs


def true_peak(y: ArrayLike, sr: float) -> float:
    """True peak in dBTP, of `measure_levels`: -inf for silence.

    ``20 log10 max_t |y(t)|`` over the oversampled signal. Raises ParameterError.
    """
    return measure_levels(y, sr).true_peak_dbtp


@warms
def _warm() -> None:
    measure_levels(np.ones(40, np.float32), 100.0)
