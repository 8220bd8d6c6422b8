"""What `benchmarks.kernels` compares: the seed's rows, and beside them what the obvious numpy would take.

Imported after the thread caps are set, because numpy reads them when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.measure import Case, optional
from workers.kernels.crossings import compute_zero_crossing_rate_batch
from workers.kernels.keys import correlate_chroma_with_profile, find_best_key_match
from workers.kernels.loudness import measure_levels
from workers.kernels.mel import mel_filterbank
from workers.kernels.normalize import fast_normalize_columns
from workers.kernels.onset import compute_onset_strength
from workers.kernels.peaks import find_peaks_simple
from workers.kernels.rolling import fast_rolling_mean
from workers.kernels.similarity import fast_cosine_similarity
from workers.kernels.spectral import compute_spectral_centroid_batch, spectral_moments
from workers.kernels.spectrogram import mel_spectrogram, mfcc, power_to_db, stft_power

SR = 22_050
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88], np.float32)
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17], np.float32)


def music(seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Decaying notes over noise, the same every time: kernels with branches should meet something like music."""
    rng = np.random.default_rng(20_261_122)
    t = np.arange(round(seconds * SR)) / SR
    beat = t % 0.5
    notes = 110 * 2 ** (rng.integers(0, 36, len(t) // (SR // 2) + 1) / 12)
    hz = notes[(t / 0.5).astype(int)]
    tone = sum(np.sin(2 * np.pi * h * hz * beat) / h for h in (1, 2, 3))
    return np.asarray(np.exp(-5 * beat) * (0.2 * tone + 0.05 * rng.standard_normal(len(t))), np.float32)


def near(tolerance: float) -> Callable[[Any, Any], bool]:
    """Whether two answers are equal but for rounding, relative to the largest."""

    def agree(a: Any, b: Any) -> bool:
        x, y = np.ravel(np.asarray(a, float)), np.ravel(np.asarray(b, float))
        scale = max(1e-12, float(np.nanmax(np.abs(y)))) if y.size else 1.0
        return x.shape == y.shape and bool(np.allclose(x, y, rtol=0, atol=tolerance * scale, equal_nan=True))

    return agree


def against(module: Any, call: Callable[[], Any]) -> Callable[[], Any] | None:
    """`call`, or None where its module is missing."""
    return None if module is None else call


def cases(*, references: bool = True) -> list[Case]:
    """Every comparison; without `references` none of the libraries that they are in is loaded."""
    find = optional if references else nothing
    return [*key_cases(), *spectrum_cases(find), *vector_cases(find), *signal_cases(find), *other_cases()]


def nothing(name: str) -> None:
    """No library is there."""


def loop_over_keys(chroma: Any) -> tuple[int, float, bool]:
    """The seed's loop: 24 correlations, one call each."""
    best = (0, -2.0, True)
    for tonic in range(12):
        for profile, is_major in ((MAJOR, True), (MINOR, False)):
            score = float(np.corrcoef(chroma, np.roll(profile, tonic))[0, 1])
            if score > best[1]:
                best = (tonic, score, is_major)
    return best


def matrix_of_keys(chroma: Any, turned: Any) -> tuple[int, float, bool]:
    """The obvious numpy: all profiles prepared as one matrix."""
    centred = chroma - chroma.mean()
    scores = turned @ (centred / np.sqrt(centred @ centred))
    best = int(scores.argmax())
    return best % 12, float(scores[best]), best < 12


def key_cases() -> Iterator[Case]:
    """K1 and K2."""
    chroma = np.roll(MINOR, 4) + np.linspace(0, 1, 12, dtype=np.float32)
    turned = np.stack([np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)])
    turned -= turned.mean(axis=1, keepdims=True)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)

    def ours() -> tuple[int, float, bool]:
        return find_best_key_match(chroma, MAJOR, MINOR)

    yield Case(
        "K1",
        "r of 12",
        lambda: correlate_chroma_with_profile(chroma, MAJOR),
        "np.corrcoef",
        lambda: np.corrcoef(chroma, MAJOR)[0, 1],
        50,
        near(1e-5),
    )
    yield Case("K2", "24 keys", ours, "loop of np.corrcoef", lambda: loop_over_keys(chroma), 100, near(1e-5))
    yield Case("K2", "24 keys", ours, "numpy matrix", lambda: matrix_of_keys(chroma, turned), None, near(1e-5))


