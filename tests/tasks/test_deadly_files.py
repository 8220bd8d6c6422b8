"""Real workers that die of real files: their neighbours end as ever, and nobody waits for a lease."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import THREAD_CAPS, child_environment
from stores.records import JobState
from tasks.worker import command
from tests.tasks.test_processes import Rig, running, write_tones

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def start_deadly(rig: Rig) -> None:
    """A worker of `tests.tasks.deadly_app`, otherwise as `tasks.worker` starts it."""
    rig.start("tasks.reconcile")  # writes the settings
    line = [part.replace("tasks.app", "tests.tasks.deadly_app") for part in command(rig.settings)]
    environment = child_environment(rig.folder / "settings.toml", REMAP_SIGTERM="SIGQUIT", **THREAD_CAPS)
    with (rig.folder / "tasks.worker.log").open("ab") as log:
        rig.started.append(subprocess.Popen([sys.executable, *line[1:]], env=environment, stdout=log, stderr=log))
    rig.workers_up()


@pytest.fixture
def urls(mongo_url: str, redis_url: str, chroma_url: str) -> tuple[str, str, str]:
    return mongo_url, redis_url, chroma_url


def test_a_deadly_file_takes_three_processes_and_no_neighbour(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    library = tmp_path / "library"
    write_tones(library, 20)
    deadly = (library / "tone 0011.wav").read_bytes() + b"SEGV"
    for name in ("tone 0011.wav", "the same elsewhere.wav"):
        (library / name).write_bytes(deadly)
    # A lease so long that waiting for one would be seen: the test would end first.
    with running(tmp_path, urls, lease_s=600, chunk_cost_s=60) as rig:
        start_deadly(rig)
        job = rig.ended(rig.submit())
        assert (job.state, job.counts.done, job.counts.failed) == (JobState.COMPLETE, 19, 2)
        failed = rig.stores.ledger.failures(owner="me", cause="killed_worker", cursor=None, limit=9).items
        assert {each.file.path for each in failed} == {"tone 0011.wav", "the same elsewhere.wav"}
        assert all(each.reason.message.endswith("ended by SIGSEGV (3 times).") for each in failed)
        assert ("ended by SIGSEGV",) * 3 in [each.died_of for each in failed]
        lines = [json.loads(line) for line in rig.log("tasks.worker").splitlines() if line.startswith("{")]
        assert [line["of"] for line in lines if line.get("event") == "worker_process_died"] == ["ended by SIGSEGV"] * 3
