"""The main job through every component: a library in over HTTP, a searchable library out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile

from tests.broken_files import make_broken
from tests.integration.cluster import Cluster
from tests.servers import PROJECT

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def first(cluster: Cluster) -> dict[str, Any]:
    """The first job over the whole library, ended."""
    return cluster.wait_job(cluster.submit())


def rows_by_path(cluster: Cluster, job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in cluster.files(job["id"])}


def sample(cluster: Cluster, row: dict[str, Any]) -> dict[str, Any]:
    answer = cluster.http.get(f"/v1/samples/{row['sample_id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_submitted_file_ends_once(cluster: Cluster, first: dict[str, Any]) -> None:
    rows = cluster.files(first["id"])
    assert first["state"] == "complete"
    assert [row["index"] for row in rows] == list(range(first["counts"]["submitted"]))
    assert len({row["path"] for row in rows}) == len(rows)
    statuses = Counter(row["status"] for row in rows)
    assert {name: n for name, n in first["counts"].items() if name != "submitted" and n} == dict(statuses)
    for row in rows:
        if row["status"] in ("failed", "skipped"):
            assert row["reason"]["code"], row
            assert row["reason"]["message"].endswith((".", "!", ")")) or len(row["reason"]["message"]) > 10, row
        else:
            assert row["sample_id"], row


def test_loops_have_the_tempo_they_were_made_at(cluster: Cluster, first: dict[str, Any]) -> None:
    rows = rows_by_path(cluster, first)
    for name, bpm in (("90", 90), ("120", 120), ("121_5", 121.5), ("140", 140), ("174", 174)):
        tempo = sample(cluster, rows[f"loops/beat_{name}.wav"])["tempo"]
        assert tempo["bpm"] == pytest.approx(bpm, rel=0.01), (name, tempo)


def test_notes_have_the_note_they_were_made_at(cluster: Cluster, first: dict[str, Any]) -> None:
    rows = rows_by_path(cluster, first)
    for name, note in (("a3", "A3"), ("c4", "C4"), ("e4", "E4")):
        said = sample(cluster, rows[f"notes/{name}.flac"])
        assert said["pitch"]["note"] == note
        assert said["tempo"]["bpm"] is None
        assert said["tempo"]["reason"]


def test_the_same_content_twice_is_a_duplicate_and_other_files_are_skipped(
    cluster: Cluster, first: dict[str, Any]
) -> None:
    rows = rows_by_path(cluster, first)
    twins = {rows["again/the same beat.wav"]["status"], rows["loops/beat_120.wav"]["status"]}
    assert twins == {"duplicate", "done"}
    assert rows["notes/readme.txt"]["status"] == "skipped"
    assert rows["notes/readme.txt"]["reason"]["code"] == "not_audio"


def test_each_broken_file_has_its_own_row_and_reason(cluster: Cluster, first: dict[str, Any], tmp_path: Path) -> None:
    expected = {
        "broken/" + broken.name.decode("utf-8", "backslashreplace"): broken.expect for broken in make_broken(tmp_path)
    }
    rows = rows_by_path(cluster, first)
    # a folder is walked, not submitted, and what is not there cannot be found by walking
    assert not {"broken/folder.wav", "broken/never_there.wav"} & set(rows)
    wrong = {}
    for path, expect in expected.items():
        if path in ("broken/folder.wav", "broken/never_there.wav"):
            continue
        row = rows.get(path)
        said = "no row" if row is None else (row["reason"] or {}).get("code", "ok")
        if said not in expect:
            wrong[path] = (said, sorted(expect))
    assert wrong == {}


def test_no_worker_died_of_the_broken_files(cluster: Cluster, first: dict[str, Any]) -> None:
    assert first["counts"]["failed"] > 20
    assert "restart" not in cluster.said().lower()


def test_the_same_job_again_is_all_reused(cluster: Cluster, first: dict[str, Any]) -> None:
    again = cluster.wait_job(cluster.submit())
    before, after = first["counts"], again["counts"]
    assert after["submitted"] == before["submitted"]
    assert after["reused"] == before["done"] + before["duplicate"] + before["reused"]
    assert (after["done"], after["duplicate"]) == (0, 0)
    assert (after["failed"], after["skipped"]) == (before["failed"], before["skipped"])


def test_loops_are_found_by_their_tempo(cluster: Cluster, first: dict[str, Any]) -> None:
    answer = cluster.http.get("/v1/samples", params={"bpm": "118..122"})
    assert answer.status_code == 200
    found = {file["path"] for item in answer.json()["items"] for file in item["files"]}
    assert {"loops/beat_120.wav", "loops/beat_121_5.wav"} <= found
    assert "loops/beat_140.wav" not in found
    assert all(118 <= item["tempo"]["bpm"] <= 122 for item in answer.json()["items"])


def test_what_sounds_alike_is_near(cluster: Cluster, first: dict[str, Any]) -> None:
    rows = rows_by_path(cluster, first)
    like = rows["notes/c4.flac"]["sample_id"]
    hits: list[dict[str, Any]] = []
    for _ in range(100):
        answer = cluster.http.post("/v1/search", json={"like": {"sample": like}, "limit": 5, "include_self": True})
        assert answer.status_code == 200, answer.text
        hits = answer.json()["items"]
        if hits and hits[0]["sample"]["sample_id"] == like:
            break
    assert hits[0]["score"] == pytest.approx(1, abs=0.01)
    names = [file["path"] for hit in hits for file in hit["sample"]["files"]]
    assert any(name.startswith("notes/") and "c4" not in name for name in names), names


def test_the_cluster_says_what_analyze_says(cluster: Cluster, first: dict[str, Any], library: Path) -> None:
    rows = rows_by_path(cluster, first)
    for path in ("loops/beat_121_5.wav", "notes/a3.flac"):
        said = subprocess.run(
            [sys.executable, "-m", "cli", "analyze", str(library / path)],
            cwd=PROJECT, capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        alone = json.loads(said.stdout)
        kept = sample(cluster, rows[path])
        for name in set(alone) - {"path", "status", "reason", "path_b64"}:
            assert alone[name] == kept[name], (path, name)


def test_events_lead_to_the_end_and_go_on_where_they_were(cluster: Cluster, first: dict[str, Any]) -> None:
    job_id = cluster.submit("loops")
    events = list(cluster.events(job_id))
    assert events[-1][0] == "end"
    assert events[-1][2]["state"] == "complete"
    assert all(identity for _, identity, _ in events)
    again = list(cluster.events(job_id, last_id=events[-1][1]))
    assert [name for name, _, _ in again] in ([], ["end"])


def test_a_manifest_and_an_upload_are_jobs_too(cluster: Cluster, first: dict[str, Any], library: Path) -> None:
    lines = '{"root": "library", "path": "loops/beat_90.wav"}\n{"root": "library", "path": "no/such.wav"}\n'
    answer = cluster.http.post("/v1/jobs", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 202, answer.text
    job = cluster.wait_job(answer.json()["id"])
    assert (job["counts"]["reused"], job["counts"]["failed"]) == (1, 1)
    assert cluster.files(job["id"], status="failed")[0]["reason"]["code"] == "vanished"

    content = (library / "notes" / "e4.flac").read_bytes()
    answer = cluster.http.post("/v1/uploads", params={"name": "e4.flac"}, content=content)
    assert answer.status_code == 201, answer.text
    job = cluster.wait_job(answer.json()["job"]["id"])
    assert job["counts"]["reused"] == 1


def test_a_sound_that_is_sent_is_analysed_searched_by_and_known_as_a_copy(
    cluster: Cluster, first: dict[str, Any], library: Path, tmp_path: Path
) -> None:
    original = rows_by_path(cluster, first)["notes/c4.flac"]["sample_id"]
    y, sr = soundfile.read(library / "notes" / "c4.flac")
    soundfile.write(tmp_path / "mine.wav", 0.4 * y, sr)
    content, asked = (tmp_path / "mine.wav").read_bytes(), {"name": "mine.wav", "wait_s": 30}
    answer = cluster.http.post("/v1/search/sound", params=asked, content=content, timeout=60)
    for _ in range(100):
        if answer.status_code == 202:
            cluster.wait_job(answer.json()["job"]["id"])
        if answer.status_code == 200 and answer.json()["items"]:  # the index may have been a moment behind
            break
        answer = cluster.http.post("/v1/search/sound", params=asked, content=content, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][0]["sample"]["sample_id"] == original
    group = cluster.http.get(f"/v1/samples/{answer.json()['sample_id']}/duplicates").json()["group"]
    assert {original, answer.json()["sample_id"]} <= {sample["sample_id"] for sample in group["samples"]}


def test_a_picture_and_the_sound_of_a_sample_can_be_had(cluster: Cluster, first: dict[str, Any], library: Path) -> None:
    row = rows_by_path(cluster, first)["loops/beat_140.wav"]
    audio = cluster.http.get(f"/v1/samples/{row['sample_id']}/audio", headers={"Range": "bytes=0-99"})
    assert audio.status_code == 206
    assert audio.content == (library / "loops" / "beat_140.wav").read_bytes()[:100]
    picture = cluster.http.get(f"/v1/samples/{row['sample_id']}/spectrogram")
    assert picture.content.startswith(b"\x89PNG")
    assert cluster.http.get(f"/v1/samples/{row['sample_id']}/waveform").status_code == 200


def test_exports_have_every_file(cluster: Cluster, first: dict[str, Any]) -> None:
    for form in ("ndjson", "csv"):
        answer = cluster.http.get(f"/v1/exports/{first['id']}", params={"format": form})
        assert answer.status_code == 200, answer.text
    lines = cluster.http.get(f"/v1/exports/{first['id']}", params={"format": "ndjson"}).text.splitlines()
    assert len(lines) == first["counts"]["submitted"]


def test_flower_shows_workers_and_tasks(cluster: Cluster, first: dict[str, Any]) -> None:
    assert f'"{cluster.flower}' in cluster.http.get("/status").text.replace("'", '"')
    metrics = httpx.get(f"{cluster.flower}/metrics", timeout=10).text
    assert 'flower_events_total{task="samplemind.analyze"' in metrics or "samplemind.analyze" in metrics
    assert "flower_worker_online" in metrics
    assert httpx.get(f"{cluster.flower}/workers", timeout=10).status_code == 200
    ours = cluster.http.get("/metrics").text
    assert "samplemind_" in ours


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/v1/jobs", {"json": {"source": {"root": "library", "path": "../.."}}}, (403, 422)),
        ("POST", "/v1/jobs", {"json": {"source": {"root": "library", "path": "/etc"}}}, (403, 422)),
        ("POST", "/v1/jobs", {"json": {"source": {"root": "nowhere", "path": ""}}}, (404,)),
        ("POST", "/v1/jobs", {"json": {"source": {"root": "library", "path": "no/such/folder"}}}, (404,)),
        ("POST", "/v1/jobs", {"json": {"source": {"root": "library", "path": "", "pattern": "[z"}}}, (422,)),
        ("POST", "/v1/jobs", {"content": b"{", "headers": {"Content-Type": "application/json"}}, (400, 422)),
        ("POST", "/v1/jobs", {"json": {"source": {"root": "library"}, "priority": "yesterday"}}, (422,)),
        ("GET", "/v1/jobs/no-such-job", {}, (404,)),
        ("GET", "/v1/jobs?cursor=%00%ff", {}, (400, 422)),
        ("GET", "/v1/samples?cursor=abc", {}, (400, 422)),
        ("GET", "/v1/samples?bpm=fast", {}, (422,)),
        ("GET", "/v1/samples?limit=-1", {}, (422,)),
        ("GET", "/v1/samples/no-such-sample", {}, (404,)),
        ("POST", "/v1/search", {"json": {"like": {"sample": "no-such-sample"}}}, (404,)),
        ("GET", "/v1/exports/no-such-job", {}, (404,)),
        ("GET", "/no/such/page", {}, (404,)),
        ("PATCH", "/v1/jobs", {}, (405,)),
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_gets_a_problem(
    cluster: Cluster, method: str, path: str, more: dict[str, Any], status: tuple[int, ...]
) -> None:
    answer = cluster.http.request(method, path, **more)
    assert answer.status_code in status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["status"] == answer.status_code


@pytest.mark.skipif(not Path("/proc").exists(), reason="affinity is read from /proc")
def test_each_worker_is_pinned_to_one_core(cluster: Cluster) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core only: nothing to tell apart")
    cores = {frozenset(process.cpu_affinity()) for process in cluster.processes("decode_process")}
    assert cores
    assert all(len(core) == 1 for core in cores)
