"""The same analysis on this machine's cores: order, bad files, files that take a process down."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from workers.batch import BatchAudioProcessor, physical_core_count
from workers.errors import ParameterError


@pytest.fixture
def library(tmp_path: Path) -> list[Path]:
    t = np.arange(22050) / 22050
    for n in range(3):
        y = 0.5 * np.sin(2 * np.pi * 110 * (n + 1) * t) * np.exp(-3 * t)
        soundfile.write(tmp_path / f"{n}.wav", y.astype(np.float32), 22050)
    (tmp_path / "text.wav").write_text("not a sound")
    return [tmp_path / "0.wav", tmp_path / "text.wav", tmp_path / "1.wav", tmp_path / "gone.wav", tmp_path / "2.wav"]


def outcome(rows: list[Any]) -> list[str]:
    return [row["reason"]["code"] if row["status"] == "failed" else row["status"] for row in rows]


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_a_bad_file_fails_alone(library: list[Path], jobs: int) -> None:
    rows = BatchAudioProcessor(n_jobs=jobs).process_batch(library)
    assert [row["path"] for row in rows] == [str(path) for path in library]
    assert outcome(rows) == ["done", "not_audio", "done", "vanished", "done"]


def test_processes_say_what_one_process_says(library: list[Path]) -> None:
    assert BatchAudioProcessor(2).process_batch(library) == BatchAudioProcessor(1).process_batch(library)


def test_an_own_function_is_called_and_may_raise(library: list[Path]) -> None:
    rows = BatchAudioProcessor(2).process_batch(library, size_or_raise)
    assert rows[0] > 0
    assert rows[3]["status"] == "failed"
    assert rows[3]["reason"]["code"] == "analysis_failed"


def test_a_file_that_kills_its_process_fails_alone(library: list[Path]) -> None:
    rows = BatchAudioProcessor(2).process_batch(library, die_on_text)
    assert rows[1]["reason"]["code"] == "killed_worker"
    assert [row for n, row in enumerate(rows) if n != 1] == ["0.wav", "1.wav", "gone.wav", "2.wav"]


def test_no_files_no_results() -> None:
    assert BatchAudioProcessor().process_batch([]) == []


@pytest.mark.parametrize("jobs", [0, -2])
def test_refuses_a_number_of_jobs_that_makes_no_sense(jobs: int) -> None:
    with pytest.raises(ParameterError):
        BatchAudioProcessor(jobs)


def test_every_physical_core_is_at_least_one() -> None:
    assert 1 <= physical_core_count() <= (os.cpu_count() or 1)
    assert BatchAudioProcessor(-1).n_jobs == physical_core_count()


def size_or_raise(path: str) -> int:
    return Path(path).stat().st_size


def die_on_text(path: str) -> str:
    if path.endswith("text.wav"):
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(path).name
