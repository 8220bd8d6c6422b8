"""Every test in two runs side by side, one a core: ``python -m tests.halves``.

Those that start clusters mostly wait, the others compute. Each run is a process of its own, so that nothing is shared
between them but the kept kernels, which are compiled before the first cluster starts. What the second run says is
printed when the first has ended.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from tests import warm

TESTS = Path(__file__).parent
WITH_SERVERS = ("faults", "integration", "stores", "web")


def main() -> int:
    """Run both; the first exit code that is not 0."""
    folders = sorted(path.name for path in TESTS.iterdir() if path.is_dir() and any(path.rglob("test_*.py")))
    others = [name for name in folders if name not in WITH_SERVERS]
    with tempfile.TemporaryFile() as said:
        second = _start(others, said)
        warm.compile_for(warm.HERE)
        with ThreadPoolExecutor(1) as beside:
            beside.submit(warm.compile_for, warm.OLDEST)
            codes = [_start(WITH_SERVERS).wait(), second.wait()]
        said.seek(0)
        sys.stdout.buffer.write(said.read())
    return next((code for code in codes if code), 0)


def _start(folders: Sequence[str], said: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *sys.argv[1:], *(str(TESTS / name) for name in folders)]
    return subprocess.Popen(command, stdout=said, stderr=said and subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main())
