"""No 500 ever, whatever comes in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.gateway import Gateway, failed, make_gateway

BODIES: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"0",
    b'"x"',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"source": {"root": "library", "path": "\xff\xfe"}}',
    b'{"source": {"root": "library", "path": "\\ud800"}}',
    b'{"source": {"root": "\\udfff"}}',
    b'{"source": {"root": "library", "pattern": "\\ud800*"}}',
    b'{"source": {"root": "library", "path": "\\u0000"}}',
    b'{"source": {"root": "library"}, "priority": 1e400}',
    b'{"like": {"sample": "\\ud800"}}',
    b'{"like": {"sample": "\\u0000"}}',
    b'{"like": {"sample": "x"}, "aspects": {"\\ud800": 1}}',
    b'{"like": {"vector": [' + b",".join([b"1"] * 128) + b']}, "aspects": {"\\ud800": 1}}',
    b'{"like": {"vector": [' + b",".join([b"1"] * 128) + b']}, "where": {"key": "\\ud800"}}',
    b'{"like": {"vector": [' + b"9" * 5000 + b"]}}",
    b'{"name": "\\ud800", "scopes": ["admin"]}',
    b'{"name": "a", "scopes": ["admin"], "ttl_s": 1e308}',
    b'{"sha256": ["\\ud800"]}',
    b'{"sha256": [' + b"9" * 10_000 + b"]}",
    b"\x00\x01\x02",
    '{"source": {"root": "library"}}'.encode("utf-16"),
]
PATHS = [
    "%00",
    "%ff%fe",
    "%ed%a0%80",
    "..%2f..",
    "$where",
    "{}",
    "x" * 3000,
    "%F0%9F%A5%81",
    "a%0d%0aSet-Cookie:x",
    "'",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_no_body_is_a_bug(gateway: Gateway, body: bytes) -> None:
    for path in ("/v1/jobs", "/v1/search", "/v1/keys", "/v1/uploads/check"):
        for kind in ("application/json", "application/x-ndjson", "application/json; charset=utf-16", "text/plain"):
            answer = gateway.client.post(path, content=body, headers={"Content-Type": kind})
            assert 400 <= answer.status_code < 500, (path, kind, answer.status_code, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("odd", PATHS)
def test_no_address_is_a_bug(gateway: Gateway, odd: str) -> None:
    for method, path in (
        ("GET", "/v1/jobs/{}"),
        ("GET", "/v1/jobs/{}/files"),
        ("GET", "/v1/jobs/{}/events"),
        ("DELETE", "/v1/jobs/{}"),
        ("GET", "/v1/samples/{}"),
        ("GET", "/v1/samples/{}/audio"),
        ("GET", "/v1/samples/{}/waveform"),
        ("GET", "/v1/samples/{}/spectrogram"),
        ("GET", "/v1/exports/{}"),
        ("GET", "/v1/roots/{}/folders"),
        ("DELETE", "/v1/keys/{}"),
        ("GET", "/{}"),
    ):
        answer = gateway.client.request(method, path.format(odd))
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("odd", [*PATHS, "-1", "0", "1e9", "9" * 400, "NaN", "AAAA", "eyJ9", "W10", "true"])
def test_no_query_is_a_bug(gateway: Gateway, odd: str) -> None:
    gateway.sample("a.wav")
    job = gateway.submit()["id"]
    names = {
        "/v1/jobs": ("cursor", "limit", "odd"),
        f"/v1/jobs/{job}/files": ("cursor", "limit", "status"),
        "/v1/samples": ("cursor", "limit", "bpm", "duration", "key", "camelot", "kind", "note", "text", "defect", odd),
        f"/v1/exports/{job}": ("format",),
        "/v1/roots/library/folders": ("path", "limit"),
    }
    for path, fields in names.items():
        for field in fields:
            answer = gateway.client.get(f"{path}?{field}={odd}")
            assert answer.status_code < 500, (path, field, answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
    answer = gateway.client.post(f"/v1/uploads?name={odd}&sha256={odd}", content=b"x")
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"\xff\xfe")],
        [(b"authorization", b"Bearer " + b"x" * 5000)],
        [(b"x-api-key", b"sm_\xff_\xff")],
        [(b"idempotency-key", b"\xff")],
        [(b"last-event-id", b"\xff\x01")],
        [(b"range", b"\xff")],
        [(b"content-type", b"\xff")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"\xb2")],
        [(b"content-length", b"9" * 100)],
        [(b"host", b"a"), (b"host", b"127.0.0.1")],
    ],
)
def test_no_header_is_a_bug(gateway: Gateway, headers: list[tuple[bytes, bytes]]) -> None:
    job = gateway.folder_job({"a.wav": failed()}).id
    for method, path in (("GET", "/v1/jobs"), ("GET", f"/v1/jobs/{job}/events"), ("POST", "/v1/jobs")):
        answer = gateway.client.request(method, path, headers=headers)
        assert answer.status_code < 500, answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.fixed_dictionaries(
            {}, optional={"root": st.just("library") | JSON, "path": JSON, "pattern": JSON}
        ),
        "priority": JSON,
        "like": st.fixed_dictionaries({}, optional={"sample": JSON, "vector": JSON}),
        "aspects": JSON,
        "where": st.fixed_dictionaries({}, optional={"bpm": JSON, "key": JSON, "kind": JSON}),
        "limit": JSON,
        "name": JSON,
        "scopes": JSON,
        "sha256": JSON,
    },
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """One gateway for every example."""
    return make_gateway(tmp_path_factory.mktemp("gateway"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=FIELDS | JSON)
def test_no_json_is_a_bug(shared: Gateway, body: Any) -> None:
    for path in ("/v1/jobs", "/v1/search", "/v1/uploads/check"):
        answer = shared.client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (path, body, answer.text)
