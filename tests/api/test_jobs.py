"""Jobs over a folder: in, watched, cancelled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from stores.records import JobState, Priority
from tests.api.gateway import Gateway, counts, done, failed
from workers.errors import StoreUnavailable


def library(gateway: Gateway) -> Path:
    return gateway.settings.roots["library"]


def test_a_folder_is_accepted_and_its_scan_is_asked_for(gateway: Gateway) -> None:
    (library(gateway) / "drums").mkdir()
    answer = gateway.client.post(
        "/v1/jobs", json={"source": {"root": "library", "path": "drums", "pattern": "**/*.wav"}, "priority": "bulk"}
    )
    assert answer.status_code == 202
    said = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{said['id']}" == said["links"]["self"]
    assert (said["state"], said["priority"], said["label"]) == ("scanning", "bulk", "library/drums")
    assert said["source"] == {"root": "library", "path": "drums", "pattern": "**/*.wav", "rescan": False}
    assert gateway.sent.scans == [said["id"]]


def test_a_broker_that_is_down_does_not_stop_a_job(gateway: Gateway) -> None:
    gateway.sent.down = True
    job = gateway.submit()
    assert gateway.stores.ledger.idle_scans() == [job["id"]]


def test_no_202_without_the_ledger(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(gateway.stores.ledger, "create_job", away)
    answer = gateway.client.post("/v1/jobs", json={"source": {"root": "library"}})
    assert answer.status_code == 503
    assert gateway.sent.scans == []


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ({"root": "nowhere"}, 404, "not_found"),
        ({"root": "library", "path": "missing"}, 404, "not_found"),
        ({"root": "library", "path": "file.wav/below"}, 404, "not_found"),
        ({"root": "library", "path": "../library"}, 422, "invalid_request"),
        ({"root": "library", "path": "a/../b"}, 422, "invalid_request"),
        ({"root": "library", "path": "./a"}, 422, "invalid_request"),
        ({"root": "library", "path": "a//b"}, 422, "invalid_request"),
        ({"root": "library", "path": "/etc"}, 422, "invalid_request"),
        ({"root": "library", "path": "a\0b"}, 422, "invalid_request"),
        ({"root": "library", "path": "x" * 5000}, 422, "invalid_request"),
        ({"root": "library", "path": "y" * 300}, 404, "not_found"),
        ({"root": "library", "path": "out"}, 403, "outside_root"),
        ({"root": "library", "path": "loop"}, 409, "symlink_loop"),
        ({"root": "library", "path": "pipe"}, 409, "not_a_regular_file"),
        ({"root": "library", "pattern": "[z"}, 422, "bad_pattern"),
        ({"root": "library", "pattern": ""}, 422, "bad_pattern"),
        ({"root": "library", "pattern": "../*"}, 422, "bad_pattern"),
        ({"root": "library", "colour": "red"}, 422, "invalid_request"),
        ({"root": 7}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(
    gateway: Gateway, source: dict[str, object], status: int, code: str
) -> None:
    top = library(gateway)
    (top / "file.wav").write_bytes(b"RIFF")
    (top / "out").symlink_to(top.parent)
    (top / "loop").symlink_to("loop")
    os.mkfifo(top / "pipe")
    answer = gateway.client.post("/v1/jobs", json={"source": source})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert gateway.client.get("/v1/jobs").json()["items"] == []


def test_nothing_of_the_disk_is_told_in_a_refusal(gateway: Gateway) -> None:
    answer = gateway.client.post("/v1/jobs", json={"source": {"root": "library", "path": "missing"}})
    assert str(library(gateway)) not in answer.text


def test_a_link_within_the_root_is_walked_where_it_leads(gateway: Gateway) -> None:
    (library(gateway) / "real").mkdir()
    (library(gateway) / "alias").symlink_to("real")
    job = gateway.submit("alias")
    assert job["source"]["path"] == "real"
    assert job["label"] == "library/alias"


def test_a_single_file_is_a_job_of_one(gateway: Gateway) -> None:
    (library(gateway) / "kick.wav").write_bytes(b"RIFF")
    job = gateway.submit("kick.wav", priority="interactive")
    assert (job["state"], counts(job), job["source"]) == ("running", {"submitted": 1, "pending": 1}, None)
    assert gateway.client.get(job["links"]["files"]).json()["items"][0]["path"] == "kick.wav"
    assert [priority for priority, _ in gateway.sent.chunk_ids] == [Priority.INTERACTIVE]
    assert gateway.stores.ledger.unfed(job["id"], 5) == []


def test_the_same_key_and_request_give_the_same_job(gateway: Gateway) -> None:
    headers = {"Idempotency-Key": "abc"}
    body = {"source": {"root": "library"}}
    first, again = (gateway.client.post("/v1/jobs", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["location"] == again.headers["location"]
    other = gateway.client.post("/v1/jobs", json={**body, "priority": "bulk"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(gateway.client.get("/v1/jobs").json()["items"]) == 1


def test_a_single_file_too_is_made_once(gateway: Gateway) -> None:
    (library(gateway) / "kick.wav").write_bytes(b"RIFF")
    body = {"source": {"root": "library", "path": "kick.wav"}}
    answers = [gateway.client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert counts(answers[-1].json()) == {"submitted": 1, "pending": 1}


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x7fb", "\xe4"])
def test_a_key_that_is_none_is_refused(gateway: Gateway, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1")), (b"content-type", b"application/json")]
    answer = gateway.client.post("/v1/jobs", content=b'{"source": {"root": "library"}}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_idempotency_key")


def test_other_media_types_are_refused(gateway: Gateway) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = gateway.client.post("/v1/jobs", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind


def test_counts_and_files_tell_how_each_ended(gateway: Gateway) -> None:
    one = gateway.sample("kick.wav")
    job = gateway.folder_job({"kick.wav": done(one), "readme.txt": failed(), "b.wav": failed("empty_file", "Empty.")})
    said = gateway.client.get(f"/v1/jobs/{job.id}").json()
    assert (said["state"], counts(said)) == ("complete", {"submitted": 3, "done": 1, "failed": 2})
    assert said["finished_at"].endswith("Z")
    rows = gateway.client.get(f"/v1/jobs/{job.id}/files").json()
    assert rows["next"] is None
    assert rows["items"][0] == {
        "index": 0,
        "path": "kick.wav",
        "root": "library",
        "status": "done",
        "reason": None,
        "sample_id": one,
    }
    assert rows["items"][2]["reason"] == {"code": "empty_file", "message": "Empty."}


def test_files_come_by_status_and_in_pages(gateway: Gateway) -> None:
    job = gateway.folder_job({f"{n}.wav": failed() if n % 2 else done("x") for n in range(7)})
    seen: list[int] = []
    cursor = ""
    while True:
        answer = gateway.client.get(f"/v1/jobs/{job.id}/files?status=failed&limit=2&cursor={cursor}").json()
        seen += [row["index"] for row in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == [1, 3, 5]
    other = gateway.folder_job({"a.wav": failed()})
    page = gateway.client.get(f"/v1/jobs/{job.id}/files?limit=2").json()["next"]
    refused = gateway.client.get(f"/v1/jobs/{other.id}/files?cursor={page}")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_cursor")


def test_jobs_come_newest_first_and_in_pages(gateway: Gateway) -> None:
    ids = [gateway.submit()["id"] for _ in range(3)]
    first = gateway.client.get("/v1/jobs?limit=2").json()
    assert len(first["items"]) == 2
    rest = gateway.client.get("/v1/jobs", params={"limit": 2, "cursor": first["next"]}).json()
    assert {job["id"] for job in first["items"] + rest["items"]} == set(ids)
    assert rest["next"] is None


def test_a_cancelled_job_skips_what_was_not_started(gateway: Gateway) -> None:
    (library(gateway) / "kick.wav").write_bytes(b"RIFF")
    job = gateway.submit("kick.wav")
    answer = gateway.client.delete(job["links"]["self"])
    assert answer.status_code == 202
    assert answer.json()["cancel_requested"]
    gateway.stores.ledger.sweep_cancelled(job["id"], 10)
    assert gateway.stores.ledger.finish_job(job["id"]) is JobState.CANCELLED
    row = gateway.client.get(job["links"]["files"]).json()["items"][0]
    assert (row["status"], row["reason"]["code"]) == ("skipped", "cancelled")


def test_cancelling_what_has_ended_changes_nothing(gateway: Gateway) -> None:
    job = gateway.folder_job({"a.wav": failed()})
    before = gateway.client.get(f"/v1/jobs/{job.id}").json()
    answer = gateway.client.delete(f"/v1/jobs/{job.id}")
    assert answer.status_code == 200
    assert answer.json() == before


def test_what_an_older_analyser_said_is_asked_for_once(gateway: Gateway) -> None:
    first = gateway.client.post("/v1/recompute")
    assert (first.status_code, first.json()["state"]) == (202, "scanning")
    assert (first.json()["priority"], first.json()["source"]) == ("bulk", None)
    assert first.headers["Location"] == f"/v1/jobs/{first.json()['id']}"
    again = gateway.client.post("/v1/recompute")
    assert again.json()["id"] == first.json()["id"]
    gateway.client.delete(f"/v1/jobs/{first.json()['id']}")
    assert gateway.client.post("/v1/recompute").json()["id"] != first.json()["id"]


def test_a_rescan_is_another_request_than_a_scan(gateway: Gateway) -> None:
    headers = {"Idempotency-Key": "the same"}
    body: dict[str, Any] = {"source": {"root": "library", "rescan": True}}
    job = gateway.client.post("/v1/jobs", json=body, headers=headers).json()
    assert job["source"]["rescan"] is True
    assert gateway.client.post("/v1/jobs", json={"source": {"root": "library"}}, headers=headers).status_code == 422
