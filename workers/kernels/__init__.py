"""Kernels: arrays in, arrays out. Numba on one thread, and nothing else.

=== ================================================= =====================================================
row function                                          what it computes
=== ================================================= =====================================================
K1  `keys.correlate_chroma_with_profile`              Pearson's r of a chroma vector and a key profile
K2  `keys.find_best_key_match`                        the best of 24 keys
K3  `spectral.compute_spectral_centroid_batch`        centre of gravity of each frame's spectrum, in Hz
K4  `crossings.compute_zero_crossing_rate_batch`      sign changes a sample, by frame
K5  `normalize.fast_normalize_columns`                columns of length one
K6  `similarity.fast_cosine_similarity`               cosine of the angle between two vectors
K7  `rolling.fast_rolling_mean`                       mean of the last samples
K8  `onset.compute_onset_strength`                    mean rise of a mel spectrogram, in dB
K9  `peaks.find_peaks_simple`                         local maxima, by height and distance
K10 `statistics.get_numba_stats`                      what was compiled, how long it took, what the cache gave
=== ================================================= =====================================================

Each is to be had from here too: ``from workers.kernels import find_best_key_match``. Beside them: `spectrogram`,
`loudness` and what the analysis needs in files of its own. Importing this package compiles nothing; a kernel is
compiled, or loaded from the disk, at its first call with a type, or by `warm`.
"""

from __future__ import annotations

import time
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from workers.kernels.start import load_numba

load_numba()  # here, because nothing of this package can be imported before

_ROWS = {
    "correlate_chroma_with_profile": "keys",
    "find_best_key_match": "keys",
    "compute_spectral_centroid_batch": "spectral",
    "compute_zero_crossing_rate_batch": "crossings",
    "fast_normalize_columns": "normalize",
    "fast_cosine_similarity": "similarity",
    "fast_rolling_mean": "rolling",
    "compute_onset_strength": "onset",
    "find_peaks_simple": "peaks",
    "get_numba_stats": "statistics",
}


def __getattr__(name: str) -> Any:
    """One of the rows above, from its module: only then is that imported, as each costs the start of a worker time."""
    if name not in _ROWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROWS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROWS})


def warm() -> float:
    """Compile every kernel, or load it from the cache; return the seconds it took.

    A worker calls it before its first file, so that no file pays for the compiler.
    """
    from workers.kernels.compiled import warmers

    started = time.perf_counter()
    for module in sorted(iter_modules(__path__), key=lambda found: found.name):
        import_module(f"{__name__}.{module.name}")
    for run in warmers:
        run()
    return time.perf_counter() - started
