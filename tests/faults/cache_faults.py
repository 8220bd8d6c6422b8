"""F23: workers that find the folder of compiled kernels cut short, full of rubbish, or not to be written to."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

from config.environment import numba_cache_dir
from tests.faults.scenario import Trial, scenario

_COMPILED_WITHIN_S = 300


@scenario(23, "workers that start on a kernel cache cut short, full of rubbish, and read-only", quick=False)
def bad_caches(trial: Trial) -> None:
    plant = trial.plant
    for spoil in (_cut_short, _rubbish, _read_only):
        cache = plant.folder / f"kernels-{spoil.__name__}-{trial.job_id}"
        shutil.copytree(numba_cache_dir(), cache)
        spoil(cache, trial.chance)
        others = plant.worker_parents()
        with (
            plant.extra("tasks.worker", NUMBA_CACHE_DIR=str(cache), SAMPLEMIND_WORKER__NAME="spoilt@cache"),
            plant.suspended(others),  # so that the one with the bad cache has to work
        ):
            job_id = plant.cluster.submit(trial.library.folder.name, pattern=f"**/*{len(spoil.__name__)}*.wav")
            job = plant.cluster.wait_job(job_id, within_s=_COMPILED_WITHIN_S * plant.patience)
            assert job["state"] == "complete", job


def _files(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.suffix in (".nbi", ".nbc")]


def _cut_short(cache: Path, chance: Random) -> None:
    for path in _files(cache):
        path.write_bytes(path.read_bytes()[: chance.randrange(200)])


def _rubbish(cache: Path, chance: Random) -> None:
    for path in _files(cache):
        path.write_bytes(chance.randbytes(500))


def _read_only(cache: Path, chance: Random) -> None:
    for path in _files(cache):
        path.unlink()
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o500)
