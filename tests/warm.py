"""Compile every kernel, for this processor and for the oldest: a minute each once, then seconds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from config.environment import child_environment, numba_cache_dir

OLDEST = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NUMBA_CACHE_DIR": str(numba_cache_dir() / "oldest-processor"),
}
"""What makes a process compile for the oldest processor of this architecture, and keep that apart."""


HERE: dict[str, str] = {}
"""The same for this processor: nothing."""


def compile_for(processor: Mapping[str, str]) -> None:
    """Compile and keep every kernel."""
    subprocess.run([sys.executable, "-m", "cli", "warm", "--quiet"], env=child_environment(**processor), check=True)
