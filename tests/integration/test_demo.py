"""The demo as a newcomer runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.demo_library import write_audio
from cli.synth import tones
from tests.integration.test_up import environment
from tests.servers import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(420)]


def demo(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = ["demo", "--exit", "--data-dir", str(data), *arguments]
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def score(text: str, what: str) -> tuple[int, int]:
    found = re.search(rf"{what} (\d+) of (\d+)", text)
    assert found, text
    return int(found[1]), int(found[2])


def test_it_shows_what_was_found_beside_what_was_known_and_accounts_for_every_file(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stderr
    law = re.search(r"53 submitted = (\d+) done \+ 0 reused \+ 1 duplicate \+ 0 skipped \+ 8 failed", done.stdout)
    assert law, done.stdout
    assert law[1] == "44"
    assert score(done.stdout, "broken files refused") == (8, 8)
    right, known = score(done.stdout, "tempo")
    assert known >= 20
    assert right >= 0.75 * known
    right, known = score(done.stdout, "note")
    assert right >= 0.75 * known
    assert "files/s" in done.stdout
    assert not (tmp_path / "RUNNING").exists()
    # no row invents an answer: what is not there is a dash
    silent = next(line for line in done.stdout.splitlines() if "Silent Take" in line)
    assert silent.split()[2:6] == ["silence", "-", "-", "-"]


def test_a_library_of_ones_own_is_analysed_too(tmp_path: Path) -> None:
    library = tmp_path / "my samples"
    library.mkdir()
    write_audio(library / "bell.wav", tones.bell(69, 0.5))
    done = demo(tmp_path / "data", "--library", str(library))
    assert done.returncode == 0, done.stderr
    assert "1 submitted = 1 done" in done.stdout
    assert "bell.wav" in done.stdout


def test_a_library_that_is_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    done = demo(tmp_path / "data", "--library", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "folder of samples" in done.stderr
