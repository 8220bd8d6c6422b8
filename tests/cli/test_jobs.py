"""How commands tell of jobs that are over."""

from __future__ import annotations

from typing import Any, Self

import pytest
from typer.testing import CliRunner

import cli.jobs
from cli.submit import ended

COUNTS = dict.fromkeys(("submitted", "pending", "done", "reused", "duplicate", "skipped", "failed"), 0)


class Scripted:
    """A gateway that knows one job, and what was asked of it."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job, self.deleted = job, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/v1/jobs/j"
        return self.job

    def call(self, method: str, path: str) -> dict[str, Any]:
        assert (method, path) == ("DELETE", "/v1/jobs/j")
        self.deleted += 1
        return self.job


@pytest.mark.parametrize(
    ("finished_at", "said", "deleted"),
    [(None, "is being cancelled", 1), ("2026-01-01T00:00:00Z", "ended already (complete)", 0)],
)
def test_a_job_that_is_over_is_not_said_to_be_cancelled(
    finished_at: str | None, said: str, deleted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Scripted({"id": "j", "state": "complete", "finished_at": finished_at})
    monkeypatch.setattr(cli.jobs, "connect", lambda url, data_dir: gateway)
    done = CliRunner().invoke(cli.jobs.jobs, ["cancel", "j"])
    assert done.exit_code == 0
    assert said in done.stdout
    assert gateway.deleted == deleted


def test_a_pattern_that_no_file_fits_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "j", "state": "complete", "counts": COUNTS, "source": {"pattern": "*.wav"}}
    assert ended(job)
    assert "No file fits the pattern '*.wav'" in capsys.readouterr().err


def test_failed_and_skipped_files_are_each_pointed_to(capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "j", "state": "complete", "counts": {**COUNTS, "submitted": 3, "skipped": 1, "failed": 2}}
    assert ended(job)
    said = capsys.readouterr().err
    assert "--status failed" in said
    assert "--status skipped" in said
