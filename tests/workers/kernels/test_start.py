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

LISTENED = """
import gc
import workers.kernels.compiled
import llvmlite.binding as ll
from numba.core import event
told = []
with event.install_recorder("numba:llvm_lock") as recorder:
    ll.parse_assembly("")
ll.ffi.register_lock_callback(lambda: told.append("begins"), lambda: None)
ll.parse_assembly("")
print(len(recorder.buffer), bool(told), gc.isenabled())
"""


def test_numba_starts_without_a_parser_of_c_which_others_may_import_afterwards(tmp_path):
    assert said(IMPORTED, tmp_path) == "[] 1"


def test_numba_is_not_told_of_calls_of_llvm_but_others_may_be_and_garbage_is_looked_for_afterwards(tmp_path):
    assert said(LISTENED, tmp_path) == "0 True True"


def said(script: str, cache: Path) -> str:
    """What a script prints in a process of its own."""
    root = Path(kernels.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(cache)}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.strip()
