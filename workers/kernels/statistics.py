"""What the compiler did (row K10)."""

from __future__ import annotations

from typing import Any, cast

import numba
from llvmlite import __version__ as llvmlite_version  # type: ignore[import-untyped]
from llvmlite import binding

from workers.kernels.compiled import JIT, compile_times, kernels


def get_numba_stats() -> dict[str, Any]:
    """Report what was compiled in this process, how long it took, and what came from the cache (row K10).

    ``hits + misses`` is the number of compiled signatures; a hit was loaded from disk, a miss was compiled here.

    Returns
    -------
    stats : dict
        ``jit`` (bool: False under NUMBA_DISABLE_JIT), ``numba``, ``llvmlite``, ``cpu`` (str), ``vector_extensions``
        (list of str), ``threads`` (int: that a kernel runs on), ``thread_pool`` (int: that numba may start for others),
        ``signatures``, ``cache_hits``, ``cache_misses`` (int: sums), ``compile_seconds`` (float), and ``kernels``: for
        each by ``module.function`` its ``signatures`` (list of str), ``cache_hits``, ``cache_misses`` and
        ``compile_seconds``. As JSON can say it.
    """
    each = {f"{found.__module__.rpartition('.')[2]}.{found.__name__}": _of_kernel(found) for found in kernels}
    features = binding.get_host_cpu_features()
    return {
        "jit": JIT,
        "numba": numba.__version__,
        "llvmlite": llvmlite_version,
        "cpu": binding.get_host_cpu_name(),
        "vector_extensions": sorted(name for name, there in features.items() if there and _is_vector(name)),
        "threads": max((_threads(found) for found in kernels), default=1),
        "thread_pool": cast(Any, numba).config.NUMBA_NUM_THREADS,
        "signatures": sum(len(one["signatures"]) for one in each.values()),
        "cache_hits": sum(one["cache_hits"] for one in each.values()),
        "cache_misses": sum(one["cache_misses"] for one in each.values()),
        "compile_seconds": compile_times.total,
        "kernels": each,
    }


def _of_kernel(found: Any) -> dict[str, Any]:
    if not hasattr(found, "stats"):  # numba is switched off: a plain function
        return {"signatures": [], "cache_hits": 0, "cache_misses": 0, "compile_seconds": 0.0}
    return {
        "signatures": [str(signature) for signature in found.signatures],
        "cache_hits": sum(found.stats.cache_hits.values()),
        "cache_misses": sum(found.stats.cache_misses.values()),
        "compile_seconds": compile_times.seconds.get(found.py_func, 0.0),
    }


def _threads(found: Any) -> int:
    parallel = getattr(found, "targetoptions", {}).get("parallel", False)
    return int(cast(Any, numba).config.NUMBA_NUM_THREADS) if parallel else 1


def _is_vector(feature: str) -> bool:
    return feature.startswith(("sse", "avx", "fma", "neon", "sve"))
