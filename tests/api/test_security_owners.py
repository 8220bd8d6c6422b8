"""One owner never sees another's: every route of the live description is asked with a foreign key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stores.records import FileRef
from tests.api.gateway import Gateway, done, failed, make_gateway
from tests.api.gateway import sample as make_sample

NDJSON = "application/x-ndjson"
METHODS = ("get", "post", "put", "patch", "delete", "head")


@dataclass
class Theirs:
    """What belongs to ann, and the keys of three people."""

    gateway: Gateway
    ids: Mapping[str, str]
    """What each parameter of a path is for something of hers."""
    traces: tuple[str, ...]
    """Texts that stand in no answer to anybody else."""
    ann: dict[str, str]
    bob: dict[str, str]
    admin: dict[str, str]
    upload: str

    def ask(self, who: dict[str, str], method: str, path: str, **more: Any) -> Any:
        """One request."""
        return self.gateway.client.request(method, path, headers={**who, **more.pop("headers", {})}, **more)


def key_of(gateway: Gateway, owner: str, scope: str) -> dict[str, str]:
    _, secret = gateway.stores.keys.create(name=f"key of {owner}", owner=owner, scopes=[scope], ttl_s=None)
    gateway.app.state.parts.gate.forget()
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Theirs]:
    """Ann has a job with a sample and a broken file, an upload, a key; bob has nothing."""
    gateway = make_gateway(tmp_path)
    (tmp_path / "library" / "anns-riff.wav").write_bytes(b"RIFF of ann's")
    with gateway.client:
        ann, bob = key_of(gateway, "ann", "write"), key_of(gateway, "bob", "write")
        admin = key_of(gateway, "root", "admin")
        made = make_sample("anns-riff.wav", owner="ann")
        gateway.client.headers.update(ann)
        job = gateway.folder_job({"anns-riff.wav": done(made.id), "anns-broken.wav": failed()}).id
        del gateway.client.headers["Authorization"]
        gateway.stores.samples.insert([made])
        gateway.stores.samples.seen_at([(made.id, made.file)])
        gateway.index()
        url = "/v1/uploads?name=anns-upload.wav"
        upload = gateway.client.post(url, content=b"RIFF uploaded", headers=ann).json()
        more = {"Upload-Length": "9", "Upload-Metadata": "filename YW5ucy1zZWNyZXQud2F2"}
        begun = gateway.client.post("/v1/uploads/resumable", headers={**ann, **more}).json()["id"]
        key = next(one.id for one in gateway.stores.keys.list() if one.owner == "ann")
        yield Theirs(
            gateway,
            {
                "job_id": job,
                "sample_id": made.id,
                "key_id": key,
                "name": "uploads",
                "file_id": f"{job}.0.0.1",
                "upload_id": begun,
            },
            (job, made.id, made.content, upload["job"]["id"], upload["sha256"], "anns-", '"ann"'),
            ann,
            bob,
            admin,
            upload["path"],
        )


def operations(gateway: Gateway) -> list[tuple[str, str]]:
    """(method, path) of every operation of the live description."""
    paths = gateway.client.get("/openapi.json").json()["paths"]
    return [(method, path) for path, said in paths.items() for method in METHODS if method in said]


def bodies(theirs: Theirs) -> dict[tuple[str, str], dict[str, Any]]:
    """What an operation without a parameter in its path is asked, so that it could give something away."""
    upload = {"root": "uploads", "path": theirs.upload}
    sha256 = theirs.upload.split("/")[1]
    return {
        ("post", "/v1/jobs"): {"json": {"source": upload}},
        ("post", "/v1/uploads"): {"params": {"name": "mine.wav"}, "content": b"RIFF of bob's"},
        ("patch", "/v1/uploads/resumable/{upload_id}"): {
            "headers": {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
            "content": b"of bob's",
        },
        ("post", "/v1/uploads/check"): {"json": {"sha256": [sha256, theirs.ids["sample_id"].split("-")[0]]}},
        ("post", "/v1/search"): {"json": {"like": {"vector": [1.0] * 128}, "limit": 100}},
        ("put", "/v1/samples/{sample_id}/mark"): {"json": {"tags": ["seen"]}},
        ("post", "/v1/keys"): {"json": {"name": "mine", "scopes": ["admin"], "owner": "ann"}},
    }


HIS_OWN = ("/v1/searches/{name}", "/v1/searches/{name}/results")
"""Names of these are each owner's own: what he keeps or asks for under hers is his."""


def test_every_route_is_closed_to_a_foreign_key(theirs: Theirs) -> None:
    asked = 0
    for method, template in operations(theirs.gateway):
        if not template.startswith("/v1"):
            continue
        path = template.format(**theirs.ids)
        more = bodies(theirs).get((method, template), {})
        answer = theirs.ask(theirs.bob, method, path, **more)
        if "{" in template and template not in HIS_OWN:
            assert answer.status_code in (403, 404), (method, template, answer.status_code, answer.text[:300])
        assert answer.status_code < 500, (method, template)
        body = "" if template == "/v1/uploads/check" else answer.text  # which repeats what it was asked
        found = [trace for trace in theirs.traces if trace in body]
        assert not found, (method, template, found, answer.text[:300])
        asked += 1
    assert asked >= 15


