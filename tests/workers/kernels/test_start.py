"""What a process imports with its first kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from workers import kernels

IMPORTED = """
import sys
import workers.kernels.compiled
loaded = [name for name in ("cffi", "pycparser", "scipy.linalg") if name in sys.modules]
import cffi
print(loaded, cffi.FFI().sizeof("char"))
"""


def test_numba_starts_without_a_parser_of_c_which_others_may_import_afterwards(tmp_path):
    root = Path(kernels.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", IMPORTED], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] 1"
