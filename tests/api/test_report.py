"""The doctor's report of a job over HTTP."""

from __future__ import annotations

import pytest

from api.shapes import ReportShape
from tests.api.gateway import Gateway, clipping, done, failed
from workers.model import Defect


@pytest.fixture
def job(gateway: Gateway) -> str:
    bad = gateway.sample("bad.wav", defects=(*clipping(), Defect("truncated", "Cut.")))
    rows = {"fine.wav": done(gateway.sample("fine.wav")), "<b>.wav": done(bad), "x.txt": failed()}
    return gateway.folder_job(rows).id


def test_json_has_its_shape(gateway: Gateway, job: str) -> None:
    said = gateway.client.get(f"/v1/jobs/{job}/report").json()
    ReportShape.model_validate(said)
    assert (said["job"], said["title"]) == (job, "library")
    assert [each["path"] for each in said["worst"]] == ["<b>.wav"]
    assert said["files"]["clean"] == 1


def test_the_page_shows_waveforms_and_runs_nothing(gateway: Gateway, job: str) -> None:
    answer = gateway.client.get(f"/v1/jobs/{job}/report?format=html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert answer.text.count('aria-label="waveform"') == 1
    assert "&lt;b&gt;.wav" in answer.text


def test_markdown_is_text(gateway: Gateway, job: str) -> None:
    answer = gateway.client.get(f"/v1/jobs/{job}/report?format=markdown")
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.text.startswith("# library\n")


def test_what_is_not_there_is_said(gateway: Gateway, job: str) -> None:
    assert gateway.client.get("/v1/jobs/nope/report").status_code == 404
    assert gateway.client.get(f"/v1/jobs/{job}/report?format=pdf").status_code == 422