def test_her_own_key_opens_what_the_foreign_one_did_not(theirs: Theirs) -> None:
    opened = 0
    for method, template in operations(theirs.gateway):
        if method == "get" and any(name in template for name in ("{job_id}", "{sample_id}", "{file_id}")):
            answer = theirs.ask(theirs.ann, method, template.format(**theirs.ids))
            assert answer.status_code == 200, (template, answer.text[:200])
            opened += 1
    assert opened >= 7


def test_no_route_answers_without_a_key_once_there_is_one(theirs: Theirs) -> None:
    for method, template in operations(theirs.gateway):
        if template.startswith("/v1"):
            answer = theirs.gateway.client.request(method, template.format(**theirs.ids))
            assert answer.status_code == 401, (method, template)


def test_what_it_is_like_is_not_told_of_a_foreign_sample(theirs: Theirs) -> None:
    body = {"like": {"sample": theirs.ids["sample_id"]}}
    assert theirs.ask(theirs.bob, "POST", "/v1/search", json=body).status_code == 404
    assert theirs.ask(theirs.ann, "POST", "/v1/search", json=body).status_code == 200


def test_to_know_a_hash_is_not_to_have_the_sound(theirs: Theirs) -> None:
    first, sha256, _ = theirs.upload.split("/")
    for path in ("", first, f"{first}/{sha256}", theirs.upload, ".incoming", ".owners"):
        body = {"source": {"root": "uploads", "path": path}}
        assert theirs.ask(theirs.bob, "POST", "/v1/jobs", json=body).status_code == 403, path
        listed = theirs.ask(theirs.bob, "GET", "/v1/roots/uploads/folders", params={"path": path})
        assert listed.status_code == 403, path
    line = json.dumps({"root": "uploads", "path": theirs.upload})
    manifest = {"content": line, "headers": {"Content-Type": NDJSON}}
    assert theirs.ask(theirs.bob, "POST", "/v1/jobs", **manifest).status_code == 422
    assert theirs.ask(theirs.ann, "POST", "/v1/jobs", **manifest).status_code == 202
    checked = {"json": {"sha256": [sha256]}}
    assert theirs.ask(theirs.bob, "POST", "/v1/uploads/check", **checked).json()["missing"] == [sha256]
    assert theirs.ask(theirs.ann, "POST", "/v1/uploads/check", **checked).json()["missing"] == []
    for who in (theirs.ann, theirs.admin):
        body = {"source": {"root": "uploads", "path": theirs.upload}}
        assert theirs.ask(who, "POST", "/v1/jobs", json=body).status_code == 202


def test_who_sends_the_same_sound_gets_it_under_their_own_name_alone(theirs: Theirs) -> None:
    url = "/v1/uploads?name=mine.wav"
    mine = theirs.ask(theirs.bob, "POST", url, content=b"RIFF uploaded").json()
    assert (mine["path"].rsplit("/", 1)[1], mine["known"]) == ("mine.wav", False)
    body = {"source": {"root": "uploads", "path": mine["path"]}}
    assert theirs.ask(theirs.bob, "POST", "/v1/jobs", json=body).status_code == 202
    body["source"]["path"] = theirs.upload
    assert theirs.ask(theirs.bob, "POST", "/v1/jobs", json=body).status_code == 403


def test_a_sound_of_two_owners_shows_each_their_own_places(theirs: Theirs) -> None:
    sample = theirs.ids["sample_id"]
    theirs.gateway.stores.samples.seen_at([(sample, FileRef("library", "bobs-copy.wav"))], owner="bob")
    said = theirs.ask(theirs.bob, "GET", f"/v1/samples/{sample}").json()
    assert [file["path"] for file in said["files"]] == ["bobs-copy.wav"]
    body = {"like": {"vector": [1.0] * 128}, "where": {"kind": "loop"}}
    found = theirs.ask(theirs.bob, "POST", "/v1/search", json=body)
    assert [file["path"] for hit in found.json()["items"] for file in hit["sample"]["files"]] == ["bobs-copy.wav"]


def test_the_clusters_own_folder_below_a_root_is_no_library(tmp_path: Path) -> None:
    hidden = tmp_path / "library" / ".samplemind"
    gateway = make_gateway(tmp_path, data_dir=hidden)
    (hidden / "secrets").mkdir(parents=True)
    (hidden / "secrets" / "redis").write_text("a secret")
    (tmp_path / "library" / "way in").symlink_to(hidden)
    with gateway.client as client:
        for path in (".samplemind", ".samplemind/secrets", ".samplemind/secrets/redis", "way in", "way in/secrets"):
            answer = client.post("/v1/jobs", json={"source": {"root": "library", "path": path}})
            assert answer.status_code == 403, (path, answer.text)
        line = json.dumps({"root": "library", "path": ".samplemind/secrets/redis"})
        assert client.post("/v1/jobs", content=line, headers={"Content-Type": NDJSON}).status_code == 422
        assert client.post("/v1/jobs", json={"source": {"root": "library", "path": ""}}).status_code == 202
