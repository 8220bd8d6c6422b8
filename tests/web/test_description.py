"""The web app is built against the API as it is."""

from __future__ import annotations

import json
from pathlib import Path

from api.describe import description

WEB = Path(__file__).parents[2] / "web"


def test_the_app_is_typed_by_the_api_as_it_is_now() -> None:
    kept = json.loads((WEB / "openapi.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(description()))
    assert kept.pop("info").keys() == now.pop("info").keys()  # a new analyser is no new API
    assert kept == now, "the API changed: make web-types, then make web"


def test_the_lock_file_names_no_host() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
