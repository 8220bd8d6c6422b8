"""What failed: listed by cause, shown with the command that reproduces it, tried again as a new job."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest

from api.reproduce import quoted, reproduce
from stores.records import Death, FileRef, Reason, Row, Status
from tests.api.gateway import Gateway

BROKEN = Row(Status.FAILED, reason=Reason("decode_failed", "The audio is damaged and could not be decoded."))
DEADLY = Row(Status.FAILED, reason=Reason("killed_worker", "It took a worker down. ended by SIGSEGV (3 times)."))
DONE = Row(Status.DONE, sample_id="a-sample")


def quarantine(gateway: Gateway, **query: Any) -> dict[str, Any]:
    answer = gateway.client.get("/v1/quarantine", params=query)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def retry(gateway: Gateway, status: int = 202, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    answer = gateway.client.post("/v1/quarantine/retry", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


def files_of(gateway: Gateway, job_id: str) -> list[str]:
    return [row["path"] for row in gateway.client.get(f"/v1/jobs/{job_id}/files").json()["items"]]


def test_nothing_failed(gateway: Gateway) -> None:
    gateway.folder_job({"a.wav": DONE})
    assert quarantine(gateway) == {"causes": [], "items": [], "next": None}


def test_what_failed_is_told_with_its_cause_and_the_command_that_shows_it(gateway: Gateway) -> None:
    job = gateway.folder_job({"a.wav": DONE, "b c.wav": BROKEN, "d.wav": BROKEN, "e.wav": DEADLY})
    said = quarantine(gateway, limit=2)
    assert [(cause["code"], cause["count"]) for cause in said["causes"]] == [("decode_failed", 2), ("killed_worker", 1)]
    first = said["items"][0]
    assert (first["job"], first["index"], first["root"], first["path"]) == (job.id, 1, "library", "b c.wav")
    assert first["reproduce"] == "./samplemind analyze -j 1 'library:b c.wav'"
    assert (first["attempts"], first["died_of"]) == (1, [])
    assert gateway.client.get(f"/v1/quarantine/{first['id']}").json() == first
    rest = quarantine(gateway, limit=2, cursor=said["next"])
    assert [item["path"] for item in rest["items"]] == ["e.wav"]
    assert (rest["causes"], rest["next"]) == (None, None)
    assert [item["path"] for item in quarantine(gateway, cause="killed_worker")["items"]] == ["e.wav"]
    assert gateway.client.get("/v1/quarantine/nonsense").status_code == 404


def test_what_killed_workers_is_told(gateway: Gateway) -> None:
    ledger = gateway.stores.ledger
    job = gateway.submit()["id"]
    scan = ledger.claim_scan(job, 30)
    assert scan is not None
    ledger.add_chunk(job, 0, 0, [FileRef("library", "a.wav")])
    ledger.finish_scan(job, scan.token)
    claim = ledger.claim_chunk(f"{job}:0", 30)
    assert claim is not None
    for attempt, of in enumerate(["ended by SIGSEGV", "", "ended by SIGSEGV"], 1):
        ledger.note_death(claim, attempt, Death(0, of))
    assert ledger.finish_chunk(claim, [DEADLY])
    (item,) = quarantine(gateway)["items"]
    assert item["attempts"] == 3
    assert item["died_of"] == ["ended by SIGSEGV", "its worker vanished", "ended by SIGSEGV"]


def test_a_cause_is_tried_again_as_a_job_of_exactly_those_files(gateway: Gateway) -> None:
    gateway.folder_job({"a.wav": DONE, "b.wav": BROKEN, "c.wav": DEADLY})
    gateway.folder_job({"d.wav": BROKEN})
    job = retry(gateway, cause="decode_failed")
    assert sorted(files_of(gateway, job["id"])) == ["b.wav", "d.wav"]
    assert (job["state"], job["label"], job["counts"]["submitted"]) == ("running", "quarantine: decode_failed", 2)
    assert [item["path"] for item in quarantine(gateway)["items"]] == ["c.wav"]
    assert gateway.sent.chunk_ids[-1][1].startswith(job["id"])
    retry(gateway, 404, cause="decode_failed")


def test_files_that_kill_workers_are_tried_again_each_alone(gateway: Gateway) -> None:
    gateway.folder_job({"a.wav": DEADLY, "b.wav": DEADLY, "c.wav": BROKEN, "d.wav": BROKEN})
    ids = [item["id"] for item in quarantine(gateway)["items"]]
    job = retry(gateway, files=ids)
    claims = [gateway.stores.ledger.claim_chunk(f"{job['id']}:{n}", 30) for n in range(3)]
    assert [[file.path for file in claim.files] for claim in claims if claim] == [
        ["a.wav"],
        ["b.wav"],
        ["c.wav", "d.wav"],
    ]


def test_what_fails_again_comes_back_with_the_new_job(gateway: Gateway) -> None:
    gateway.folder_job({"b.wav": BROKEN})
    job = retry(gateway, cause="decode_failed")
    claim = gateway.stores.ledger.claim_chunk(f"{job['id']}:0", 30)
    assert claim is not None
    assert gateway.stores.ledger.finish_chunk(claim, [BROKEN])
    (item,) = quarantine(gateway)["items"]
    assert item["job"] == job["id"]
    assert retry(gateway, cause="decode_failed")["id"] != job["id"]


def test_what_the_scan_refused_is_looked_at_anew(gateway: Gateway) -> None:
    ledger = gateway.stores.ledger
    job = gateway.submit()["id"]
    scan = ledger.claim_scan(job, 30)
    assert scan is not None
    ledger.add_chunk(job, 0, 0, [FileRef("library", "a.wav", reason=Reason("unreadable", "No."))])
    ledger.finish_scan(job, scan.token)
    gateway.end(job, [Row(Status.FAILED, reason=Reason("unreadable", "No."))])
    again = retry(gateway, cause="unreadable")
    claim = ledger.claim_chunk(f"{again['id']}:0", 30)
    assert claim is not None
    assert claim.files == (FileRef("library", "a.wav"),)


def test_asking_twice_makes_one_job(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.folder_job({"b.wav": BROKEN, "c.wav": BROKEN})
    ledger = gateway.stores.ledger
    with monkeypatch.context() as cut:  # the gateway died before it could say that these are tried again
        cut.setattr(ledger, "release", lambda *_: None)
        first = retry(gateway, cause="decode_failed")
    assert len(quarantine(gateway)["items"]) == 2
    assert retry(gateway, cause="decode_failed")["id"] == first["id"]
    assert quarantine(gateway)["items"] == []


def test_a_key_of_the_clients_own_gives_the_same_job_and_keeps_others(gateway: Gateway) -> None:
    gateway.folder_job({"b.wav": BROKEN})
    key = {"Idempotency-Key": "mine"}
    first = retry(gateway, headers=key, cause="decode_failed")
    gateway.folder_job({"c.wav": BROKEN})
    assert retry(gateway, headers=key, cause="decode_failed")["id"] == first["id"]
    assert [item["path"] for item in quarantine(gateway)["items"]] == ["c.wav"]
    retry(gateway, 422, headers=key, cause="decode_timeout")
    retry(gateway, 404, headers={"Idempotency-Key": "other"}, cause="decode_timeout")
    assert gateway.stores.ledger.drop_abandoned(0) == 0


@pytest.mark.parametrize(
    "body", [{}, {"cause": "a", "files": ["b"]}, {"files": []}, {"cause": ""}, {"files": ["x"] * 1001}, {"all": True}]
)
def test_a_request_that_makes_no_sense_is_refused(gateway: Gateway, body: dict[str, Any]) -> None:
    retry(gateway, 422, **body)


def test_owners_see_and_retry_their_own_only(gateway: Gateway) -> None:
    def key(name: str, *scopes: str) -> dict[str, str]:
        asked = {"name": name, "owner": name, "scopes": scopes}
        return {"X-API-Key": gateway.client.post("/v1/keys", json=asked, headers=admin).json()["secret"]}

    gateway.folder_job({"mine.wav": BROKEN})
    admin: dict[str, str] = {}
    admin = key("boss", "admin")
    ada, bob = key("local", "read", "write"), key("bob", "read", "write")
    client = gateway.client
    (item,) = client.get("/v1/quarantine", headers=ada).json()["items"]
    assert len(client.get("/v1/quarantine", headers=admin).json()["items"]) == 1
    assert client.get("/v1/quarantine", headers=bob).json() == {"causes": [], "items": [], "next": None}
    assert client.get(f"/v1/quarantine/{item['id']}", headers=bob).status_code == 404
    for who in (bob, admin):
        for body in ({"cause": "decode_failed"}, {"files": [item["id"]]}):
            assert client.post("/v1/quarantine/retry", json=body, headers=who).status_code == 404
    assert client.post("/v1/quarantine/retry", json={"cause": "decode_failed"}, headers=ada).status_code == 202


@pytest.mark.parametrize(
    "name",
    [
        b"kick.wav",
        b"a b'c\"d $HOME `x` \\.wav",
        b"new\nline.wav",
        b"\xff\xfe.wav",
        "\u00e9t\u00e9 \U0001f941.wav".encode(),
    ],
)
def test_the_command_names_exactly_the_file(name: bytes) -> None:
    word = quoted(name)
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True).stdout
    assert printed == name
    assert "\n" not in word


def test_a_name_that_is_no_text_is_named_by_its_bytes() -> None:
    shown = FileRef("library", "\\xff.wav", raw=b"\xff.wav")
    real = FileRef("library", "\\xff.wav")
    assert reproduce(shown) == "./samplemind analyze -j 1 $'library:\\xff.wav'"
    assert shlex.split(reproduce(real))[-1] == "library:\\xff.wav"
