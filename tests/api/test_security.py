"""Keys, scopes and owners; hosts and origins."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.browser import Hosts, bare_host
from api.security import Gate, is_loopback
from stores.memory import ManualClock, MemoryStores
from tests.api.gateway import Gateway, make_gateway
from tests.api.gateway import sample as make_sample


def key_for(gateway: Gateway, *scopes: str, owner: str = "ann") -> dict[str, str]:
    """Headers with a new key."""
    _, secret = gateway.stores.keys.create(name="test", owner=owner, scopes=scopes, ttl_s=None)
    gateway.app.state.parts.gate.forget()
    return {"Authorization": f"Bearer {secret}"}


def test_on_loopback_without_any_key_none_is_asked_for(gateway: Gateway) -> None:
    assert gateway.client.get("/v1/jobs").status_code == 200


def test_from_the_first_key_on_every_request_needs_one(gateway: Gateway) -> None:
    headers = key_for(gateway, "read")
    answer = gateway.client.get("/v1/jobs")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert gateway.client.get("/v1/jobs", headers=headers).status_code == 200


def test_the_key_may_come_in_its_own_header(gateway: Gateway) -> None:
    secret = key_for(gateway, "read")["Authorization"].split()[1]
    assert gateway.client.get("/v1/jobs", headers={"X-API-Key": secret}).status_code == 200


@pytest.mark.parametrize("secret", ["sm_wrong", "x" * 5000, "sm_abc_" + "0" * 64, "\xff", "  "])
def test_a_wrong_key_is_refused_even_where_none_is_needed(gateway: Gateway, secret: str) -> None:
    answer = gateway.client.get("/v1/jobs", headers=[(b"x-api-key", secret.encode("latin-1"))])
    assert answer.status_code in (401, 200) if not secret.strip() else answer.status_code == 401


def test_health_readiness_and_pages_need_no_key(gateway: Gateway) -> None:
    key_for(gateway, "read")
    for path in ("/health", "/", "/docs", "/openapi.json", "/metrics"):
        assert gateway.client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("read", "GET", "/v1/jobs", True),
        ("read", "POST", "/v1/jobs", False),
        ("read", "DELETE", "/v1/jobs/x", False),
        ("read", "POST", "/v1/uploads?name=a.wav", False),
        ("write", "GET", "/v1/jobs", True),
        ("write", "DELETE", "/v1/jobs/x", True),
        ("write", "GET", "/v1/keys", False),
        ("admin", "GET", "/v1/keys", True),
        ("admin", "GET", "/v1/jobs", True),
    ],
)
def test_a_scope_opens_what_it_should(gateway: Gateway, scope: str, method: str, path: str, allowed: bool) -> None:
    answer = gateway.client.request(method, path, headers=key_for(gateway, scope))
    assert (answer.status_code != 403) is allowed
    if not allowed:
        assert answer.json()["code"] == "missing_scope"


def test_an_owner_sees_only_their_own(gateway: Gateway) -> None:
    ann, bob = key_for(gateway, "write", owner="ann"), key_for(gateway, "write", owner="bob")
    body = {"source": {"root": "library"}}
    job = gateway.client.post("/v1/jobs", json=body, headers=ann).json()
    made = make_sample("kick.wav", owner="ann")
    gateway.stores.samples.insert([made])
    gateway.stores.samples.seen_at([("ann", made.file)])
    for path in (
        f"/v1/jobs/{job['id']}",
        f"/v1/jobs/{job['id']}/files",
        f"/v1/jobs/{job['id']}/events",
        f"/v1/exports/{job['id']}",
        f"/v1/samples/{made.id}",
        f"/v1/samples/{made.id}/audio",
        f"/v1/samples/{made.id}/waveform",
        f"/v1/samples/{made.id}/spectrogram",
    ):
        assert gateway.client.get(path, headers=bob).status_code == 404, path
    assert gateway.client.delete(f"/v1/jobs/{job['id']}", headers=bob).status_code == 404
    assert gateway.client.get("/v1/jobs", headers=bob).json()["items"] == []
    assert gateway.client.get("/v1/samples", headers=bob).json()["items"] == []
    assert gateway.client.get(f"/v1/jobs/{job['id']}", headers=ann).status_code == 200
    assert gateway.client.get(f"/v1/samples/{made.id}", headers=ann).status_code == 200


def test_an_admin_sees_everybodys(gateway: Gateway) -> None:
    ann, admin = key_for(gateway, "write", owner="ann"), key_for(gateway, "admin", owner="root")
    job = gateway.client.post("/v1/jobs", json={"source": {"root": "library"}}, headers=ann).json()
    assert gateway.client.get(f"/v1/jobs/{job['id']}", headers=admin).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_passes_on_is_not_at_this_machine(gateway: Gateway, header: str) -> None:
    assert gateway.client.get("/v1/jobs", headers={header: "203.0.113.9"}).status_code == 401


def test_a_stranger_needs_a_key_wherever_the_gateway_listens(tmp_path: Path) -> None:
    stranger = make_gateway(tmp_path, client=("203.0.113.9", 5))
    assert stranger.client.get("/v1/jobs").status_code == 401
    (tmp_path / "b").mkdir()
    open_door = make_gateway(tmp_path / "b", host="0.0.0.0")
    assert open_door.client.get("/v1/jobs").status_code == 401


def test_whether_a_key_exists_is_asked_at_most_once_a_second() -> None:
    stores, clock = MemoryStores(), ManualClock()
    gate = Gate(stores.keys, "127.0.0.1", clock)
    assert not gate.keys_exist()
    stores.keys.create(name="a", owner="a", scopes=["read"], ttl_s=None)
    clock.advance(0.9)
    assert not gate.keys_exist()
    clock.advance(0.2)
    assert gate.keys_exist()


def test_many_who_come_at_once_ask_together_whether_a_key_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    stores, asked, together = MemoryStores(), [0], threading.Barrier(20)
    gate = Gate(stores.keys, "127.0.0.1")

    def slow() -> bool:
        asked[0] += 1
        threading.Event().wait(0.2)
        return True

    def come() -> bool:
        together.wait(30)
        return gate.keys_exist()

    monkeypatch.setattr(stores.keys, "any", slow)
    with ThreadPoolExecutor(20) as callers:
        assert all(answer.result() for answer in [callers.submit(come) for _ in range(20)])
    assert asked[0] <= 2, "those who came during the first question share the second"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("127.0.0.1:8000", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8000", True),
        ("music.example", True),
        ("music.example.:443", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("music.example@evil.example", False),
        ("10.0.0.1", False),
        ("", False),
        ("[::1", False),
        ("localhost:port", False),
    ],
)
def test_hosts_that_are_ours(header: str, known: bool) -> None:
    assert Hosts("127.0.0.1", ["music.example"]).knows(header) is known


def test_listening_everywhere_any_address_will_do_but_no_name() -> None:
    hosts = Hosts("0.0.0.0")
    assert hosts.knows("10.0.0.1:8000")
    assert hosts.knows("[fd00::1]")
    assert not hosts.knows("rebound.example")
    assert bare_host("[fd00::1]:80") == "fd00::1"


def test_a_strange_host_is_misdirected(gateway: Gateway) -> None:
    answer = gateway.client.get("/v1/jobs", headers={"Host": "rebound.example"})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Origin": "http://127.0.0.1:8000"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8000"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_another_sites_page_changes_nothing(gateway: Gateway, headers: dict[str, str], allowed: bool) -> None:
    answer = gateway.client.post("/v1/jobs", json={"source": {"root": "library"}}, headers=headers)
    assert answer.status_code == (202 if allowed else 403)
    assert len(gateway.client.get("/v1/jobs").json()["items"]) == int(allowed)


@pytest.mark.parametrize(
    ("site", "mode", "dest", "allowed"),
    [
        ("cross-site", "no-cors", "audio", False),
        ("cross-site", "no-cors", "image", False),
        ("same-site", "cors", "empty", False),
        ("cross-site", "navigate", "iframe", False),
        ("cross-site", "navigate", "document", True),
        ("same-origin", "cors", "empty", True),
        ("none", "navigate", "document", True),
    ],
)
def test_another_sites_page_embeds_nothing(gateway: Gateway, site: str, mode: str, dest: str, allowed: bool) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    assert (gateway.client.get("/v1/jobs", headers=headers).status_code == 200) is allowed


def test_every_answer_carries_the_security_headers_and_no_cors(gateway: Gateway) -> None:
    for path in ("/health", "/v1/jobs", "/nope", "/"):
        headers = gateway.client.get(path, headers={"Origin": "https://evil.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not any(name.startswith("access-control") for name in headers)
