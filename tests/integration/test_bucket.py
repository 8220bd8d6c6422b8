"""A library in an S3-compatible store, through every component; and what its server's death does to a job."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.proxy import Proxy
from tests.integration.cluster import Cluster
from tests.integration.conftest import PACKS
from tests.integration.material import make_short_files
from tests.integration.waiting import wait_for
from tests.s3 import make, put
from tests.servers import PROJECT, Server

pytestmark = pytest.mark.integration

FILES = 160


@pytest.fixture(scope="module")
def objects(store: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is in the bucket, by key: short sounds, one thing that is none, and one twice."""
    folder = tmp_path_factory.mktemp("packs")
    make_short_files(folder, FILES)
    sounds = sorted(file for file in folder.rglob("*") if file.is_file())
    found = {f"{PACKS}/pack/{file.relative_to(folder)}": file.read_bytes() for file in sounds}
    found |= {f"{PACKS}/pack/read me.wav": b"no sound", f"{PACKS}/a//odd key.wav": next(iter(found.values()))}
    make(store.url, PACKS, found)
    return found


def submitted(cluster: Cluster, *more: str) -> str:
    """The id of a job over the bucket, submitted as a user does."""
    command = [sys.executable, "-m", "cli", "submit", f"s3://{PACKS}/{PACKS}", "--data-dir", str(cluster.data_dir)]
    run = subprocess.run([*command, *more], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.fixture(scope="module")
def first(cluster: Cluster, store: Server, link: Proxy, objects: dict[str, bytes]) -> dict[str, Any]:
    """A job in the middle of which the server dies, is unreachable, and comes back."""
    job_id = submitted(cluster)
    wait_for(lambda: 0 < cluster.job(job_id)["counts"]["pending"] < FILES, 60)
    link.reset()
    store.kill()
    said = cluster.http.get("/v1/roots").json()["items"]
    assert {"name": PACKS, "available": False} in said
    refused = cluster.http.post("/v1/jobs", json={"source": {"root": PACKS, "path": "pack"}})
    assert (refused.status_code, refused.json()["code"]) == (503, "bucket_away")
    store.start()
    make(store.url, PACKS, objects)
    link.heal()
    return cluster.wait_job(job_id)


def test_nothing_is_lost_and_no_file_is_blamed_for_the_server(
    cluster: Cluster, first: dict[str, Any], objects: dict[str, bytes]
) -> None:
    rows = cluster.files(first["id"])
    assert first["state"] == "complete"
    assert sorted(f"{PACKS}/{row['path']}" for row in rows) == sorted(objects)
    failed = {row["path"]: row["reason"]["code"] for row in rows if not row["sample_id"]}
    assert failed == {"pack/read me.wav": "not_audio"}
    assert first["counts"]["duplicate"] == 1


def test_a_sound_in_a_bucket_is_heard_whole_and_in_part(
    cluster: Cluster, first: dict[str, Any], objects: dict[str, bytes]
) -> None:
    row = next(row for row in cluster.files(first["id"]) if row["status"] == "done")
    content, url = objects[f"{PACKS}/{row['path']}"], f"/v1/samples/{row['sample_id']}/audio"
    whole = cluster.http.get(url)
    assert (whole.status_code, whole.content, whole.headers["Content-Type"]) == (200, content, "audio/wav")
    part = cluster.http.get(url, headers={"Range": "bytes=100-199", "If-Range": whole.headers["ETag"]})
    assert (part.status_code, part.content) == (206, content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    assert cluster.http.get(url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    head = cluster.http.head(url)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(content)), b"")
    decoded = cluster.http.get(url, params={"format": "wav"})
    assert (decoded.status_code, decoded.content[:4]) == (200, b"RIFF")


def test_a_rescan_takes_what_is_new(
    cluster: Cluster, first: dict[str, Any], store: Server, objects: dict[str, bytes]
) -> None:
    before = cluster.wait_job(submitted(cluster))  # its server began anew meanwhile: with new times
    assert before["counts"]["reused"] == FILES + 1
    put(store.url, PACKS, {f"{PACKS}/pack/new.wav": b"RIFF nothing"})
    again = cluster.wait_job(submitted(cluster, "--rescan"))
    assert again["counts"] == {**before["counts"], "submitted": FILES + 3, "failed": before["counts"]["failed"] + 1}
    folders = cluster.http.get(f"/v1/roots/{PACKS}/folders").json()
    assert [each["name"] for each in folders["items"]] == ["a", "pack"]


def test_a_folder_that_is_none_is_refused_and_one_object_is_a_job(cluster: Cluster, first: dict[str, Any]) -> None:
    def post(path: str) -> tuple[int, dict[str, Any]]:
        answer = cluster.http.post("/v1/jobs", json={"source": {"root": PACKS, "path": path}})
        return answer.status_code, answer.json()

    assert post("pac")[0] == 404
    status, job = post(cluster.files(first["id"])[0]["path"].replace("a//odd key.wav", "pack/read me.wav"))
    assert status == 202
    assert cluster.wait_job(job["id"])["counts"]["submitted"] == 1


def test_nothing_is_written_into_a_bucket(cluster: Cluster, first: dict[str, Any]) -> None:
    for words in (["tag", f"s3://{PACKS}/x.wav"], ["analyze", "s3://packs/x.wav"]):
        run = subprocess.run([sys.executable, "-m", "cli", *words], cwd=PROJECT, capture_output=True, text=True)
        assert run.returncode == 2
        assert "nothing is written there" in run.stderr
    answer = cluster.http.post("/v1/uploads", params={"name": "x.wav", "root": PACKS}, content=b"x")
    assert answer.status_code in (403, 404, 422), answer.text


def test_the_secret_is_in_no_log_and_in_no_answer(cluster: Cluster, first: dict[str, Any], store: Server) -> None:
    secret = b"never-in-a-log"
    logs = [file for file in cluster.data_dir.rglob("*.log") if file.is_file()]
    assert logs
    assert not [file for file in [*logs, Path(cluster.log.name)] if secret in file.read_bytes()]
    assert secret.decode() not in cluster.http.get(f"/v1/jobs/{first['id']}").text
