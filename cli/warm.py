"""Compile the kernels before they are needed."""

from __future__ import annotations

import json
import time

from cli.console import err, out


def warm(*, quiet: bool) -> None:
    """Compile every kernel into the cache, and print what numba says of them."""
    from config.environment import cap_threads, numba_cache_dir, use_kernel_cache

    cap_threads()
    use_kernel_cache()
    began = time.monotonic()
    from workers.kernels import warm as compile_all
    from workers.kernels.statistics import get_numba_stats

    compile_all()
    if quiet:
        return
    out().print(json.dumps(get_numba_stats(), indent=2, default=str), markup=False, soft_wrap=True)
    err().print(
        f"Kernels are warm after {time.monotonic() - began:.1f} s; their cache is {numba_cache_dir()}", markup=False
    )
