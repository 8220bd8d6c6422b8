"""The promise, against every order of events that can be thought of: a state machine over the real code.

Workers, reconcilers and index writers run as they are, over twins of the databases and a queue that loses, doubles and
reorders messages. Each stops before every effect, and may die there or behind it, lose its database, or sleep until its
lease is over, while others go on. In the end everything must have happened once (docs/decisions/0001).

    pytest tests/tasks/test_promise.py                           # seconds, the same each time
    pytest tests/tasks/test_promise.py --hypothesis-profile long # as long as you like
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from stores.records import JobState
from tests.tasks.interleaved import Order
from tests.tasks.promise import FILES, GOOD_FILES, Promise

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
    assert len(machine._rows(machine.jobs[0])) == len(FILES)
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


def _tended(machine: Promise, rounds: int) -> None:
    for _ in range(rounds):
        machine.work("worker 1")
        machine.work("reconciler 1")
        machine.clock.advance(3)


def _ended(machine: Promise) -> None:
    machine.first("ada", fed=True)
    _tended(machine, 12)
    assert machine.ledger.job(machine.jobs[0]).state is JobState.COMPLETE


def _rescan(machine: Promise) -> None:
    """A folder that is walked again, of which two files have changed."""
    _ended(machine)
    machine.a_file_changes("b.wav")
    machine.a_file_changes("deep/d.wav", moved=True)
    machine.submit("ada", "", rescan=True)


def _rescanned_chunk(machine: Promise) -> None:
    """One of those chunks that a worker has to look at."""
    _rescan(machine)
    machine.work("worker 1")
    machine.work("reconciler 1")


def _known_chunk(machine: Promise) -> None:
    """A chunk of files of which another owner has all samples, and only they have places."""
    _ended(machine)
    machine.submit("bob", "")
    machine.work("worker 1")
    machine.work("reconciler 1")


def _cancelled(machine: Promise) -> None:
    machine.first("ada", fed=True)
    machine.work("worker 1")
    machine.cancel(0)


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
    "a rescan": (_rescan, "worker 1"),
    "a chunk of a rescan": (_rescanned_chunk, "worker 1"),
    "a chunk of known files": (_known_chunk, "worker 1"),
    "feeding": (_feed, "reconciler 1"),
    "sweeping": (_cancelled, "reconciler 1"),
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
