"""Hosts that are cut off from all others in the middle of a job, and come back: ``python -m tests.faults.host_faults``.

Apart from the matrix: it has a plant of nine hosts of its own, and needs root. Two minutes on two busy cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.hosts import HostsPlant, started_hosts, why_not
from tests.faults.scenario import Scenario, run
from tests.faults.trial import Trial

VICTIMS = ("worker-1", "redis", "mongo", "reconciler", "gateway")


def cut_off(trial: Trial, victims: tuple[str, ...]) -> None:
    """One host after the other, each for longer than a lease."""
    assert isinstance(trial.plant, HostsPlant)
    trial.plant.under_way(trial.job_id)
    for name in victims:
        trial.plant.cut(name)
        trial.plant.wait(trial.hold_s)
        trial.plant.heal()
        trial.pause(0.5, 2)


def main() -> int:
    """1 where anything was lost, doubled or left; 0 with the reason where this machine cannot have several hosts."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.host_faults", description=__doc__)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=VICTIMS, default=VICTIMS, help="cut off only these")
    given = parser.parse_args()
    if why_not():
        print(f"left out: {why_not()}")
        return 0
    one = Scenario(24, "cut off", lambda trial: cut_off(trial, tuple(given.only)))
    wrong = 0
    with TemporaryDirectory(prefix="samplemind-hosts-") as folder, started_hosts(Path(folder)) as plant:
        for seed in range(given.seeds):
            outcome = run(one, plant, files=given.files, seed=seed)
            print(f"seed {seed}: {outcome.wrong or 'holds'} (recovery {outcome.recovery_s:.1f} s)", flush=True)
            wrong += bool(outcome.wrong)
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
