"""What is measured of the mono signal while it goes by: its spectrum frame by frame, its level, its outline."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workers.analysis import timbre
from workers.analysis.long.folded import Folded
from workers.analysis.mono import SILENT_PEAK, SR
from workers.analysis.spectra import HOP, LOWEST_HZ, N_FFT, N_MELS, N_MFCC
from workers.kernels.envelopes import SMOOTHED, Shape, describe_shape, local_mean
from workers.kernels.frames import DEEPEST_DB, describe_frames
from workers.kernels.pictures import draw_columns
from workers.model import MEL_COLUMNS, PEAKS, Descriptors, Preview

_STEPS = 1 << 18
"""Most steps of the outline: of 2.9 ms up to 12 minutes, then of twice that, and so on. 10 hours: 190 ms."""
_COLUMNS = 32 * MEL_COLUMNS

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Spectrum:
    """Means over all frames, each weighing as much as its amplitude, and the picture of the mel bands."""

    def __init__(self) -> None:
        self._y = np.zeros(0, np.float32)
        self._before = 0
        """Frames at the start of `_y` that are there for the first new one to see."""
        self._weight = 0.0
        self._top = 1e-30
        """The loudest cell so far: what lies 80 dB below it is the floor."""
        self._sums = np.zeros(4 + 7 + N_MELS + 2 * N_MFCC)
        self._columns = Folded(np.maximum, N_MELS, _COLUMNS)
        k, m = np.arange(1, N_MFCC + 1)[:, np.newaxis], np.arange(N_MELS)
        self._cosines = math.sqrt(2 / N_MELS) * np.cos(np.pi * k * (m + 0.5) / N_MELS)

    def add(self, y: Floats, *, last: bool) -> None:
        """Take the next samples; frames are told once all of their samples are there."""
        self._y = np.concatenate([self._y, y])
        n = len(self._y)
        ready = 1 + n // HOP if last else max(0, (n - N_FFT // 2) // HOP + 1)
        if ready > self._before:
            self._look(self._before, ready)
            done = max(0, ready - N_FFT // 2 // HOP)
            self._y, self._before = self._y[done * HOP :], ready - done

    def _look(self, begin: int, end: int) -> None:
        peak = float(max(self._y.max(), -self._y.min())) if len(self._y) else 0.0
        if peak < SILENT_PEAK:
            self._columns.add(np.zeros((N_MELS, end - begin)))
            return
        frames, _ = describe_frames(
            self._y * np.float32(1 / peak), SR, n_fft=N_FFT, n_mels=N_MELS, fmin=LOWEST_HZ, n_mfcc=N_MFCC
        )
        mel = frames.mel[:, begin:end].astype(np.float64) * peak**2
        self._columns.add(mel)
        self._top = max(self._top, float(mel.max()))
        weight = np.sqrt(frames.power[begin:end].astype(np.float64)) * peak
        cepstrum = self._cosines @ self._decibels(mel)
        shape = np.stack([frames.centroid, frames.bandwidth, frames.rolloff, frames.flatness])[:, begin:end]
        rows = np.concatenate([shape, frames.contrast[:, begin:end], mel, cepstrum, cepstrum**2])
        self._sums += rows @ weight
        self._weight += float(weight.sum())

    def _decibels(self, mel: Doubles) -> Doubles:
        return np.asarray(10 * np.log10(np.maximum(mel / self._top, 10 ** (DEEPEST_DB / 10))))

    @property
    def _means(self) -> Doubles:
        return np.asarray(self._sums / max(self._weight, 1e-12))

    def described(self, zero_crossing_rate: float) -> Descriptors:
        """As `timbre.spectrum` says it."""
        return timbre.spectrum_of(self._means[:11].tolist() if self._weight > 0 else None, zero_crossing_rate)

    @property
    def cepstrum(self) -> timbre.Cepstrum:
        """Mean and spread of the coefficients."""
        mean, squares = self._means[11 + N_MELS :].reshape(2, N_MFCC)
        return timbre.Cepstrum(mean, np.sqrt(np.maximum(squares - mean**2, 0)))

    @property
    def brightness(self) -> float:
        """As `timbre.brightness`."""
        return timbre.brightness_of(self._means[11 : 11 + N_MELS])

    def picture(self) -> bytes:
        """The mel spectrogram in columns."""
        db = self._decibels(self._columns.cells()).astype(np.float32)
        return draw_columns(db, MEL_COLUMNS, DEEPEST_DB).tobytes()


class Outline:
    """The envelope, the waveform's lowest and highest, and how often it crosses zero."""

    def __init__(self) -> None:
        self.n = self.crossings = 0
        self.peak = 0.0
        self._rest = np.zeros(0, np.float32)
        self._below = False
        self._power = Folded(np.add, 1, _STEPS)
        self._lowest = Folded(np.minimum, 1, _STEPS)
        self._highest = Folded(np.maximum, 1, _STEPS)

    def add(self, y: Floats, *, last: bool) -> None:
        """Take the next samples."""
        below = y < 0
        if len(y):
            self.crossings += int(np.count_nonzero(below[1:] != below[:-1]))
            self.crossings += int(self.n > 0 and below[0] != self._below)
            self._below = bool(below[-1])
        self.n += len(y)
        y = np.concatenate([self._rest, y])
        if last:
            y = np.concatenate([y, np.zeros(-len(y) % timbre.ENVELOPE_HOP, np.float32)])
        count = len(y) // timbre.ENVELOPE_HOP
        steps, self._rest = y[: count * timbre.ENVELOPE_HOP].reshape(count, -1), y[count * timbre.ENVELOPE_HOP :]
        if not count:
            return
        low, high = steps.min(axis=1), steps.max(axis=1)
        self.peak = max(self.peak, float(high.max()), -float(low.min()))
        self._power.add(np.einsum("ij,ij->i", steps, steps)[np.newaxis])
        self._lowest.add(low[np.newaxis])
        self._highest.add(high[np.newaxis])

    def shape(self) -> tuple[Shape, float]:
        """How it rises and falls, and the seconds of one step. Gain has gone: the highest sample is 1."""
        width = timbre.ENVELOPE_HOP * self._power.width
        power = self._power.cells()[0] / width / max(self.peak, SILENT_PEAK) ** 2
        if len(power) >= SMOOTHED:
            reach = SMOOTHED // 2
            power = local_mean(np.pad(power, reach), reach)[reach:-reach]
        return describe_shape(np.sqrt(np.maximum(power, 0))), width / SR

    def picture(self) -> bytes:
        """The waveform: lowest and highest of each part."""
        rows = np.concatenate([self._lowest.cells(), self._highest.cells()])
        scaled = np.clip(np.rint(127 * rows / max(self.peak, SILENT_PEAK)), -127, 127)
        count = rows.shape[1]
        begins = np.arange(PEAKS) * count // PEAKS
        ends = np.maximum(begins + 1, np.arange(1, PEAKS + 1) * count // PEAKS)
        pairs = [(scaled[0, a:b].min(), scaled[1, a:b].max()) for a, b in zip(begins, ends, strict=True)]
        return np.array(pairs).astype(np.int8).tobytes()

    def preview(self, spectrum: Spectrum) -> Preview:
        """Both pictures; of silence they are empty."""
        if self.peak < SILENT_PEAK:
            return Preview(bytes(2 * PEAKS), bytes(N_MELS * MEL_COLUMNS))
        return Preview(self.picture(), spectrum.picture())
