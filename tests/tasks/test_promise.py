"""The promise, against every order of events that can be thought of: a state machine over the real code.

Workers, reconcilers and index writers run as they are, over twins of the databases and a queue that loses, doubles and
reorders messages. Each stops before every effect, and may die there or behind it, lose its database, or sleep until its
lease is over, while others go on. In the end everything must have happened once (docs/decisions/0001).

    pytest tests/tasks/test_promise.py                           # seconds, the same each time
    pytest tests/tasks/test_promise.py --hypothesis-profile long # as long as you like
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.settings import QueueSettings, Settings
from stores.memory import ManualClock, MemoryLedger, MemoryPulse, MemorySamples, MemoryStores, MemoryVectors
from stores.records import FileRow, FolderSource, JobState, NewJob, PendingVector, Priority, Row, Status
from tasks import patience
from tasks.analyze import analyze_chunk
from tasks.chunk import Bench
from tasks.culprit import Marks
from tasks.index import IndexWriter
from tasks.lifecycle import Child
from tasks.reconcile import Reconciler
from tasks.scan import scan_job
from tests.tasks.interleaved import Actor, Fragile, Order, effect
from tests.tasks.twins import ByContent

MOST_JOBS: Final = 3
PROCESSES: Final = ("worker 1", "worker 2", "worker 3", "reconciler 1", "reconciler 2", "index 1", "index 2")
_FILES: Final = {
    "a.wav": b"AAAA",
    "b.wav": b"BBBBB",
    "again.wav": b"AAAA",
    "bad.wav": b"!bad",
    "deep/again.wav": b"AAAA",
    "deep/c.wav": b"CCCCCC",
    "deep/d.wav": b"DDDDDDD",
    "notes.txt": b"!not",
}
GOOD_FILES: Final = 6
CONTENTS: Final = 4

process = st.sampled_from(PROCESSES)
order = st.sampled_from([Order.DIE, Order.DIE_AFTER, Order.AWAY, Order.REPLY_LOST, Order.GO])


class _NoPause:
    """In place of `Event`, where one database waits for another: here time passes when the test says so."""

    def wait(self, seconds: float) -> bool:
        return False


class Queue:
    """Messages that may be lost, doubled and overtaken."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def scan(self, job_id: str, *, ahead: bool = False) -> None:
        self.messages.insert(0 if ahead else len(self.messages), ("scan", job_id))

    def chunks(self, priority: Priority, chunk_ids: list[str]) -> None:
        self.messages += [(priority.value, chunk_id) for chunk_id in chunk_ids]


