"""The fault matrix: ``make faults``. Every scenario with ten seeds, and a table of what came of it.

python -m tests.faults [--only F3 F9] [--seeds 10] [--files 5000] [--page docs/reliability.md]
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.matrix import SCENARIOS
from tests.faults.plant import started_plant
from tests.faults.report import table, write_page
from tests.faults.scenario import Outcome, Scenario, run


def trials(scenarios: Sequence[Scenario], seeds: int, files: int) -> list[Outcome]:
    """Each scenario on a plant of its own, all its seeds on the same one."""
    outcomes: list[Outcome] = []
    total, begun = len(scenarios) * seeds, time.monotonic()
    for one in scenarios:
        with tempfile.TemporaryDirectory(prefix="samplemind-faults-") as folder, started_plant(Path(folder)) as plant:
            for seed in range(seeds):
                outcome = run(one, plant, files=files, seed=seed)
                outcomes.append(outcome)
                left = (time.monotonic() - begun) / len(outcomes) * (total - len(outcomes))
                said = "holds" if not outcome.wrong else f"FAILS: {'; '.join(outcome.wrong)}"
                print(f"{one.name} seed {seed}: {said} (recovery {outcome.recovery_s:.1f} s, {left:.0f} s left)",
                      file=sys.stderr, flush=True)  # fmt: skip
    return outcomes


def main() -> int:
    """Run what was asked for; 1 where anything was lost, doubled or left."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="F", help="these scenarios, as F1 F9")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--page", type=Path, help="write the table there")
    given = parser.parse_args()
    wanted = {name.upper() for name in given.only or [one.name for one in SCENARIOS]}
    unknown = wanted - {one.name for one in SCENARIOS}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen = sorted((one for one in SCENARIOS if one.name in wanted), key=lambda one: one.number)
    outcomes = trials(chosen, given.seeds, given.files)
    print(table(chosen, outcomes))
    if given.page:
        write_page(given.page, chosen, outcomes, platform.processor() or platform.machine())
    return int(any(outcome.wrong for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
