"""Every error has a status, and every answer that is not a success is a problem document."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from api.errors import PROBLEM_TYPE, STATUS, status_of
from tests.api.gateway import Gateway, make_gateway
from workers import errors

OURS = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.SampleMindError)]


def test_each_error_of_ours_has_a_status_of_its_own() -> None:
    assert set(STATUS) == set(OURS)
    assert all(400 <= status <= 599 for status in STATUS.values())


def test_an_error_without_a_status_has_that_of_the_class_above_it() -> None:
    class Newer(errors.BadCursor):
        pass

    assert status_of(Newer()) == STATUS[errors.BadCursor]


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_none_escapes_from_a_route(cls: type[errors.SampleMindError], tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path)

    @gateway.app.get("/raise")
    def fail() -> None:
        raise cls("the detail")

    answer = gateway.client.get("/raise")
    assert answer.status_code == STATUS[cls]
    assert answer.headers["content-type"] == PROBLEM_TYPE
    said = answer.json()
    assert said["code"] == cls.code
    assert said["type"] == f"urn:samplemind:problem:{cls.code}"
    assert said["status"] == STATUS[cls]
    assert "the detail" in said["detail"]


def test_a_bug_is_a_problem_without_its_details(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path)

    @gateway.app.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError("secret")

    answer = gateway.client.get("/bug")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM_TYPE
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/no/such", 404), ("PUT", "/v1/jobs", 405), ("GET", "/v1/jobs/", 404), ("GET", "/v1/jobs/x", 404)],
)
def test_the_router_answers_with_problems_too(gateway: Gateway, method: str, path: str, status: int) -> None:
    answer = gateway.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_TYPE
    assert answer.json()["status"] == status


def test_a_database_that_is_away_says_when_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = make_gateway(tmp_path)

    def away(*_: object, **__: object) -> None:
        raise errors.StoreUnavailable("MongoDB")

    monkeypatch.setattr(gateway.stores.ledger, "jobs", away)
    answer = gateway.client.get("/v1/jobs")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_validation_names_the_field_and_never_repeats_what_was_sent(gateway: Gateway) -> None:
    answer = gateway.client.post("/v1/keys", json={"name": "x", "scopes": ["hunter2"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "scopes.0"
    assert "hunter2" not in answer.text
