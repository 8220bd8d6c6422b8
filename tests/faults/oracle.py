"""What must hold after every fault, once it is healed. Each violation is a sentence; none is a pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from redis import Redis

from config.settings import ChromaSettings
from stores.vectors import ChromaVectors
from tests.faults.library import Library, content_of
from tests.faults.plant import Footprint, Plant, footprint
from workers.batch import BatchAudioProcessor

_TERMINAL = {"done", "reused", "duplicate", "skipped", "failed"}
_INDEXED_WITHIN_S = 120
_SETTLES_WITHIN_S = 60
_ITSELF = 0.9999
_MORE_MB = 200
_MORE_DESCRIPTORS = 150


def violations(plant: Plant, job_id: str, library: Library, before: Footprint) -> list[str]:
    """Everything that is wrong after a job that was to end with all of its files."""
    return [
        *_rows(plant, job_id, library),
        *_samples(plant, job_id, library),
        *_index(plant),
        *_events(plant, job_id),
        *_queues(plant),
        *_leftovers(plant, before),
    ]


def _rows(plant: Plant, job_id: str, library: Library) -> Iterator[str]:
    """Every submitted file once, with a terminal status; the counters say what the rows say."""
    job, rows = plant.cluster.job(job_id), plant.cluster.files(job_id)
    if job["state"] != "complete":
        yield f"the job is {job['state']}"
    if [row["index"] for row in rows] != list(range(library.files)):
        yield f"{len(rows)} rows for {library.files} files, or not each once"
    if len({row["path"] for row in rows}) != len(rows):
        yield "a file has two rows"
    statuses = Counter(row["status"] for row in rows)
    if set(statuses) - _TERMINAL:
        yield f"files that never ended: {statuses}"
    counted = {name: count for name, count in job["counts"].items() if name != "submitted" and count}
    if counted != dict(statuses) or job["counts"]["submitted"] != len(rows):
        yield f"the counters say {job['counts']}, the rows {dict(statuses)}"
    if statuses["failed"] != library.poison:
        wrong = Counter(row["reason"]["code"] for row in rows if row["status"] == "failed")
        yield f"{statuses['failed']} failed, {library.poison} are poisonous: {dict(wrong)}"
    if statuses["done"] + statuses["reused"] + statuses["duplicate"] != library.good:
        yield f"{dict(statuses)}, but {library.good} are good"
    if any(not row["reason"] for row in rows if row["status"] in ("failed", "skipped")):
        yield "a file failed without a reason"


def _samples(plant: Plant, job_id: str, library: Library) -> Iterator[str]:
    """One sample for each content, of that content, and with the same answer as without a fault."""
    rows = [row for row in plant.cluster.files(job_id) if row["sample_id"]]
    root = plant.folder / "library"
    expected = {row["path"]: content_of(root / row["path"]) for row in rows}
    if any(not row["sample_id"].startswith(expected[row["path"]]) for row in rows):
        yield "a file has another file's sample"
    contents = {row["sample_id"] for row in rows}
    if len(contents) != library.contents:
        yield f"{len(contents)} samples for {library.contents} contents"
    done = Counter(row["sample_id"] for row in rows if row["status"] == "done")
    if done and max(done.values()) > 1:
        yield "a content was done twice"
    yield from _answers(plant, job_id, root)


def _answers(plant: Plant, job_id: str, root: Path) -> Iterator[str]:
    """A spread of the answers, byte for byte as the same analysis gives them here and now without a cluster."""
    done = plant.cluster.files(job_id, status="done")
    some = done[:: max(1, len(done) // 40)]
    for row, bare in zip(some, BatchAudioProcessor(1).process_batch([root / row["path"] for row in some]), strict=True):
        said = plant.cluster.http.get(f"/v1/samples/{row['sample_id']}").json()
        of_sound = [name for name in bare if name not in ("path", "status")]
        if [json.dumps(said.get(name)) for name in of_sound] != [json.dumps(bare[name]) for name in of_sound]:
            yield f"{row['path']}: the cluster's answer is not the one without a cluster"


def _index(plant: Plant) -> Iterator[str]:
    """Chroma holds the vectors of all samples and nothing else, and each of them finds itself."""
    with MongoClient[dict[str, Any]](plant.servers["mongo"].url) as client:
        samples = client["samplemind"]["samples"]
        wanted: dict[str, bytes] = {}

        def arrived() -> bool:
            wanted.clear()
            wanted.update(
                {row["_id"]: bytes(row["vector"]) for row in samples.find({}, {"vector": 1}) if "vector" in row}
            )
            generation = client["samplemind"]["meta"].find_one({"_id": "generation"})
            vectors.open(int(generation["n"]) if generation else 1)
            return vectors.probe() == len(wanted)

        vectors = ChromaVectors(ChromaSettings(url=plant.servers["chroma"].url))
        try:
            plant.wait_for(lambda: _quietly(arrived), _INDEXED_WITHIN_S, 0.5)
        except AssertionError:
            yield f"the index does not hold the {len(wanted)} vectors there are"
            return
        some = sorted(wanted)[:: max(1, len(wanted) // 200)]
        # Equal sounds have equal vectors: then one of them comes first.
        lost = [name for name in some if vectors.query(wanted[name], limit=1)[0].score < _ITSELF]
        vectors.close()
    if lost:
        yield f"{len(lost)} of {len(some)} vectors do not find themselves"


def _quietly(asked: Any) -> bool:
    from workers.errors import StoreError

    try:
        return bool(asked())
    except StoreError:
        return False


def _events(plant: Plant, job_id: str) -> Iterator[str]:
    """One completion event, and it is the last."""
    names = [name for name, _, _ in plant.cluster.events(job_id)]
    if names.count("end") != 1 or names[-1] != "end":
        yield f"the events end with {names[-3:]}"


def _queues(plant: Plant) -> Iterator[str]:
    """No message waits, none is unacknowledged, no chunk is open."""
    from tasks.names import QueueName

    def empty() -> bool:
        with Redis.from_url(plant.servers["redis"].url) as redis:
            keys = [key.decode() for key in redis.keys("*")]
            lists = [key for key in keys if any(name.value in key for name in QueueName)]
            waiting = sum(redis.llen(key) for key in lists if redis.type(key) == b"list")
            return waiting == 0 and not any(redis.hlen(key) for key in keys if key.endswith("unacked"))

    try:
        plant.wait_for(empty, _SETTLES_WITHIN_S, 0.5)
    except AssertionError:
        yield "messages are left in Redis"
    with MongoClient[dict[str, Any]](plant.servers["mongo"].url) as client:
        still = [row["_id"] for row in client["samplemind"]["chunks"].find({}, {"state": 1}) if row["state"] == "open"]
    if still:
        yield f"chunks are open: {still[:3]}"


def _leftovers(plant: Plant, before: Footprint) -> Iterator[str]:
    """As many processes as before, and about as much memory and as many descriptors."""
    try:
        plant.wait_for(lambda: footprint(plant).processes == before.processes, _SETTLES_WITHIN_S, 0.5)
    except AssertionError:
        yield f"{footprint(plant).processes} processes, {before.processes} before"
    after = footprint(plant)
    if after.resident_mb > before.resident_mb + _MORE_MB:
        yield f"{after.resident_mb:.0f} MB, {before.resident_mb:.0f} before"
    if after.descriptors > before.descriptors + _MORE_DESCRIPTORS:
        yield f"{after.descriptors} descriptors, {before.descriptors} before"
