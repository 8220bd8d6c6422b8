"""What must hold after every fault, once it is healed. Each violation is a sentence; none is a pass."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import SecretStr
from pymongo import MongoClient
from redis import Redis

from config.settings import ChromaSettings, RabbitSettings, RedisSettings
from stores.vectors import ChromaVectors
from tasks.names import QueueName
from tasks.rabbit import RabbitPulse
from tests.faults.library import right_answers
from tests.faults.plant import Footprint, Plant, footprint
from tests.faults.trial import Trial
from workers.errors import StoreError
from workers.model import sample_id

Found = dict[str, Any]

_TERMINAL = {"done", "reused", "duplicate", "skipped", "failed"}
_INDEXED_WITHIN_S = 120
_INDEXED_EACH_S = 80
"""Vectors a second, at the very least, where the whole index is written again."""
_SETTLES_WITHIN_S = 60
_ITSELF = 0.0001
"""Cosine distance; rounding alone makes some."""
_MORE_MB = 200
_MORE_DESCRIPTORS = 150
_AT_A_TIME = 50


def violations(trial: Trial, before: Footprint) -> list[str]:
    """Everything that is wrong after a job that was to end with all of its files."""
    rows = trial.plant.cluster.files(trial.job_id, limit="1000")
    kept = kept_samples(trial.plant, rows)
    return [
        *_rows(trial, rows),
        *_reasons(trial, rows),
        *_samples(trial, rows, kept),
        *_answers(trial, rows, kept),
        *_index(trial, rows),
        *_others(trial),
        *_events(trial.plant, trial.job_id),
        *_queues(trial.plant),
        *_leftovers(trial.plant, before),
    ]


def _rows(trial: Trial, rows: list[Found]) -> Iterator[str]:
    """Every submitted file once, with a terminal status; the counters say what the rows say."""
    job, library = trial.plant.cluster.job(trial.job_id), trial.library
    if job["state"] != "complete":
        yield f"the job is {job['state']}"
    if [row["index"] for row in rows] != list(range(library.files)):
        yield f"{len(rows)} rows for {library.files} files, or not each once"
    if Counter(row["path"] for row in rows) != Counter([*library.good, *library.poison]):
        yield "the rows are not of the files there are, each once"
    statuses = Counter(row["status"] for row in rows)
    if set(statuses) - _TERMINAL:
        yield f"files that never ended: {statuses}"
    counted = {name: count for name, count in job["counts"].items() if name != "submitted" and count}
    if counted != dict(statuses) or job["counts"]["submitted"] != len(rows):
        yield f"the counters say {job['counts']}, the rows {dict(statuses)}"


def _reasons(trial: Trial, rows: list[Found]) -> Iterator[str]:
    """What is poison failed, each file with its own reason; nothing else did."""
    poison = trial.library.poison
    failed = {row["path"]: (row["reason"] or {}).get("code") for row in rows if row["status"] in ("failed", "skipped")}
    fell = Counter(code for path, code in failed.items() if path not in poison)
    if fell:
        yield f"{fell.total()} good files did not end well: {dict(fell)}"
    odd = Counter((code, failed.get(path)) for path, code in poison.items() if failed.get(path) != code)
    if odd:
        yield "of the poison " + ", ".join(f"{n} ended {said}, not {code}" for (code, said), n in odd.items())


def _samples(trial: Trial, rows: list[Found], samples: dict[str, Found]) -> Iterator[str]:
    """One sample for each content and version, of that content; each row says whether it is the one it came from."""
    good = trial.library.good
    sampled = {row["index"]: row for row in rows if row["sample_id"]}
    if any(not row["sample_id"].startswith(good.get(row["path"], "?")) for row in sampled.values()):
        yield "a file has another file's sample"
    names = {row["sample_id"] for row in sampled.values()}
    if names - samples.keys():
        yield f"{len(names - samples.keys())} samples are lost"
    if {each["content"] for each in samples.values()} != trial.library.contents:
        yield f"samples of {len(samples)} contents, {len(trial.library.contents)} there are"
    if any(name != sample_id(each["content"], version=each["analyzer"]) for name, each in samples.items()):
        yield "a sample is called by another version than that of its analyser"
    if {each["analyzer"] for each in samples.values()} != trial.versions:
        yield f"samples of {sorted({each['analyzer'] for each in samples.values()})}, not {sorted(trial.versions)}"
    said = Counter((row["status"], _should(trial, row, samples)) for row in sampled.values())
    wrong = {pair: count for pair, count in said.items() if pair[0] != pair[1]}
    if wrong:
        yield ", ".join(f"{count} rows say {was} and are {right}" for (was, right), count in wrong.items())


def kept_samples(plant: Plant, rows: list[Found]) -> dict[str, Found]:
    """The samples of some files, by name. A few at a time: the embedded ledger compares all with each that is asked."""
    names = sorted({row["sample_id"] for row in rows if row["sample_id"]})
    kept: dict[str, Found] = {}
    with MongoClient[Found](plant.servers["mongo"].url) as client:
        for n in range(0, len(names), _AT_A_TIME):
            asked = {"_id": {"$in": names[n : n + _AT_A_TIME]}}
            kept |= {each["_id"]: each for each in client["samplemind"]["samples"].find(asked, {"vector": 0})}
    return kept


def _should(trial: Trial, row: Found, samples: dict[str, Found]) -> str:
    """How a file with a sample must have ended: its own is done, and once."""
    origin = samples.get(row["sample_id"], {}).get("origin", {})
    if origin.get("job") != trial.job_id:
        return "reused"
    return "done" if origin["index"] == row["index"] else "duplicate"


def _answers(trial: Trial, rows: list[Found], kept: dict[str, Found]) -> Iterator[str]:
    """All answers are those that the same analysis gives without a cluster; some of them asked for over HTTP."""
    size, done = trial.library.size, [row for row in rows if row["status"] == "done"]
    wrong = wrong_answers(size, done, kept)
    if wrong:
        yield f"{len(wrong)} answers are not those without a cluster, as of {wrong[0]}"
    some = done[:: max(1, len(done) // 40)]
    said = {
        row["sample_id"]: {"analysis": trial.plant.cluster.http.get(f"/v1/samples/{row['sample_id']}").json()}
        for row in some
    }
    for path in wrong_answers(size, some, said):
        yield f"{path}: the gateway's answer is not the one without a cluster"


def wrong_answers(size: int, rows: list[Found], kept: dict[str, Found]) -> list[str]:
    """Paths of the files, of a library of so many, of which something else is kept than the analysis says."""
    right = right_answers(size)
    done = [row for row in rows if row["status"] == "done" and row["sample_id"] in kept]
    return [
        row["path"] for row in done if _differ(kept[row["sample_id"]]["analysis"], right[row["path"].partition("/")[2]])
    ]


def _differ(said: Found, right: Found) -> bool:
    """Whether two answers are not of the same sound, byte for byte."""
    of_sound = [name for name in right if name not in ("path", "status", "sample_id", "analyzer")]
    return [json.dumps(said.get(name)) for name in of_sound] != [json.dumps(right[name]) for name in of_sound]


def _index(trial: Trial, rows: list[Found]) -> Iterator[str]:
    """Chroma holds the vectors of all samples and nothing else, and each of them finds itself."""
    plant, mine = trial.plant, {row["sample_id"] for row in rows}
    vectors = ChromaVectors(ChromaSettings(url=plant.servers["chroma"].url))
    wanted: dict[str, bytes] = {}

    def arrived() -> bool:
        """Who was replaced by a newer version may stay in the index; searches pass over it."""
        wanted.clear()
        wanted.update(_vectors_wanted(plant, 1))
        vectors.open(_generation(plant))
        if vectors.probe() < len(wanted):
            return False
        held = set(vectors._opened().get(include=[])["ids"])
        return held == wanted.keys() or (
            held >= wanted.keys() and held - wanted.keys() <= _vectors_wanted(plant, 0).keys()
        )

    try:
        plant.wait_for(lambda: _drained(plant), _INDEXED_WITHIN_S, 0.5)
        plant.wait_for(_quietly(arrived), _INDEXED_WITHIN_S + len(_vectors_wanted(plant, 1)) / _INDEXED_EACH_S, 1)
    except AssertionError:
        yield f"the index does not hold the {len(wanted)} vectors there are, or others"
        return
    asked = [wanted[name] for name in sorted(mine & wanted.keys())]
    lost = sum(_lost(vectors, asked[n : n + _AT_A_TIME]) for n in range(0, len(asked), _AT_A_TIME))
    vectors.close()
    if lost:
        yield f"{lost} of {len(asked)} vectors do not find themselves"


def _lost(vectors: ChromaVectors, asked: list[bytes]) -> int:
    """How many find nothing as near as themselves. Equal sounds have equal vectors: then one of them comes first."""
    questions = [list(struct.unpack(f"<{len(each) // 4}f", each)) for each in asked]
    found = vectors._opened().query(query_embeddings=questions, n_results=1, include=["distances"])["distances"]
    return sum(not near or near[0] > _ITSELF for near in found)


def _drained(plant: Plant) -> bool:
    """Whether the outbox is empty: asking for more before is dear."""
    with MongoClient[Found](plant.servers["mongo"].url) as client:
        return client["samplemind"]["outbox"].find_one({}, {"_id": 1}) is None


def _generation(plant: Plant) -> int:
    with MongoClient[Found](plant.servers["mongo"].url) as client:
        return int((client["samplemind"]["meta"].find_one({"_id": "generation"}) or {"n": 1})["n"])


def _vectors_wanted(plant: Plant, listed: int) -> dict[str, bytes]:
    with MongoClient[Found](plant.servers["mongo"].url) as client:
        found = client["samplemind"]["samples"].find({"v": listed}, {"vector": 1})
        return {row["_id"]: bytes(row["vector"]) for row in found if row.get("vector")}


def _quietly(asked: Callable[[], bool]) -> Callable[[], bool]:
    """The same question, answered with no while a database is away."""

    def answer() -> bool:
        try:
            return asked()
        except StoreError:
            return False

    return answer


def _others(trial: Trial) -> Iterator[str]:
    """Whatever else was accepted ended too."""
    for job_id in trial.others:
        try:
            trial.plant.wait_for_end(lambda job_id=job_id: trial.plant.over(job_id), _SETTLES_WITHIN_S)
        except AssertionError:
            yield f"a job that was accepted never ended: {trial.plant.cluster.job(job_id)}"


def _events(plant: Plant, job_id: str) -> Iterator[str]:
    """One completion event, and it is the last."""
    names = [name for name, _, _ in plant.cluster.events(job_id)]
    if names.count("end") != 1 or names[-1] != "end":
        yield f"the events end with {names[-3:]}"


def _queues(plant: Plant) -> Iterator[str]:
    """No message waits, none is unacknowledged, no chunk is open."""

    def empty() -> bool:
        with Redis.from_url(plant.servers["redis"].url) as redis:
            _let_time_pass(redis)
            keys = [key.decode() for key in redis.keys("*")]
            lists = [key for key in keys if any(name.value in key for name in QueueName)]
            waiting = sum(redis.llen(key) for key in lists if redis.type(key) == b"list") + _in_rabbit(plant)
            return waiting == 0 and not any(redis.hlen(key) for key in keys if key.endswith("unacked"))

    try:
        plant.wait_for_end(empty, _SETTLES_WITHIN_S, 0.5)
    except AssertionError:
        yield "messages are left in the queue"
    with MongoClient[Found](plant.servers["mongo"].url) as client:
        still = [row["_id"] for row in client["samplemind"]["chunks"].find({}, {"state": 1}) if row["state"] == "open"]
    if still:
        yield f"chunks are open: {still[:3]}"


def _in_rabbit(plant: Plant) -> int:
    """Messages that wait in RabbitMQ, where the queue is there."""
    if "rabbitmq" not in plant.servers:
        return 0
    pulse = RabbitPulse(RedisSettings(), RabbitSettings(url=SecretStr(plant.servers["rabbitmq"].url)))
    try:
        return sum(pulse.queue_lengths().values())
    finally:
        pulse.close()


def _let_time_pass(redis: Redis) -> None:
    """Make what dead workers had taken so old that it is delivered again now, and not half a minute later."""
    for key in redis.keys("*unacked_index"):
        for tag in redis.zrange(key, 0, -1):
            redis.zadd(key, {tag: 1.0}, xx=True)


def _leftovers(plant: Plant, before: Footprint) -> Iterator[str]:
    """As many processes as before, and about as much memory and as many descriptors."""
    try:
        plant.wait_for_end(lambda: footprint(plant).processes == before.processes, _SETTLES_WITHIN_S, 0.5)
    except AssertionError:
        yield f"{footprint(plant).processes} processes, {before.processes} before"
    after = footprint(plant)
    if after.resident_mb > before.resident_mb + _MORE_MB:
        yield f"{after.resident_mb:.0f} MB, {before.resident_mb:.0f} before"
    if after.descriptors > before.descriptors + _MORE_DESCRIPTORS:
        yield f"{after.descriptors} descriptors, {before.descriptors} before"
