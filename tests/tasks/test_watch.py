"""What a worker sees of itself: when it is stuck, and when it only seems so."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from stores.memory import ManualClock, MemoryPulse
from stores.records import Claim
from tasks.lease import ChunkLease
from tasks.signs import Signs, path_of
from tasks.watch import Watch, WorkerLook, overdue, telling
from tests.tasks.twins import Cluster, refs
from workers.errors import StoreUnavailable


class Worker:
    """A worker's signs, its queues, and its look at both; time passes in steps of two seconds, as for the thread."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(1000.0)
        Signs.begin(folder, "worker")
        self.signs = Signs(next(folder.iterdir()), clock=self.clock)
        self.waiting = 0
        self.away = False
        self.turns = True
        self.look = WorkerLook(self.signs, self._lengths, self.clock)
        self.signs.turn()
        self.signs.rest()

    def _lengths(self) -> Mapping[str, int]:
        if self.away:
            raise StoreUnavailable("twin")
        return {"normal": self.waiting}

    def after(self, seconds: float) -> str:
        """What it says after so long."""
        why = self.look()
        for _ in range(round(seconds / 2)):
            self.clock.advance(2)
            if self.turns:
                self.signs.turn()
            why = self.look()
        return why


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def test_a_worker_without_work_rests(worker: Worker) -> None:
    assert worker.after(3600) == ""


def test_a_worker_that_rests_while_messages_wait_is_stuck(worker: Worker) -> None:
    worker.waiting = 12
    assert worker.after(28) == ""
    assert worker.after(6) == "takes no work although 12 messages wait"


def test_a_worker_that_takes_one_task_after_the_other_is_not_hungry(worker: Worker) -> None:
    worker.waiting = 500
    for _ in range(30):
        worker.signs.task()
        assert worker.after(10) == ""
        worker.signs.rest()
        assert worker.after(10) == ""


def test_a_busy_worker_in_a_long_file_is_left_alone_as_long_as_the_file_may_take(worker: Worker) -> None:
    worker.waiting = 500
    worker.signs.task()
    worker.signs.step(120)
    assert worker.after(158) == ""
    assert "has been at one step for" in worker.after(6)


def test_a_parent_that_stands_still_is_stuck_only_while_redis_answers(worker: Worker) -> None:
    worker.turns = False
    worker.away = True
    assert worker.after(600) == ""
    worker.away = False
    assert worker.after(34) == ""  # it may be waiting for a reply that was lost, until its own time limit
    assert "has a main process that has not moved" in worker.after(6)


def test_a_redis_that_comes_back_finds_a_worker_that_may_first_take_its_messages(worker: Worker) -> None:
    worker.waiting = 3
    assert worker.after(28) == ""
    worker.away = True
    assert worker.after(60) == ""
    worker.away = False
    assert worker.after(28) == ""


def test_before_each_file_a_chunk_says_how_much_longer_it_may_take(worker: Worker) -> None:
    cluster = Cluster()
    job = cluster.job_of(refs(2, size=1000) + refs(1, size=200_000_000))
    claim: Claim | None = cluster.ledger.claim_chunk(f"{job.id}:0", 30)
    assert claim is not None
    said: list[float] = []
    lease = ChunkLease(claim, cluster.ledger, lease_s=30, budget_s=150, clock=cluster.clock, progress=said.append)
    for file in claim.files:
        lease.cancelled_before(file)
    assert said[0] < 1
    assert said[2] > 20


def test_a_thread_beats_says_what_is_wrong_and_takes_it_back(tmp_path: Path) -> None:
    signs = Signs.begin(tmp_path, "index")
    pulse = MemoryPulse(lambda: 0.0)
    wrong, looked = ["is stuck"], threading.Semaphore(0)

    def look() -> str:
        looked.release()
        return wrong[0]

    watch = Watch(signs, look, telling(pulse, "index", "me", 20), every_s=0.01).start()
    for _ in range(3):
        looked.acquire()
    assert signs.trouble() == "is stuck"
    assert pulse.alive() == [{"part": "index", "name": "me", "stuck": "is stuck"}]
    wrong[0] = ""
    for _ in range(3):
        looked.acquire()
    watch.close()
    assert signs.trouble() == ""
    assert pulse.alive()[0]["stuck"] == ""


def test_a_process_that_goes_from_step_to_step_is_stuck_when_one_is_overdue(tmp_path: Path) -> None:
    clock = ManualClock(1000.0)
    Signs.begin(tmp_path, "index")
    signs = Signs(next(tmp_path.iterdir()), clock=clock)
    signs.step()
    clock.advance(39)
    assert overdue(signs) == ""
    clock.advance(3)
    assert overdue(signs) == "has been at one step for 2 s longer than it may take"
    assert path_of(tmp_path, "index", signs.pid).exists()
