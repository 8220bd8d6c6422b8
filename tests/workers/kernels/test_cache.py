"""What is kept of compiled kernels: kept, found again, and not trusted where it is damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
SCRIPT = """
import json, sys
from workers.kernels.statistics import get_numba_stats
from workers.kernels.rolling import fast_rolling_mean
answer = fast_rolling_mean([1.0, 2.0, 3.0], 2).tolist()
stats = get_numba_stats()
print(json.dumps([answer, stats["cache_hits"], stats["cache_misses"]]))
"""


def ask(cache: Path, program: str = SCRIPT) -> tuple[list[float], int, int]:
    """The answer of a kernel in a process of its own, and how often the cache had one and had none."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(PROJECT)}
    environment.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answer, hits, misses = json.loads(done.stdout)
    return answer, hits, misses


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the kernel in it."""
    cache = tmp_path_factory.mktemp("kernels")
    _, hits, misses = ask(cache)
    assert (hits, misses > 0) == (0, True)
    return cache


def files(cache: Path) -> list[Path]:
    found = [path for path in cache.rglob("*") if path.suffix in (".nbi", ".nbc")]
    assert found
    return found


def test_what_was_compiled_is_found_again(kept: Path) -> None:
    answer, hits, misses = ask(kept)
    assert hits > 0
    assert misses == 0
    assert answer[-1] == 2.5


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[: len(whole) // 2], lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])],
    ids=["cut short", "one bit"],
)
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_what_is_damaged_is_compiled_again(kept: Path, suffix: str, damage: Callable[[bytes], bytes]) -> None:
    for path in files(kept):
        if path.suffix == suffix:
            path.write_bytes(damage(path.read_bytes()))
    answer, hits, misses = ask(kept)
    assert (answer[-1], hits, misses > 0) == (2.5, 0, True)
    assert ask(kept)[2] == 0


def test_a_full_disk_costs_no_answer(tmp_path: Path) -> None:
    full = SCRIPT.replace(
        "answer =",
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nanswer =",
    )
    answer, hits, misses = ask(tmp_path, full)
    assert (answer[-1], hits, misses > 0) == (2.5, 0, True)
