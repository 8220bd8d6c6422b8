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


def test_the_last_admins_key_stays_while_there_are_others(gateway: Gateway) -> None:
    first = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()
    admin = {"X-API-Key": first["secret"]}
    other = gateway.client.post("/v1/keys", json={"name": "b", "scopes": ["write"]}, headers=admin).json()
    refused = gateway.client.delete(f"/v1/keys/{first['key']['id']}", headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key")
    second = gateway.client.post("/v1/keys", json={"name": "c", "scopes": ["admin"]}, headers=admin).json()
    assert gateway.client.delete(f"/v1/keys/{first['key']['id']}", headers=admin).status_code == 204
    admin = {"X-API-Key": second["secret"]}
    assert gateway.client.delete(f"/v1/keys/{second['key']['id']}", headers=admin).status_code == 409
    for key in (other, second):
        assert gateway.client.delete(f"/v1/keys/{key['key']['id']}", headers=admin).status_code == 204
    assert gateway.client.get("/v1/keys").json()["items"] == []


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


def test_a_rotated_key_has_another_secret_and_nothing_else(gateway: Gateway) -> None:
    admin = {"X-API-Key": gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()["secret"]}
    body = {"name": "b", "scopes": ["read", "write"], "owner": "bob", "ttl_s": 6000}
    old = gateway.client.post("/v1/keys", json=body, headers=admin).json()
    path = f"/v1/keys/{old['key']['id']}"
    new = gateway.client.post(f"{path}/rotate", json={"overlap_s": 100}, headers=admin)
    assert new.status_code == 201
    assert new.headers["cache-control"] == "no-store"
    same = ("name", "owner", "scopes")
    assert [new.json()["key"][name] for name in same] == [old["key"][name] for name in same]
    assert new.json()["key"]["expires_at"] is not None
    for one in (old, new.json()):
        assert gateway.client.get("/v1/jobs", headers={"X-API-Key": one["secret"]}).status_code == 200
    ended = gateway.client.post(f"{path}/expire", json={"in_s": 0}, headers=admin)
    assert ended.json()["expires_at"] < old["key"]["expires_at"]
    assert gateway.client.get("/v1/jobs", headers={"X-API-Key": old["secret"]}).status_code == 401
    assert gateway.client.get("/v1/jobs", headers={"X-API-Key": new.json()["secret"]}).status_code == 200
    assert gateway.client.post(f"{path}/rotate", json={}, headers=admin).status_code == 409
    assert gateway.client.post("/v1/keys/none/rotate", json={}, headers=admin).status_code == 404
    assert gateway.client.post(f"{path}/expire", json={"in_s": -1}, headers=admin).status_code == 422


def test_a_key_is_rotated_once_and_then_its_successor_is(gateway: Gateway) -> None:
    old = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()
    admin = {"X-API-Key": old["secret"]}
    path = f"/v1/keys/{old['key']['id']}/rotate"
    new = gateway.client.post(path, json={"overlap_s": 86400}, headers=admin).json()
    assert new["key"]["expires_at"] is None
    again = gateway.client.post(path, json={}, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "key_rotated")
    assert new["key"]["id"] in again.json()["detail"]
    third = gateway.client.post(f"/v1/keys/{new['key']['id']}/rotate", json={}, headers=admin).json()
    assert third["key"]["expires_at"] is None


def test_a_rotated_key_ends_at_once_where_no_overlap_is_asked_for(gateway: Gateway) -> None:
    made = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()
    admin = {"X-API-Key": made["secret"]}
    new = gateway.client.post(f"/v1/keys/{made['key']['id']}/rotate", json={}, headers=admin).json()
    assert gateway.client.get("/v1/keys", headers=admin).status_code == 401
    assert gateway.client.get("/v1/keys", headers={"X-API-Key": new["secret"]}).status_code == 200


def test_the_last_admins_key_is_not_made_to_end(gateway: Gateway) -> None:
    first = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()
    admin = {"X-API-Key": first["secret"]}
    end = f"/v1/keys/{first['key']['id']}/expire"
    refused = gateway.client.post(end, json={"in_s": 0}, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key")
    gateway.client.post("/v1/keys", json={"name": "b", "scopes": ["admin"]}, headers=admin)
    assert gateway.client.post(end, json={"in_s": 0}, headers=admin).status_code == 200