class CountingLedger(MemoryLedger):
    """Counts how often each job ended."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.ends: Counter[str] = Counter()

    def finish_job(self, job_id: str) -> JobState | None:
        state = super().finish_job(job_id)
        self.ends[job_id] += state is not None
        return state


class QueuePulse(MemoryPulse):
    """Heartbeats, and the lengths of that queue."""

    def __init__(self, clock: ManualClock, queue: Queue) -> None:
        super().__init__(clock)
        self._queue = queue

    def queue_lengths(self) -> dict[str, int]:
        return dict(Counter(kind for kind, _ in self._queue.messages))


class Promise(RuleBasedStateMachine):
    """One cluster, from nothing to rest."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="samplemind-promise-")
        root = Path(self._folder.name)
        for name, content in _FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(content)
        queue = QueueSettings(chunk_files=2, chunk_cost_s=0.006, max_attempts=2, lease_s=30)
        self.settings = Settings(data_dir=root / "none", roots={"library": root}, queue=queue)
        self.clock, self.queue = ManualClock(), Queue()
        self.stores = MemoryStores(self.clock)
        self.stores.ledger = self.ledger = CountingLedger(self.clock)
        self.samples: MemorySamples = self.stores.samples
        self.samples.between = self.ledger.between = lambda writes: effect(lambda: None)
        self.pulse = QueuePulse(self.clock, self.queue)
        self.index: dict[int, dict[str, PendingVector]] = {}
        self.jobs: list[str] = []
        self.cancelled: set[str] = set()
        self.ended: dict[tuple[str, int], Row] = {}
        self.faults = 0
        self.rebuilds = 0
        """Reasons there were to make the index anew."""
        self.born = 0
        self.running: dict[str, Actor] = {}
        self.lives: dict[str, Any] = {}
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(patience, "Event", _NoPause)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    # -- processes
    def life(self, name: str) -> Any:
        """A process that is up: as long as it does not die it remembers what it knows."""
        if name not in self.lives:
            self.born += 1
            self.lives[name] = self._made(name.split()[0], f"{name}, life {self.born}")
        return self.lives[name]

    def _made(self, kind: str, holder: str) -> Any:
        ledger, samples = Fragile(self.ledger), Fragile(self.samples)
        pulse, sender, clock = Fragile(self.pulse), Fragile(self.queue), self.clock
        if kind == "reconciler":
            return Reconciler(ledger, pulse, sender, self.settings.queue, holder=holder, clock=clock)  # type: ignore[arg-type]
        if kind == "index":
            vectors: Any = Fragile(MemoryVectors(self.index))
            doors: Any = (ledger, samples, vectors, pulse)
            return IndexWriter(*doors, batch_size=2, idle_s=2, holder=holder, audit_s=50, clock=clock)
        marks = Marks(pulse, clock)  # type: ignore[arg-type]
        roots, most = self.settings.roots, self.settings.queue.max_attempts
        bench: Any = Bench(ledger, samples, ByContent(), roots, clock=clock, at=marks.at, max_deaths=most)  # type: ignore[arg-type]
        stores: Any = _Doors(ledger, samples)
        return Child(holder, self.settings, stores, pulse, sender, bench, marks)  # type: ignore[arg-type]

    def start(self, name: str, message: tuple[str, str] | None = None) -> None:
        life = self.life(name)
        if message is None:
            self.running[name] = Actor(life.round)
        elif message[0] == "scan":
            self.running[name] = Actor(lambda: scan_job(message[1], life))
        else:
            self.running[name] = Actor(lambda: analyze_chunk(message[1], life))
        self.running[name].step()

    def reap(self, name: str) -> None:
        actor = self.running.get(name)
        if actor is not None and actor.over:
            del self.running[name]
            if actor.died:
                self.lives.pop(name)

    # -- what users do
    @initialize(owner=st.sampled_from(["ada", "bob"]), fed=st.booleans())
    def first(self, owner: str, fed: bool) -> None:
        """A job; half of the time with its chunks in the queue already."""
        self.submit(owner, "")
        if fed:
            self.work("worker 1")
            self.work("reconciler 1")

    @precondition(lambda self: len(self.jobs) < MOST_JOBS)
    @rule(owner=st.sampled_from(["ada", "bob"]), path=st.sampled_from(["", "deep"]))
    def submit(self, owner: str, path: str) -> None:
        source = FolderSource("library", path, "**/*")
        self.clock.advance(0.001)  # ids of one millisecond come in any order
        job, _ = self.ledger.create_job(NewJob(owner=owner, priority=Priority.NORMAL, source=source))
        self.jobs.append(job.id)
        self.queue.scan(job.id)

    @rule(n=st.integers(0, 12))  # seldom: what is cancelled can go wrong no more
    def cancel(self, n: int) -> None:
        if n < len(self.jobs):
            self.cancelled.add(self.ledger.request_cancel(self.jobs[n]).id)

    # -- what processes do
    @rule(name=process)
    def work(self, name: str) -> None:
        """A round, or a message, from its beginning to its end."""
        if name not in self.running:
            self.begin(name, 0, 0, Order.GO)
        if name in self.running:
            self.running[name].run()
            self.reap(name)

    @rule(name=process, n=st.integers(0, 5), steps=st.integers(0, 25), then=order)
    def begin(self, name: str, n: int, steps: int, then: Order) -> None:
        """Start a round, or take a message; then so many effects, and one that goes so or so."""
        if name in self.running:
            return
        if not name.startswith("worker"):
            self.start(name)
        elif self.queue.messages:
            self.start(name, self.queue.messages.pop(n % len(self.queue.messages)))
        else:
            return
        self._advance(name, steps, then)

    @precondition(lambda self: bool(self.running))
    @rule(n=st.integers(0, 6), steps=st.integers(0, 25), then=order)
    def go_on(self, n: int, steps: int, then: Order) -> None:
        """Whoever stands in the middle of something goes on."""
        self._advance(sorted(self.running)[n % len(self.running)], steps, then)

    def _advance(self, name: str, steps: int, then: Order) -> None:
        self.running[name].run(steps)
        if not self.running[name].over:
            self.faults += then is not Order.GO
            self.running[name].step(then)
        self.reap(name)

    # -- what happens
    @precondition(lambda self: bool(self.queue.messages))
    @rule(n=st.integers(0, 9), how=st.sampled_from(["lost", "doubled", "all lost"]))
    def the_queue_fails(self, n: int, how: str) -> None:
        if how == "lost":
            self.queue.messages.pop(n % len(self.queue.messages))
        elif how == "doubled":
            self.queue.messages.append(self.queue.messages[n % len(self.queue.messages)])
        else:
            self.queue.messages.clear()

    @precondition(lambda self: any(self.index.values()))
    @rule(n=st.integers(0, 9), how=st.sampled_from(["a vector", "all", "by hand"]))
    def the_index_fails(self, n: int, how: str) -> None:
        self.rebuilds += 1
        if how == "all":
            self.index.clear()
        elif how == "a vector":
            kept = [(generation, id_) for generation, vectors in self.index.items() for id_ in vectors]
            generation, id_ = kept[n % len(kept)]
            del self.index[generation][id_]
        else:
            self.samples.next_generation(self.samples.generation(), beside=True)

    @rule(seconds=st.sampled_from([0.5, 6.0, 31.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def what_ended_stays_as_it_ended(self) -> None:
        for job_id in self.jobs:
            for row in self._rows(job_id):
                if row.row.status is not Status.PENDING:
                    assert self.ended.setdefault((job_id, row.index), row.row) == row.row

    @invariant()
    def counts_add_up(self) -> None:
        for job_id in self.jobs:
            counts = self.ledger.job(job_id).counts
            ended = counts.done + counts.reused + counts.duplicate + counts.skipped + counts.failed
            assert counts.submitted == counts.pending + ended

    # -- rest
    def teardown(self) -> None:
        try:
            for actor in self.running.values():
                actor.run()
            self._come_to_rest()
            self._hold()
        finally:
            self._patch.undo()
            structlog.reset_defaults()
            self._folder.cleanup()

    def _come_to_rest(self) -> None:
        """Everybody works and nothing goes wrong any more: how long may it take?"""
        self.running.clear()
        for _ in range(120):
            for name in PROCESSES:
                message = self.queue.messages.pop(0) if name.startswith("worker") and self.queue.messages else None
                if message or not name.startswith("worker"):
                    self.start(name, message)
                    self.running.pop(name).run()
            self.clock.advance(3)
            if self._rests():
                return
        raise AssertionError(f"it never comes to rest: {[self.ledger.job(each) for each in self.jobs]}")

    def _rests(self) -> bool:
        ended = all(self.ledger.job(job_id).state.ended for job_id in self.jobs)
        written = self.samples.outgoing(1) is None and not self.samples.unready()
        whole = self.index.get(self.samples.serving(), {}).keys() == self._wanted()
        return ended and written and whole and self.samples.serving() == self.samples.generation()

    def _wanted(self) -> set[str]:
        return {id_ for id_, kept in self.samples._kept.items() if kept.new.vector}

    def _hold(self) -> None:
        """The promise."""
        rows = {job_id: self._rows(job_id) for job_id in self.jobs}
        for job_id, of_job in rows.items():
            job = self.ledger.job(job_id)
            assert [row.index for row in of_job] == list(range(len(of_job)))
            assert len({row.file.path for row in of_job}) == len(of_job) == job.counts.submitted
            assert Counter(row.row.status for row in of_job)[Status.PENDING] == 0
            assert self.ledger.ends[job_id] == 1
            if job_id not in self.cancelled:
                assert job.state is JobState.COMPLETE
                assert len(of_job) == sum(name.startswith(job.source.path) for name in _FILES)  # type: ignore[union-attr]
            for row in of_job:
                self._is_right(job_id, job.owner, row)
        assert self.samples.generation() <= 1 + self.rebuilds
        done = Counter(row.row.sample_id for of_job in rows.values() for row in of_job if row.row.status is Status.DONE)
        assert not done or max(done.values()) == 1
        if not self.faults and not self.cancelled and any(len(of_job) == len(_FILES) for of_job in rows.values()):
            assert len(self.samples._kept) == len(done) == CONTENTS

    def _rows(self, job_id: str) -> tuple[FileRow, ...]:
        return self.ledger.files(job_id, status=None, cursor=None, limit=100).items

    def _is_right(self, job_id: str, owner: str, each: FileRow) -> None:
        """A file's end is the one that its content and its sample's origin say."""
        row, name = each.row, each.file.path
        if row.reason is not None:
            allowed = {"bad.wav": "decode_failed", "notes.txt": "not_audio"}.get(name)
            given_up = {"cancelled"} if job_id in self.cancelled else set()
            given_up |= {"killed_worker"} if self.faults else set()
            assert row.reason.code in {allowed, *given_up}, (name, row)
            return
        assert row.sample_id is not None
        kept = self.samples._kept[row.sample_id]
        same = [other for other, content in _FILES.items() if content == _FILES[name]]
        assert kept.new.file.path in same
        assert (owner, name) in {(who, place.path) for who, place in kept.places}
        here = kept.new.origin
        first = here.job_id == job_id and here.index == each.index
        assert row.status is (Status.DONE if first else Status.DUPLICATE if here.job_id == job_id else Status.REUSED)


class _Doors:
    def __init__(self, ledger: object, samples: object) -> None:
        self.ledger, self.samples = ledger, samples


settings.register_profile("long", max_examples=5000, stateful_step_count=80)
_QUICK: Final = settings(
    max_examples=100,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_every_file_ends_exactly_once_in_whatever_order_things_happen(request: pytest.FixtureRequest) -> None:
    long = request.config.getoption("--hypothesis-profile") == "long"
    chosen = settings(settings.get_profile("long"), deadline=None) if long else _QUICK
    run_state_machine_as_test(Promise, settings=chosen)


def test_without_a_fault_every_content_is_analysed_once() -> None:
    """That the machine itself, with nothing against it, comes to rest where it should."""
    machine = Promise()
    machine.first("ada", fed=True)
    machine.submit("bob", "deep")
    machine.teardown()
    assert len(machine._rows(machine.jobs[0])) == len(_FILES)
    assert sum(row.row.sample_id is not None for row in machine._rows(machine.jobs[0])) == GOOD_FILES


def _scan(machine: Promise) -> None:
    machine.submit("ada", "")


def _chunk(machine: Promise) -> None:
    machine.first("ada", fed=True)


def _feed(machine: Promise) -> None:
    machine.submit("ada", "")
    machine.work("worker 1")


def _split(machine: Promise) -> None:
    """A chunk of two files that was claimed too often, and the message of another."""
    machine.first("ada", fed=True)
    for _ in range(machine.settings.queue.max_attempts):
        machine.start("worker 2", next(m for m in machine.queue.messages if m[1].endswith(":0")))
        machine.running["worker 2"].run(1)
        machine.running.pop("worker 2").step(Order.DIE)
        machine.lives.pop("worker 2")
        machine.clock.advance(31)
    machine.faults += 1


def _index(machine: Promise) -> None:
    machine.first("ada", fed=True)
    for _ in range(len(machine.queue.messages)):
        machine.work("worker 1")


def _rebuild(machine: Promise) -> None:
    _index(machine)
    for _ in range(8):
        machine.work("index 2")
    machine.the_index_fails(0, "by hand")


_STORIES: dict[str, tuple[Callable[[Promise], None], str]] = {
    "a scan": (_scan, "worker 1"),
    "a chunk": (_chunk, "worker 1"),
    "feeding": (_feed, "reconciler 1"),
    "a split": (_split, "reconciler 1"),
    "indexing": (_index, "index 1"),
    "rebuilding": (_rebuild, "index 2"),
}


def _at_each_effect(story: str) -> Iterator[Promise]:
    """The story again and again, its process standing before its first effect, its second, ... up to its last."""
    begin, name = _STORIES[story]
    for steps in range(200):
        machine = Promise()
        begin(machine)
        machine.start(name, machine.queue.messages.pop(0) if name.startswith("worker") else None)
        machine.running[name].run(steps)
        if machine.running[name].over:
            machine.teardown()
            assert steps > 3
            return
        yield machine
        machine.teardown()
    raise AssertionError("it never ends")


@pytest.mark.parametrize("then", [Order.DIE, Order.DIE_AFTER, Order.AWAY, Order.REPLY_LOST])
@pytest.mark.parametrize("story", _STORIES)
def test_one_fault_at_each_effect_changes_nothing(story: str, then: Order) -> None:
    name = _STORIES[story][1]
    for machine in _at_each_effect(story):
        machine._advance(name, 0, then)


@pytest.mark.parametrize("meanwhile", ["another does it", "its job is cancelled", "it is given up"])
@pytest.mark.parametrize("story", ["a scan", "a chunk"])
def test_a_worker_that_sleeps_past_its_lease_changes_nothing_when_it_wakes(story: str, meanwhile: str) -> None:
    for machine in _at_each_effect(story):
        machine.faults += 1
        if meanwhile == "its job is cancelled":
            machine.cancel(0)
        for _ in range(12):
            machine.clock.advance(31)
            machine.work("reconciler 1")
            while machine.queue.messages and meanwhile != "it is given up":
                machine.work("worker 2")
            if meanwhile == "it is given up" and machine.queue.messages:
                machine.begin("worker 2", 0, 0, Order.GO)
                if "worker 2" in machine.running:
                    machine._advance("worker 2", 1, Order.DIE)
            machine.what_ended_stays_as_it_ended()
        machine._advance("worker 1", 100, Order.GO)
        machine.what_ended_stays_as_it_ended()
