"""Keys over HTTP."""

from __future__ import annotations

import pytest

from tests.api.gateway import Gateway


def test_the_secret_of_a_new_key_is_shown_once_and_opens(gateway: Gateway) -> None:
    answer = gateway.client.post("/v1/keys", json={"name": "first", "scopes": ["admin"]})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    secret, key = answer.json()["secret"], answer.json()["key"]
    assert secret.startswith("sm_")
    assert (key["owner"], key["scopes"], key["expires_at"]) == ("local", ["admin"], None)
    assert gateway.client.get("/v1/keys").status_code == 401
    listed = gateway.client.get("/v1/keys", headers={"Authorization": f"Bearer {secret}"})
    assert listed.json()["items"] == [key]
    assert secret not in listed.text


def test_the_first_key_must_be_able_to_make_others(gateway: Gateway) -> None:
    answer = gateway.client.post("/v1/keys", json={"name": "first", "scopes": ["read", "write"]})
    assert answer.status_code == 422
    assert gateway.client.get("/v1/keys").status_code == 200


def test_a_revoked_key_opens_nothing(gateway: Gateway) -> None:
    admin = {"X-API-Key": gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()["secret"]}
    made = gateway.client.post(
        "/v1/keys", json={"name": "b", "scopes": ["read"], "owner": "bob", "ttl_s": 60}, headers=admin
    ).json()
    assert made["key"]["expires_at"] is not None
    reader = {"X-API-Key": made["secret"]}
    assert gateway.client.get("/v1/jobs", headers=reader).status_code == 200
    assert gateway.client.delete(f"/v1/keys/{made['key']['id']}", headers=reader).status_code == 403
    assert gateway.client.delete(f"/v1/keys/{made['key']['id']}", headers=admin).status_code == 204
    assert gateway.client.get("/v1/jobs", headers=reader).status_code == 401
    assert gateway.client.delete(f"/v1/keys/{made['key']['id']}", headers=admin).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "scopes": ["admin"]},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["root"]},
        {"name": "a", "scopes": "admin"},
        {"name": "a", "scopes": ["admin"], "ttl_s": 0},
        {"name": "a", "scopes": ["admin"], "ttl_s": 1e30},
        {"name": "a", "scopes": ["admin"], "secret": "mine"},
    ],
)
def test_a_key_that_makes_no_sense_is_refused(gateway: Gateway, body: dict[str, object]) -> None:
    assert gateway.client.post("/v1/keys", json=body).status_code == 422
    assert gateway.client.get("/v1/keys").json()["items"] == []
