"""Compile the kernels before they are needed."""

from __future__ import annotations

import json
import time

from cli.console import err, out


def warm(*, quiet: bool, as_json: bool = False) -> None:
    """Compile every kernel into the cache; `as_json` prints what numba says of them."""
    from config.environment import cap_threads, numba_cache_dir, use_kernel_cache

    cap_threads()
    use_kernel_cache()
    began = time.monotonic()
    from workers.kernels import warm as compile_all
    from workers.kernels.statistics import get_numba_stats

    compile_all()
    if quiet:
        return
    figures = get_numba_stats()
    if as_json:
        out().print(json.dumps(figures, indent=2, default=str), markup=False, soft_wrap=True)
    err().print(
        f"{len(figures['kernels'])} kernels are warm after {time.monotonic() - began:.1f} s "
        f"({figures['cache_hits']} variants from the cache, {figures['cache_misses']} compiled); "
        f"their cache is {numba_cache_dir()}",
        markup=False,
    )
