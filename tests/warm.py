"""Compile every kernel twice, for this processor and for the oldest: ``python -m tests.warm``.

`make test` runs it beside the first tests, which need no kernel: it takes the other core a minute and a half once, and
a few seconds where the kernels are kept already.
"""

from __future__ import annotations

import subprocess
import sys

from config.environment import child_environment, numba_cache_dir

OLDEST = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NUMBA_CACHE_DIR": str(numba_cache_dir() / "oldest-processor"),
}
"""What makes a process compile for the oldest processor of this architecture, and keep that apart."""


def main() -> None:
    """Compile both."""
    for extra in ({}, OLDEST):
        subprocess.run([sys.executable, "-m", "cli", "warm", "--quiet"], env=child_environment(**extra), check=True)


if __name__ == "__main__":
    main()
