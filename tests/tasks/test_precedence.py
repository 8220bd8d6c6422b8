"""Real processes: who goes first, who waits, and who stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stores.records import FileRef, Job, JobState, NewJob, Priority
from tests.tasks.test_processes import Rig, running, write_tones

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

_OF_A_CHUNK = 5


@pytest.fixture
def urls(mongo_url: str, redis_url: str, chroma_url: str) -> tuple[str, str, str]:
    return mongo_url, redis_url, chroma_url


def listed(rig: Rig, priority: Priority, first: int, count: int) -> Job:
    """A job of some of the tones that needs no scan, in chunks of five."""
    ledger = rig.stores.ledger
    job, _ = ledger.create_job(NewJob(owner="me", priority=priority, source=None))
    for n, begin in enumerate(range(0, count, _OF_A_CHUNK)):
        names = range(first + begin, first + min(begin + _OF_A_CHUNK, count))
        assert ledger.add_chunk(job.id, n, begin, [FileRef("library", f"tone {name:04d}.wav") for name in names])
    return ledger.accept_job(job.id)


def worked_on(rig: Rig) -> list[str]:
    """The job of each chunk that a worker ended, in that order."""
    lines = (json.loads(line) for line in rig.log("tasks.worker").splitlines() if line.startswith("{"))
    return [line["chunk"].partition(":")[0] for line in lines if line.get("event") == "chunk_ended"]


def test_an_urgent_file_goes_first_a_paused_job_waits_and_a_cancelled_one_ends(
    tmp_path: Path, urls: tuple[str, str, str]
) -> None:
    write_tones(tmp_path / "library", 330)
    with running(tmp_path, urls) as rig:
        rig.start("tasks.reconcile")
        bulk = listed(rig, Priority.BULK, 0, 300)
        rig.wait(lambda: rig.pulse.queue_lengths()["bulk"] >= 3)
        urgent = listed(rig, Priority.INTERACTIVE, 300, 1)
        rig.wait(lambda: rig.pulse.queue_lengths()["interactive"] == 1)
        rig.start("tasks.worker")
        rig.wait(lambda: rig.stores.ledger.job(bulk.id).counts.done > 0, 200)  # a cold one compiles first
        assert worked_on(rig)[0] == urgent.id

        rig.stores.ledger.pause(bulk.id)
        before = worked_on(rig).count(bulk.id)
        assert rig.ended(listed(rig, Priority.BULK, 310, 20)).counts.done == 20
        assert worked_on(rig).count(bulk.id) <= before + 2  # the one at work, and one whose end was not written yet
        assert rig.stores.ledger.job(bulk.id).state is JobState.PAUSED

        done = rig.stores.ledger.resume(bulk.id).counts.done
        rig.wait(lambda: rig.stores.ledger.job(bulk.id).counts.done > done)
        rig.stores.ledger.request_cancel(bulk.id)
        begun = rig.stores.ledger.job(bulk.id).counts.done
        counts = rig.ended(bulk).counts
        assert counts.submitted == counts.done + counts.skipped == 300
        assert counts.done <= begun + 2 * _OF_A_CHUNK, "it was worked on after it was cancelled"