def spectrum_cases(find: Callable[[str], Any] = optional) -> Iterator[Case]:
    """K3 and K8, from a spectrogram and from audio, and what they are made from."""
    librosa = find("librosa")
    y = music(30)
    S = np.sqrt(stft_power(y))
    hz = (np.arange(1025) * (SR / 2048)).astype(np.float32)
    filterbank = mel_filterbank(SR, 2048)
    mel = mel_spectrogram(S**2, filterbank)
    mel_db = power_to_db(mel)
    by_band = np.ascontiguousarray(mel_db)

    def centroid_from_audio() -> Any:
        return compute_spectral_centroid_batch(np.sqrt(stft_power(y)), hz)

    def onset_from_audio() -> Any:
        return compute_onset_strength(power_to_db(mel_spectrogram(stft_power(y), filterbank)))

    def librosa_onset(**source: Any) -> Any:
        return librosa.onset.onset_strength(sr=SR, center=False, **source)

    def case(row: str, what: str, ours: Any, name: str, theirs: Any, claim: float | None, tolerance: float) -> Case:
        module = librosa if name.startswith("librosa") else np
        return Case(row, what, ours, name, against(module, theirs), claim, near(tolerance))

    yield case(
        "K3",
        "from S (1025, 1292)",
        lambda: compute_spectral_centroid_batch(S, hz),
        "librosa spectral_centroid",
        lambda: librosa.feature.spectral_centroid(S=S, sr=SR)[0],
        30,
        1e-5,
    )
    yield case(
        "K3",
        "from S (1025, 1292)",
        lambda: compute_spectral_centroid_batch(S, hz),
        "numpy (hz @ S) / S.sum(0)",
        lambda: (hz @ S) / S.sum(0),
        None,
        1e-5,
    )
    yield case(
        "K3",
        "from 30 s of audio",
        centroid_from_audio,
        "librosa spectral_centroid",
        lambda: librosa.feature.spectral_centroid(y=y, sr=SR, pad_mode="constant")[0],
        30,
        1e-3,
    )
    yield case(
        "K8",
        "from mel dB (128, 1292)",
        lambda: compute_onset_strength(mel_db),
        "librosa onset_strength",
        lambda: librosa_onset(S=mel_db),
        20,
        1e-5,
    )
    yield case(
        "K8",
        "the same, C order",
        lambda: compute_onset_strength(by_band),
        "librosa onset_strength",
        lambda: librosa_onset(S=by_band),
        20,
        1e-5,
    )
    yield case(
        "K8",
        "from 30 s of audio",
        onset_from_audio,
        "librosa onset_strength",
        lambda: librosa_onset(y=y),
        20,
        1e-2,
    )
    yield case(
        "-",
        "power STFT, 30 s",
        lambda: stft_power(y),
        "librosa |stft|^2",
        lambda: np.abs(librosa.stft(y, pad_mode="constant")) ** 2,
        None,
        1e-5,
    )
    yield case(
        "-",
        "mel (128, 1292)",
        lambda: mel_spectrogram(S, filterbank),
        "librosa melspectrogram(S)",
        lambda: librosa.feature.melspectrogram(S=S, sr=SR),
        None,
        1e-5,
    )
    yield case(
        "-",
        "20 MFCC of mel dB",
        lambda: mfcc(mel_db),
        "librosa mfcc(S)",
        lambda: librosa.feature.mfcc(S=mel_db),
        None,
        1e-4,
    )
    yield case(
        "-",
        "centroid, bandwidth, rolloff",
        lambda: spectral_moments(S, hz)[:3],
        "librosa, three calls",
        lambda: [
            feature(S=S, sr=SR)[0]
            for feature in (
                librosa.feature.spectral_centroid,
                librosa.feature.spectral_bandwidth,
                librosa.feature.spectral_rolloff,
            )
        ],
        None,
        1e-2,
    )


