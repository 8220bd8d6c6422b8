from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.workers.kernels.examples import needs_numba
from workers import kernels
from workers.kernels import compiled
from workers.kernels.rolling import fast_rolling_mean
from workers.kernels.statistics import get_numba_stats

FIRST_AND_SECOND_CALL = """
import json
from workers.kernels.similarity import fast_cosine_similarity
from workers.kernels.statistics import get_numba_stats
before = get_numba_stats()
fast_cosine_similarity([1.0], [1.0])
print(json.dumps([before, get_numba_stats()]))
"""


def in_a_process(tmp_path: Path, **extra: str) -> list[dict]:
    root = Path(kernels.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(tmp_path), **extra}
    run = subprocess.run(
        [sys.executable, "-c", FIRST_AND_SECOND_CALL], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


@needs_numba
def test_figures_tell_compiling_from_loading(tmp_path):
    before, compiled_here = in_a_process(tmp_path, NUMBA_DISABLE_JIT="0", NUMBA_NUM_THREADS="2")
    assert before["signatures"] == before["cache_hits"] == before["cache_misses"] == before["compile_seconds"] == 0
    assert (compiled_here["signatures"], compiled_here["cache_hits"], compiled_here["cache_misses"]) == (1, 0, 1)
    one = compiled_here["kernels"]["similarity._cosine"]
    assert one["compile_seconds"] == compiled_here["compile_seconds"] > 0
    assert "float64" in one["signatures"][0]
    assert (compiled_here["threads"], compiled_here["thread_pool"]) == (1, 2)  # ours, and what numba may start
    _, loaded = in_a_process(tmp_path, NUMBA_DISABLE_JIT="0", NUMBA_NUM_THREADS="1")
    assert (loaded["threads"], loaded["thread_pool"]) == (1, 1)
    assert (loaded["signatures"], loaded["cache_hits"], loaded["cache_misses"]) == (1, 1, 0)
    assert loaded["compile_seconds"] == 0


def test_without_numba_nothing_is_compiled_and_all_works(tmp_path):
    _, after = in_a_process(tmp_path, NUMBA_DISABLE_JIT="1")
    assert after["jit"] is False
    assert after["signatures"] == after["cache_misses"] == after["compile_seconds"] == 0
    assert not list(tmp_path.iterdir())


@needs_numba
def test_after_warming_no_call_compiles():
    assert kernels.warm() >= 0
    before = get_numba_stats()
    inner = {name for kernel in compiled.kernels for name in kernel.py_func.__code__.co_names}
    ours = [kernel for kernel in compiled.kernels if kernel.py_func.__module__.startswith(kernels.__name__)]
    idle = {kernel.py_func.__name__ for kernel in ours if not kernel.signatures}
    assert idle <= inner, "no warmer calls them"
    assert before["signatures"] == before["cache_hits"] + before["cache_misses"]
    kernels.warm()
    assert get_numba_stats() == before


@needs_numba
def test_a_closed_kernel_never_compiles_for_a_type_it_did_not_ask_for():
    fast_rolling_mean(np.ones(3, np.float64), 2)
    fast_rolling_mean(np.ones(3, np.float32), 2)
    before = get_numba_stats()["signatures"]
    for x in (np.ones(3, np.int16), np.ones((3, 2))[:, 0], [1.0, 2.0], (1, 2), np.ones(3, np.float16)):
        fast_rolling_mean(x, 2)
    assert get_numba_stats()["signatures"] == before


@needs_numba
def test_every_kernel_keeps_nan_releases_the_gil_and_is_cached():
    for kernel in compiled.kernels:
        options = kernel.targetoptions
        assert options["nogil"]
        assert not options.get("parallel")
        assert not {"fast", "nnan", "ninf"} & set(options["fastmath"])
        assert type(kernel._cache).__name__ == "FunctionCache"


def test_only_one_module_asks_numba_to_compile():
    folder = Path(kernels.__file__).parent
    using = {path.name for path in folder.glob("*.py") if re.search(r"\bn?jit\(|import n?jit", path.read_text())}
    assert using == {"compiled.py"}
