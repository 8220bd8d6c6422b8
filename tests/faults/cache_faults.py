"""F23: workers that find compiled kernels cut short, full of rubbish, or missing where no other can be kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import workers.kernels
from config.environment import numba_cache_dir
from tests.faults.disks import Disks
from tests.faults.library import make_faulty_library
from tests.faults.oracle import kept_samples, wrong_answers
from tests.faults.scenario import Trial, scenario

_COMPILED_WITHIN_S = 300
_FILES = 100
_SPOILT = 4
"""Files: each costs a worker seconds to compile."""


@scenario(
    23,
    "workers that start on kernels cut short, or full of rubbish, or on a disk that is full or only for reading",
    quick=False,
)
def bad_caches(trial: Trial) -> None:
    plant = trial.plant
    others = plant.worker_parents()
    for n, spoil in enumerate((_cut_short, _rubbish, _full, _read_only)):
        cache = plant.folder / f"kernels-{n}-{trial.job_id}"
        with (
            plant.disks.another(cache),
            plant.suspended(others),  # so that the one with the bad cache has to work
        ):
            kept = _some_kernels(cache, trial.chance)
            spoil(cache, kept, plant.disks, trial.chance)
            own = {"NUMBA_CACHE_DIR": str(cache), "SAMPLEMIND_WORKER__NAME": "spoilt@cache"}
            with plant.extra("tasks.worker", **plant.hooked(), **own):
                _analyses(trial, n)


def _analyses(trial: Trial, n: int) -> None:
    """Whatever became of its kernels, a worker says what any other says."""
    cluster = trial.plant.cluster
    folder = trial.library.folder.with_name(f"{trial.library.folder.name}-spoilt-{n}")
    library = make_faulty_library(folder, _FILES, trial.chance.randrange(2**31))
    job = cluster.wait_job(cluster.submit(folder.name, priority="interactive"), _COMPILED_WITHIN_S)
    assert job["state"] == "complete", job
    rows = [row for row in cluster.files(job["id"]) if row["path"] in library.good]
    assert {row["status"] for row in rows} == {"done", "duplicate"}, f"{[row for row in rows if row['reason']][:2]}"
    wrong = wrong_answers(_FILES, rows, kept_samples(trial.plant, rows))
    assert not wrong, f"{len(wrong)} answers are others, as of {wrong[0]}"


def _some_kernels(cache: Path, chance: Random) -> list[Path]:
    """Copy the kernels that are kept for these sources; those that are to be spoilt."""
    from numba.core.caching import UserProvidedCacheLocator as Kept

    below = Kept.get_suitable_cache_subpath(workers.kernels.__file__)
    shutil.copytree(numba_cache_dir() / below, cache / below, dirs_exist_ok=True)
    files = sorted(path for path in cache.rglob("*") if path.suffix in (".nbi", ".nbc"))
    assert files, f"no kernels are kept in {numba_cache_dir() / below}"
    return chance.sample(files, min(_SPOILT, len(files)))


def _cut_short(cache: Path, kept: Sequence[Path], disks: Disks, chance: Random) -> None:
    for path in kept:
        path.write_bytes(path.read_bytes()[: chance.randrange(200)])


def _rubbish(cache: Path, kept: Sequence[Path], disks: Disks, chance: Random) -> None:
    for path in kept:
        path.write_bytes(chance.randbytes(500))


def _full(cache: Path, kept: Sequence[Path], disks: Disks, chance: Random) -> None:
    _cut_short(cache, kept, disks, chance)
    disks.fill(cache)


def _read_only(cache: Path, kept: Sequence[Path], disks: Disks, chance: Random) -> None:
    for path in kept:
        path.unlink()
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o500)
    disks.only_read(cache)  # which root too must heed
