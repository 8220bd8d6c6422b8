"""The machine of `tests.tasks.test_promise`: one cluster of real code over twins, and all that can happen to it."""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
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
FILES: Final = {
    "a.wav": b"AAAA",
    "b.wav": b"BBBBB",
    "again.wav": b"AAAA",
    "bad.wav": b"!bad",
    "deep/again.wav": b"AAAA",
    "deep/c.wav": b"CCCCCC",
    "deep/d.wav": b"DDDDDDD",
    "notes.txt": b"!not",
}
_CHANGING: Final = ("b.wav", "deep/d.wav")
_OLD_S: Final = 1_700_000_000.0
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
        for name, content in FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(content)
            os.utime(root / name, (_OLD_S, _OLD_S))
        self.contents = {name: [content] for name, content in FILES.items()}
        """All that each file ever was."""
        self.since: dict[tuple[str, str], int] = {}
        """By job and file: which of them it was when the job was submitted."""
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
    @rule(owner=st.sampled_from(["ada", "bob"]), path=st.sampled_from(["", "deep"]), rescan=st.booleans())
    def submit(self, owner: str, path: str, rescan: bool = False) -> None:
        source = FolderSource("library", path, "**/*", rescan)
        self.clock.advance(0.001)  # ids of one millisecond come in any order
        job, _ = self.ledger.create_job(NewJob(owner=owner, priority=Priority.NORMAL, source=source))
        self.jobs.append(job.id)
        self.since |= {(job.id, name): len(contents) - 1 for name, contents in self.contents.items()}
        self.queue.scan(job.id)

    @rule(n=st.integers(0, 12))  # seldom: what is cancelled can go wrong no more
    def cancel(self, n: int) -> None:
        if n < len(self.jobs):
            self.cancelled.add(self.ledger.request_cancel(self.jobs[n]).id)

    @rule(n=st.integers(0, MOST_JOBS), on=st.booleans())
    def pause(self, n: int, on: bool) -> None:
        if n < len(self.jobs):
            (self.ledger.pause if on else self.ledger.resume)(self.jobs[n])

    @rule(name=st.sampled_from(_CHANGING), moved=st.booleans())
    def a_file_changes(self, name: str, moved: bool = False) -> None:
        """To something as long: only its time tells, which is one of long ago where another file was moved here."""
        self.clock.advance(0.01)
        path = self.settings.roots["library"] / name
        changed = b"%0*d" % (len(FILES[name]), len(self.contents[name]))
        path.write_bytes(changed)
        time_s = _OLD_S + len(self.contents[name]) if moved else self.clock()
        os.utime(path, (time_s, time_s))
        self.contents[name].append(changed)

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
        for job_id in self.jobs:
            self.ledger.resume(job_id)
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
                assert len(of_job) == sum(name.startswith(job.source.path) for name in FILES)  # type: ignore[union-attr]
            for row in of_job:
                self._is_right(job_id, job.owner, row)
        assert self.samples.generation() <= 1 + self.rebuilds
        done = Counter(row.row.sample_id for of_job in rows.values() for row in of_job if row.row.status is Status.DONE)
        assert not done or max(done.values()) == 1
        unchanged = all(len(contents) == 1 for contents in self.contents.values())
        if (
            unchanged
            and not self.faults
            and not self.cancelled
            and any(len(of_job) == len(FILES) for of_job in rows.values())
        ):
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
            given_up |= {"changed_while_reading"} if len(self.contents[name]) > 1 else set()
            assert row.reason.code in {allowed, *given_up}, (name, row)
            return
        assert row.sample_id is not None
        kept = self.samples._kept[row.sample_id]
        # Nothing that it was before the job was submitted, whatever an earlier job knew of it.
        allowed_now = self.contents[name][self.since[job_id, name] :]
        assert kept.new.content in {sha256(content).hexdigest() for content in allowed_now}, name
        assert (owner, name) in {(who, place.path) for who, place in kept.places}
        here = kept.new.origin
        first = here.job_id == job_id and here.index == each.index
        assert row.status is (Status.DONE if first else Status.DUPLICATE if here.job_id == job_id else Status.REUSED)


class _Doors:
    def __init__(self, ledger: object, samples: object) -> None:
        self.ledger, self.samples = ledger, samples
