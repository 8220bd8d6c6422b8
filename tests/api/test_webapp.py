"""The web app's files, as a build leaves them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from api.webapp import WebApp
from tests.api.gateway import Gateway


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "icons").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>the app</title>")
    (folder / "index.html.gz").write_bytes(gzip.compress(b"<!doctype html><title>the app</title>"))
    (folder / "assets" / "index-1a2b.js").write_text("1")
    (folder / "sw.js").write_text("2")
    (folder / "icons" / "icon-192.png").write_bytes(b"\x89PNG")
    (folder / "manifest.webmanifest").write_text("{}")
    return folder


@pytest.fixture
def served(gateway: Gateway, dist: Path) -> Gateway:
    gateway.app.state.web = WebApp(dist)
    return gateway


@pytest.mark.parametrize("path", ["/", "/jobs", "/failed", "/map", "/cluster", "/sample/abc-1.1.0-0"])
def test_every_page_of_the_app_is_the_app(served: Gateway, path: str) -> None:
    answer = served.client.get(path)
    assert "the app" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_it_is_sent_compressed_to_those_who_can_read_that(served: Gateway) -> None:
    assert served.client.get("/", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    plain = served.client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("path", "kind", "kept"),
    [
        ("/assets/index-1a2b.js", "text/javascript", "immutable"),
        ("/sw.js", "text/javascript", "no-cache"),
        ("/icons/icon-192.png", "image/png", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
    ],
)
def test_files_have_their_type_and_hashed_ones_are_kept_for_ever(
    served: Gateway, path: str, kind: str, kept: str
) -> None:
    answer = served.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert kept in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/assets/gone.js", "/assets/..%2Findex.html", "/icons/%2e%2e", "/workbox-x.js"])
def test_what_is_not_of_the_build_is_not_there(served: Gateway, path: str) -> None:
    assert served.client.get(path).status_code == 404


def test_without_a_build_the_gateway_has_a_page_of_its_own(gateway: Gateway, tmp_path: Path) -> None:
    gateway.app.state.web = WebApp(tmp_path / "nothing")
    assert "make web" in gateway.client.get("/").text
    assert gateway.client.get("/sw.js").status_code == 404
