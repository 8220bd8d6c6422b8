"""The app's own unit tests, where Node.js is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js")
@pytest.mark.skipif(not (WEB / "node_modules" / "vitest").exists(), reason="the app is not installed: make web")
def test_the_apps_own_tests_pass() -> None:
    asked = ["node", "node_modules/vitest/vitest.mjs", "run"]
    done = subprocess.run(asked, cwd=WEB, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
