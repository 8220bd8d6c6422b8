"""The description of the API says what it answers."""

from __future__ import annotations

import pytest

from tests.api.gateway import Gateway


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/health", "get", "200"), ("/v1/jobs/{job_id}", "delete", "200"), ("/v1/jobs/{job_id}", "delete", "202")],
)
def test_every_json_answer_has_a_shape(gateway: Gateway, path: str, method: str, status: str) -> None:
    answer = gateway.client.get("/openapi.json").json()["paths"][path][method]["responses"][status]
    assert "$ref" in answer["content"]["application/json"]["schema"]
