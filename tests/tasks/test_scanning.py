from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import QueueSettings
from stores.records import FileRow, FolderSource, Job, JobState
from tasks.scanning import Slice, scan_slice
from tests.tasks.twins import Cluster
from workers.errors import StoreUnavailable

QUEUE = QueueSettings(chunk_files=10, scan_slice_s=10, lease_s=30)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for n in range(137):
        folder = tmp_path / f"pack {n % 7}"
        folder.mkdir(exist_ok=True)
        (folder / f"{n}.wav").write_bytes(b"x" * n)
    return tmp_path


class Ticking:
    """A clock on which every look takes a while."""

    def __init__(self, cluster: Cluster, step_s: float) -> None:
        self._cluster, self._step_s = cluster, step_s

    def __call__(self) -> float:
        self._cluster.clock.advance(self._step_s)
        return self._cluster.clock.now


def scan(cluster: Cluster, job: Job, root: Path, step_s: float = 0.0, queue: QueueSettings = QUEUE) -> Slice:
    return scan_slice(job.id, cluster.ledger, cluster.samples, {"library": root}, queue, clock=Ticking(cluster, step_s))


def rows(cluster: Cluster, job: Job) -> list[FileRow]:
    return list(cluster.ledger.files(job.id, status=None, cursor=None, limit=1000).items)


def scan_job(cluster: Cluster, **source: str) -> Job:
    return cluster.job(source=FolderSource("library", **source))


def test_writes_every_file_once_and_ends_the_scan(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)
    assert scan(cluster, job, library) is Slice.END
    kept = cluster.ledger.job(job.id)
    assert (kept.state, kept.counts.submitted) == (JobState.RUNNING, 137)
    paths = [row.file.path for row in rows(cluster, job)]
    assert paths == sorted(paths)
    assert len(set(paths)) == 137
    assert scan(cluster, job, library) is Slice.NOTHING


def test_slices_give_the_same_rows_as_one_walk(cluster: Cluster, library: Path) -> None:
    at_once, sliced = scan_job(cluster), scan_job(cluster)
    scan(cluster, at_once, library)
    ends = [scan(cluster, sliced, library, step_s=0.3)]
    while ends[-1] is Slice.MORE:
        ends.append(scan(cluster, sliced, library, step_s=0.3))
    assert ends[-1] is Slice.END
    assert len(ends) > 3
    assert [row.file for row in rows(cluster, sliced)] == [row.file for row in rows(cluster, at_once)]


def test_a_slow_disk_still_gets_further_each_slice(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)
    for _ in range(200):
        if scan(cluster, job, library, step_s=6) is Slice.END:
            break
    assert len(rows(cluster, job)) == 137
    assert cluster.ledger.job(job.id).state is JobState.RUNNING


def test_a_scan_that_died_is_taken_up_where_the_ledger_ends(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)

    class Dies(Exception):
        pass

    add = cluster.ledger.add_chunk
    left: Iterator[int] = iter(range(3))

    def dying(*args: object) -> bool:
        if next(left, None) is None:
            raise Dies
        return add(*args)  # type: ignore[arg-type]

    cluster.ledger.add_chunk = dying  # type: ignore[assignment]
    with pytest.raises(Dies):
        scan(cluster, job, library)
    cluster.ledger.add_chunk = add  # type: ignore[method-assign]
    assert scan(cluster, job, library) is Slice.NOTHING  # its lease lives on
    cluster.clock.advance(QUEUE.lease_s + 1)
    assert scan(cluster, job, library) is Slice.END
    paths = [row.file.path for row in rows(cluster, job)]
    assert len(paths) == len(set(paths)) == 137


def test_renews_its_lease_while_it_walks(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)
    queue = QUEUE.model_copy(update={"scan_slice_s": 1000.0})
    assert scan(cluster, job, library, step_s=1, queue=queue) is Slice.END
    assert len(rows(cluster, job)) == 137


def test_a_cancelled_scan_stops(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)
    assert scan(cluster, job, library, step_s=0.4) is Slice.MORE
    cluster.ledger.request_cancel(job.id)
    assert scan(cluster, job, library) is Slice.NOTHING


def test_a_scan_cancelled_in_the_middle_stops_at_its_next_renewal(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)
    add = cluster.ledger.add_chunk

    def cancelling(*args: object) -> bool:
        cluster.ledger.request_cancel(job.id)
        return add(*args)  # type: ignore[arg-type]

    cluster.ledger.add_chunk = cancelling  # type: ignore[assignment]
    queue = QUEUE.model_copy(update={"scan_slice_s": 1000.0})
    assert scan(cluster, job, library, step_s=1, queue=queue) is Slice.LOST
    assert 0 < len(rows(cluster, job)) < 137


def test_an_overtaken_scan_gives_way(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)
    add = cluster.ledger.add_chunk
    cluster.ledger.add_chunk = lambda *args: False  # type: ignore[method-assign]
    assert scan(cluster, job, library) is Slice.MORE
    cluster.ledger.add_chunk = add  # type: ignore[method-assign]
    assert scan(cluster, job, library) is Slice.END


@pytest.mark.parametrize(
    ("source", "code"),
    [({"path": "missing"}, "not_found"), ({"path": "../x"}, "outside_root"), ({"pattern": "[a"}, "bad_pattern")],
)
def test_a_source_that_cannot_be_walked_fails_the_job_with_its_reason(
    cluster: Cluster, library: Path, source: dict[str, str], code: str
) -> None:
    job = scan_job(cluster, **source)
    assert scan(cluster, job, library) is Slice.END
    assert cluster.ledger.finish_job(job.id) is JobState.FAILED
    reason = cluster.ledger.job(job.id).reason
    assert reason is not None
    assert reason.code == code


def test_an_unknown_root_fails_the_job(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.job(source=FolderSource("elsewhere"))
    assert scan(cluster, job, tmp_path) is Slice.END
    assert cluster.ledger.finish_job(job.id) is JobState.FAILED


def test_an_empty_folder_is_a_job_of_no_files(cluster: Cluster, tmp_path: Path) -> None:
    job = scan_job(cluster)
    assert scan(cluster, job, tmp_path) is Slice.END
    assert cluster.ledger.finish_job(job.id) is JobState.COMPLETE


def test_the_ledger_being_away_ends_the_slice(cluster: Cluster, library: Path) -> None:
    job = scan_job(cluster)

    def away(*args: object) -> bool:
        raise StoreUnavailable

    cluster.ledger.add_chunk = away  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        scan(cluster, job, library)
