"""The web app in a real browser against a real cluster: web/e2e/app.mjs says step by step what it does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cli.demo_library import make
from tests.integration.cluster import running

WEB = Path(__file__).parents[2] / "web"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.integration,
    pytest.mark.timeout(280),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js"),
    pytest.mark.skipif(not (WEB / "dist" / "index.html").exists(), reason="the app is not built: make web"),
]


def unplayable(path: Path) -> None:
    """A second of a tone in a format that only the gateway can decode."""
    t = np.arange(22050) / 22050
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 330 * t) * np.exp(-3 * t), 22050, format="CAF", subtype="ALAC_16")


def test_a_library_is_sent_watched_heard_searched_and_there_without_a_server(tmp_path: Path) -> None:
    library = make(tmp_path / "made")
    unplayable(library / "oddities" / "No Browser Plays This.caf")
    with running(tmp_path / "data", {"library": library}) as cluster:
        asked = ["node", "e2e/app.mjs", f"http://127.0.0.1:{cluster.port}", str(CHROMIUM)]
        done = subprocess.run(asked, cwd=WEB, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