def vector_cases(find: Callable[[str], Any] = optional) -> Iterator[Case]:
    """K5 and K6."""
    librosa, linalg, distance = find("librosa"), find("scipy.linalg"), find("scipy.spatial.distance")
    rng = np.random.default_rng(1)
    matrix = rng.random((1025, 1292), np.float32)

    def normalized() -> Any:
        return fast_normalize_columns(matrix)

    yield Case(
        "K5",
        "(1025, 1292)",
        normalized,
        "scipy.linalg.norm, then /",
        against(linalg, lambda: matrix / linalg.norm(matrix, axis=0, check_finite=False)),
        15,
        near(1e-5),
    )
    yield Case(
        "K5",
        "(1025, 1292)",
        normalized,
        "librosa.util.normalize",
        against(librosa, lambda: librosa.util.normalize(matrix, norm=2)),
        None,
        near(1e-5),
    )
    chroma = rng.random((12, 1292), np.float32)
    yield Case(
        "K5",
        "(12, 1292)",
        lambda: fast_normalize_columns(chroma),
        "scipy.linalg.norm, then /",
        against(linalg, lambda: chroma / linalg.norm(chroma, axis=0, check_finite=False)),
        15,
        near(1e-5),
    )
    a, b = rng.random((2, 128), np.float32)
    yield Case(
        "K6",
        "a pair of 128",
        lambda: fast_cosine_similarity(a, b),
        "1 - scipy cosine",
        against(distance, lambda: 1 - distance.cosine(a, b)),
        10,
        near(1e-5),
    )


def signal_cases(find: Callable[[str], Any] = optional) -> Iterator[Case]:
    """K4, K7 and K9."""
    librosa, pandas, signal = find("librosa"), find("pandas"), find("scipy.signal")
    y = music(30)
    yield Case(
        "K4",
        "30 s of audio",
        lambda: compute_zero_crossing_rate_batch(y),
        "librosa zero_crossing_rate",
        against(librosa, lambda: librosa.feature.zero_crossing_rate(y)[0]),
        20,
        near(1e-6),
    )
    envelope = compute_onset_strength(power_to_db(mel_spectrogram(stft_power(y), mel_filterbank(SR, 2048))))
    for what, x in (("an onset envelope, 1292", envelope.astype(float)), ("30 s of audio", y.astype(float))):
        yield rolling_case(pandas, what, x)
        yield peaks_case(signal, what + ", height", x, height=float(np.median(x)))
        yield peaks_case(signal, what + ", distance", x, height=float(np.median(x)), distance=10)


def rolling_case(pandas: Any, what: str, x: Any) -> Case:
    """K7 on `x`; the Series exists already."""
    series: Any = None if pandas is None else pandas.Series(x)
    theirs = against(pandas, lambda: series.rolling(32).mean().to_numpy())
    return Case("K7", what, lambda: fast_rolling_mean(x, 32), "pandas rolling mean", theirs, 25, near(1e-9))


def peaks_case(signal: Any, what: str, x: Any, **conditions: Any) -> Case:
    """K9 on `x`."""
    theirs = against(signal, lambda: signal.find_peaks(x, **conditions)[0])
    return Case("K9", what, lambda: find_peaks_simple(x, **conditions), "scipy find_peaks", theirs, 15, near(0))


def other_cases() -> Iterator[Case]:
    """What has no named reference: loudness of 30 s stereo at 44.1 kHz."""
    y = np.stack([music(60)[: 30 * 44_100]] * 2, axis=1)
    yield Case(
        "-",
        "loudness, true peak; 30 s stereo",
        lambda: measure_levels(y, 44_100),
        "none in this environment",
        None,
        None,
        near(0),
    )
