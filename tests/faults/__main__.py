"""The fault matrix: ``make faults``. Every scenario with ten seeds, and a table of what came of it.

python -m tests.faults [--broker rabbitmq] [F3 F9] [--seeds 10 | --seed 3] [--files 5000] [--page docs/reliability.md]
python -m tests.faults --without [--only F3 F9]     each scenario with its safeguard off: the oracle must complain

What came of each trial is written to the journal at once. A run that was stopped goes on: trials of the same sources
that held are not done again.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
import pytest
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from config.environment import cap_threads, use_kernel_cache
from tests.faults.evidence import keep
from tests.faults.journal import Journal
from tests.faults.matrix import SCENARIOS
from tests.faults.plant import Plant, started_plant
from tests.faults.report import proofs_table, table, write_page
from tests.faults.scenario import Outcome, Scenario, run
from tests.faults.trial import LAST_SEED
from tests.faults.without import prove
from tests.rabbit import why_not
from tests.warm import HERE, compile_for
from workers.errors import StoreError

_TRIALS_OF_A_PLANT = 3
"""Each leaves 4,700 samples: with 25,000 the embedded ledger is slow, and so is an index that is written again."""

CORE = ("F1", "F2", "F5", "F9", "F19")
"""What the other broker is held to: what is done to workers, to the broker, to links, and by those who cancel."""

_OF_THE_HARNESS = (
    AssertionError, LookupError, OSError, RuntimeError, ValueError,
    httpx.HTTPError, psutil.Error, PyMongoError, RedisError, StoreError,
)  # fmt: skip
"""Raised where nobody waits for it: a server that is still away, a process that has just gone."""


def trials(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    files: int,
    journal: Journal,
    evidence: Path | None = None,
    broker: str = "redis",
) -> list[Outcome]:
    """What was not done yet, seed by seed, first what no sources did. A plant serves none after one that failed."""
    left = [(one, seed) for seed in seeds for one in scenarios if not journal.has(one.name, seed, files)]
    before = {(outcome.scenario, outcome.seed, outcome.files) for _, outcome in journal.outcomes()}
    left.sort(key=lambda trial: (trial[0].name, trial[1], files) in before)
    outcomes: list[Outcome] = []
    total, begun = len(left), time.monotonic()
    while left:
        with (
            tempfile.TemporaryDirectory(prefix="samplemind-faults-") as folder,
            started_plant(Path(folder), broker=broker) as plant,
        ):
            for _ in range(min(_TRIALS_OF_A_PLANT, len(left))):
                one, seed = left.pop(0)
                outcome = _trial(one, seed, plant, files)
                if outcome is None:
                    continue
                journal.add(outcome)
                outcomes.append(outcome)
                _say(outcome, (time.monotonic() - begun) / (total - len(left)) * len(left))
                if outcome.wrong and evidence is not None:
                    _keep(plant, evidence / f"{one.name}-{seed}")
                if outcome.wrong or one.spoils:
                    break
    return outcomes


def _trial(one: Scenario, seed: int, plant: Plant, files: int) -> Outcome | None:
    try:
        return run(one, plant, files=files, seed=seed)
    except pytest.skip.Exception as skipped:
        print(f"{one.name} skipped: {skipped}", file=sys.stderr, flush=True)
        return None
    except _OF_THE_HARNESS as error:  # hours of other trials are not to end with it
        traceback.print_exc()
        return Outcome(one.name, seed, files, 0.0, (f"the harness failed: {type(error).__name__}: {error}"[:300],))


def _keep(plant: Plant, folder: Path) -> None:
    """For whoever looks into it; a store that is away has nothing to say."""
    try:
        keep(plant, folder)
    except _OF_THE_HARNESS as error:
        print(f"not all evidence is kept: {error}", file=sys.stderr, flush=True)


def _say(outcome: Outcome, left_s: float) -> None:
    said = "holds" if not outcome.wrong else f"FAILS: {'; '.join(outcome.wrong)}"
    figures = f"{outcome.took_s:.0f} s, recovery {outcome.recovery_s:.1f} s, {left_s / 60:.0f} minutes left"
    notes = "".join(f"\n    {note}" for note in outcome.notes)
    print(f"{outcome.scenario} seed {outcome.seed}: {said} ({figures}){notes}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="F", help="these scenarios, as F1 F9")
    parser.add_argument("--only", nargs="+", metavar="F", help="the same")
    parser.add_argument("--broker", choices=["redis", "rabbitmq"], default="redis", help="where the queue is")
    parser.add_argument("--seeds", type=int, default=LAST_SEED + 1, help="how many")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--without", action="store_true", help="switch each scenario's safeguard off")
    parser.add_argument("--journal", type=Path, help="where outcomes are kept; of each broker apart")
    parser.add_argument("--of-any-sources", action="store_true", help="do not do again what other sources passed")
    parser.add_argument("--page", type=Path, help="write the table of the whole journal there")
    parser.add_argument("--evidence", type=Path, help="keep logs and states there of what went wrong")
    given = parser.parse_args()
    beside = "" if given.broker == "redis" else f"-{given.broker}"
    given.journal = given.journal or Path(f"docs/reliability{beside}.jsonl")
    named = [*given.names, *(given.only or ())] or list(CORE if given.broker == "rabbitmq" else ())
    wanted = [name.upper() for name in named or [one.name for one in SCENARIOS]]
    given.chosen = sorted((one for one in SCENARIOS if one.name in wanted), key=lambda one: one.number)
    unknown = set(wanted) - {one.name for one in SCENARIOS}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return given


def _interrupted(number: int, frame: object) -> None:
    """A cluster must be taken down also where somebody ends us politely."""
    raise KeyboardInterrupt


def main() -> int:
    """Run what was asked for; 1 where anything was lost, doubled or left, or a safeguard was not missed."""
    signal.signal(signal.SIGTERM, _interrupted)
    use_kernel_cache()
    cap_threads()
    given = _arguments()
    compile_for(HERE)  # else the first cluster is not ready in its time
    if given.broker == "rabbitmq" and (why := why_not()):
        print(f"skipped: {why}", file=sys.stderr)
        return 0
    journal = Journal(given.journal, of_any_sources=given.of_any_sources)
    if given.without:
        proofs = prove(given.chosen, journal)
        print(proofs_table(given.chosen, journal.proofs()))
        bad = any(not proof.said for proof in proofs)
    else:
        seeds = range(given.seeds) if given.seed is None else [given.seed]
        outcomes = trials(given.chosen, seeds, given.files, journal, given.evidence, given.broker)
        print(table(given.chosen, [outcome for _, outcome in journal.outcomes()], journal.proofs()))
        bad = any(outcome.wrong for outcome in outcomes)
    if given.page:
        write_page(given.page, SCENARIOS, journal)
    return int(bad)


if __name__ == "__main__":
    raise SystemExit(main())
