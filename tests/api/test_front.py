"""The pages and the description of the API."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.front import front_page
from api.shapes import Shape
from tests.api.gateway import Gateway, done, make_gateway


@pytest.mark.parametrize("path", ["/status", "/docs"])
def test_a_page_asks_nobody_else_and_its_csp_lets_exactly_its_own_scripts_run(gateway: Gateway, path: str) -> None:
    answer = gateway.client.get(path)
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    for kind, text in re.findall(r"<(style|script)>(.*?)</\1>", answer.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not re.search(r"<(script|style|link|img)[^>]+(src|href)=[\"'](https?:)?//", answer.text)
    assert not re.search(r"\son\w+=|\sstyle=", answer.text)


def test_the_front_page_leads_on(gateway: Gateway) -> None:
    text = gateway.client.get("/status").text
    for what in ('href="http://127.0.0.1:1"', 'href="/docs"', "curl -s http://127.0.0.1:8000/v1/jobs", '"library"'):
        assert what in text.replace("&quot;", '"')


def test_the_first_command_names_a_library_of_ones_own_rather_than_the_demo(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path)
    gateway.settings.roots["demo"] = tmp_path
    with gateway.client:
        assert '"root": "library"' in gateway.client.get("/status").text


def test_what_is_set_cannot_break_out_of_the_page() -> None:
    text = bytes(front_page('javascript:alert("x")', '"><script>alert(1)</script>', "<u>").body).decode()
    assert "javascript:" not in text
    assert "<script>alert" not in text
    assert "<u>" not in text


def test_the_description_has_bodies_examples_and_ways_to_send_a_key(gateway: Gateway) -> None:
    schema = gateway.client.get("/openapi.json").json()
    body = schema["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/x-ndjson"}
    assert body["application/json"]["schema"] == {"$ref": "#/components/schemas/JobRequest"}
    assert schema["components"]["schemas"]["JobRequest"]["examples"][0]["source"]["root"] == "library"
    assert {"bearer", "header"} == set(schema["components"]["securitySchemes"])
    unresolved = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema))) - set(
        schema["components"]["schemas"]
    )
    assert unresolved == set()


def test_the_page_of_the_api_shows_every_route(gateway: Gateway) -> None:
    text = gateway.client.get("/docs").text
    for path in gateway.client.get("/openapi.json").json()["paths"]:
        assert path in text
    assert "Idempotency-Key" in text or "idempotency-key" in text


def test_answers_have_the_shape_that_is_described(gateway: Gateway) -> None:
    from api import shapes
    from api.hit_shapes import HitsShape

    one = gateway.sample("kick.wav")
    job = gateway.folder_job({"kick.wav": done(one)}).id
    gateway.index()

    def check(shape: type[Any], method: str, path: str, **more: Any) -> None:
        answer = gateway.client.request(method, path, **more)
        assert answer.is_success, answer.text
        shape.model_validate(answer.json())

    check(shapes.JobShape, "GET", f"/v1/jobs/{job}")
    check(shapes.JobsShape, "GET", "/v1/jobs")
    check(shapes.FilesShape, "GET", f"/v1/jobs/{job}/files")
    check(shapes.SampleShape, "GET", f"/v1/samples/{one}")
    check(shapes.SamplesShape, "GET", "/v1/samples")
    check(shapes.WaveformShape, "GET", f"/v1/samples/{one}/waveform")
    check(HitsShape, "POST", "/v1/search", json={"like": {"sample": one}})
    check(shapes.UploadShape, "POST", "/v1/uploads?name=a.wav", content=b"RIFF")
    check(shapes.MissingShape, "POST", "/v1/uploads/check", json={"sha256": []})
    check(shapes.RootsShape, "GET", "/v1/roots")
    check(shapes.FoldersShape, "GET", "/v1/roots/library/folders")
    check(shapes.KeysShape, "GET", "/v1/keys")
    check(shapes.NewKeyShape, "POST", "/v1/keys", json={"name": "a", "scopes": ["admin"]})
    answer = gateway.client.get("/v1/jobs")
    assert answer.status_code == 401
    shapes.ProblemShape.model_validate(answer.json())
    assert Shape.model_config["extra"] == "forbid"
