"""K100, beside the matrix: a hundred kills of whatever there is during one job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import psutil

from tests.faults.process_faults import kill
from tests.faults.scenario import Trial, scenario
from tests.servers import Server

_KILLS = 100


@scenario(100, "a hundred kills of random processes during one job", quick=False)
def hundred_kills(trial: Trial) -> None:
    """All but the supervisor: nobody would start it again. The job is given time to get on between two kills."""
    plant, cluster = trial.plant, trial.plant.cluster
    plant.under_way(trial.job_id, 0.01)
    killed: Counter[str] = Counter()
    meanwhile = 0
    for _ in range(_KILLS):
        kinds: dict[str, Callable[[], object]] = {
            "server": lambda: _start_again(plant.servers[trial.chance.choice(["mongo", "redis", "chroma"])]),
            "worker": lambda: _kill_one(trial, plant.worker_parents()),
            "child": lambda: _kill_one(trial, plant.worker_children()),
            "decoder": lambda: _kill_one(trial, plant.decoders()),
            "gateway": lambda: _kill_one(trial, cluster.processes("-m api")),
            "reconciler": lambda: _kill_one(trial, cluster.processes("tasks.reconcile")),
            "index writer": lambda: _kill_one(trial, cluster.processes("tasks.index")),
            "Flower": lambda: _kill_one(trial, cluster.processes("flower")),
        }
        kind = trial.chance.choices([*kinds], weights=[3, 3, 3, 2, 1, 1, 1, 1])[0]
        kinds[kind]()
        killed[kind] += 1
        meanwhile += not trial.over
        trial.pause(0, 0.4)
    trial.notes.append(f"{killed.total()} kills, {meanwhile} of them before the job had ended: {dict(killed)}")


def _kill_one(trial: Trial, alive: list[psutil.Process]) -> None:
    if alive:
        kill(trial.chance.choice(alive))


def _start_again(server: Server) -> None:
    server.kill()
    server.start()
