"""Each scenario with its safeguard switched off: the oracle has to complain, or the scenario proves nothing."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis

from stores.records import JobState
from tests.faults import off
from tests.faults.journal import Journal, Proof
from tests.faults.plant import Plant, started_plant
from tests.faults.scenario import Scenario, run

_BACK_WITHIN_S = 200
_PATIENCE = 0.2
"""Of the waits of the full matrix: what is lost does not come back later."""


@dataclass(frozen=True, slots=True)
class Safeguard:
    """What holds a scenario up, and how it is switched off in a plant."""

    what: str
    off: str
    patches: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Plant], None] = lambda plant: None
    files: int = 300
    seeds: Sequence[int] = range(4)
    """Moments are random: not each of them needs the safeguard."""


def _no_limit_for_listeners(plant: Plant) -> None:
    with Redis.from_url(plant.servers["redis"].url) as redis:
        redis.config_set("client-output-buffer-limit", "pubsub 0 0 0")


_NEVER_AGAIN = {"SAMPLEMIND_QUEUE__VISIBILITY_TIMEOUT_S": "3600"}
_REVIVAL = "a chunk whose lease is over, or whose message is lost, is published again from the ledger"
_NO_REVIVAL = "`Upkeep._revive` and `hasten` do nothing"
_PERSISTENCE = "a write that a store did not take is tried again, and a chunk left so is published again"
_NO_PERSISTENCE = "`patiently` and the driver try once, `Upkeep._revive` and `hasten` do nothing"
_LASTING = 1500
"""Files of a job that is not over before the first of several faults."""
_PERSISTENT = ("no_patience", "no_driver_retries", "no_revival")

SAFEGUARDS: dict[str, Safeguard] = {
    "F1": Safeguard(_REVIVAL, _NO_REVIVAL, ("no_revival",)),
    "F2": Safeguard(
        "a decoder that was killed from outside is no fault of its file: another one is asked",
        "`Helper.was_killed` is always false",
        ("no_second_decoder",),
    ),
    "F3": Safeguard(
        "a lease ends", "`queue.lease_s` is an hour", environment={"SAMPLEMIND_QUEUE__LEASE_S": "3600"}, seeds=(2, 3, 4)
    ),
    "F4": Safeguard("one job for each Idempotency-Key", "jobs are written without their key", ("no_key",)),
    "F5": Safeguard(_REVIVAL, _NO_REVIVAL, ("no_revival",)),
    "F6": Safeguard(_PERSISTENCE, _NO_PERSISTENCE, _PERSISTENT, files=_LASTING),
    "F7": Safeguard(
        "the index writer compares what Chroma holds with what it should, and begins a new generation",
        "`IndexWriter._differs` is always false",
        ("no_comparison",),
    ),
    "F8": Safeguard("nobody waits for a store for ever", "every socket's time-out is 600 s", ("no_timeouts",)),
    "F9": Safeguard(_PERSISTENCE, _NO_PERSISTENCE, _PERSISTENT),
    "F10": Safeguard(_PERSISTENCE, _NO_PERSISTENCE, _PERSISTENT),
    "F11": Safeguard(_PERSISTENCE, _NO_PERSISTENCE, _PERSISTENT, files=_LASTING),
    "F12": Safeguard(
        "leases are of the database's clock",
        "`NOW` is the clock of whoever asks",
        ("no_server_clock",),
        files=_LASTING,
    ),
    "F13": Safeguard(
        "what is wrong with a file ends that file", "`tasks.chunk` catches no `FileError`", ("no_file_errors",)
    ),
    "F14": Safeguard(
        "what killed its worker three times is set aside",
        "`queue.max_attempts` is 100,000",
        environment={"SAMPLEMIND_QUEUE__MAX_ATTEMPTS": "100000"},
    ),
    "F15": Safeguard(
        "the request of a key is compared with the one before", "every request has the same print", ("no_fingerprint",)
    ),
    "F16": Safeguard("what a cancelled job had left is swept", "`sweep_cancelled` does nothing", ("no_sweep",)),
    "F17": Safeguard("the feeder keeps the queue short", "`Depth.room` is always 100,000", ("no_depth",)),
    "F18": Safeguard(
        "Redis cuts a listener off that does not read",
        "`client-output-buffer-limit pubsub` is none",
        prepare=_no_limit_for_listeners,
    ),
    "F19": Safeguard("what a cancelled job had left is swept", "`sweep_cancelled` does nothing", ("no_sweep",)),
    "F20": Safeguard(
        "a sample's name has the version of its analyser",
        "`sample_id` always says the first version",
        ("no_version",),
        files=_LASTING,
    ),
    # Two that lead at once do no harm: each change is one that one of them wins.
    "F21": Safeguard(
        "what was published is noted in the ledger", "`mark_fed` does nothing", ("no_fed_marks",), files=_LASTING
    ),
    "F22": Safeguard(
        "a MemoryError is caught around each file and each task",
        "`MemoryError` in three modules is a class that nobody raises",
        ("no_memory_care",),
    ),
    "F23": Safeguard(
        "a kept kernel is loaded only whole", "`KernelFiles._checked` checks nothing", ("no_kernel_check",)
    ),
    "K100": Safeguard(
        "a file's end is read off its sample's origin, not off what this attempt did",
        "what is found is said to be reused",
        ("no_origin",),
        files=_LASTING,
    ),
}


def prove(scenarios: Sequence[Scenario], journal: Journal) -> list[Proof]:
    """Run each scenario without its safeguard, seed after seed until the oracle complains."""
    left = [one for one in scenarios if one.name in SAFEGUARDS and not journal.proved(one.name)]
    left.sort(key=lambda one: sorted(SAFEGUARDS[one.name].environment.items()))  # those with the same plant together
    proofs: list[Proof] = []
    while left:
        environment = {**_NEVER_AGAIN, **SAFEGUARDS[left[0].name].environment}
        given = {"environment": environment, "patches": off.SAFEGUARDS, "patience": _PATIENCE}
        with (
            tempfile.TemporaryDirectory(prefix="samplemind-without-") as folder,
            started_plant(Path(folder), **given) as plant,
        ):
            while left and {**_NEVER_AGAIN, **SAFEGUARDS[left[0].name].environment} == environment:
                one = left.pop(0)
                proof = _proof(one, SAFEGUARDS[one.name], plant)
                if proof is not None:
                    journal.add(proof)
                    proofs.append(proof)
                if not _as_before(plant, SAFEGUARDS[one.name], proof):
                    break
    return proofs


def _proof(one: Scenario, safeguard: Safeguard, plant: Plant) -> Proof | None:
    """Until the oracle complains, or all seeds were tried."""
    said: tuple[str, ...] = ()
    seed = 0
    safeguard.prepare(plant)
    with _switched_off(plant, safeguard.patches):
        for seed in safeguard.seeds:
            try:
                outcome = run(one, plant, files=safeguard.files, seed=seed)
                # That something took long proves nothing, on a machine that has other things to do.
                said = tuple(each for each in outcome.wrong if not each.startswith("not within"))
            except pytest.skip.Exception as skipped:
                print(f"{one.name} skipped: {skipped}", file=sys.stderr, flush=True)
                return None
            if said:
                break
    print(f"{one.name} without: {safeguard.what}\n    seed {seed}: the oracle said: "
          f"{'; '.join(said) or 'NOTHING: it proves nothing'}", file=sys.stderr, flush=True)  # fmt: skip
    return Proof(one.name, safeguard.what, safeguard.off, said, seed)


@contextmanager
def _switched_off(plant: Plant, safeguards: Sequence[str]) -> Iterator[None]:
    files = [plant.said_to_hook / f"off-{name}" for name in safeguards]
    for file in files:
        file.touch()
    try:
        yield
    finally:
        for file in files:
            file.unlink()


def _as_before(plant: Plant, safeguard: Safeguard, proof: Proof | None) -> bool:
    """Whether a plant is as good as new, its safeguard back: the next complaint must not be the last one's."""
    if not safeguard.patches or proof is None or any("index" in said for said in proof.said):
        return False
    with MongoClient[dict[str, object]](plant.servers["mongo"].url) as client:
        jobs = client["samplemind"]["jobs"]
        ended = [str(state) for state in JobState if state.ended]
        try:
            plant.wait_for(lambda: jobs.count_documents({"state": {"$nin": ended}}) == 0, _BACK_WITHIN_S)
        except (AssertionError, PyMongoError):
            return False
    return True
