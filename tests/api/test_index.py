"""The vector index over HTTP."""

from __future__ import annotations

from tests.api.gateway import Gateway


def test_says_how_the_index_is_and_has_it_made_anew_beside_the_old(gateway: Gateway) -> None:
    here, there = gateway.sample("here.wav"), gateway.sample("there.wav")
    gateway.index()
    said = gateway.client.get("/v1/index").json()
    assert said == {"serving": 1, "building": None, "samples": 2, "indexed": 2, "audit": None}
    answer = gateway.client.post("/v1/index/rebuild")
    assert answer.status_code == 202
    assert (answer.json()["serving"], answer.json()["building"]) == (1, 2)
    assert gateway.client.post("/v1/index/rebuild").json()["building"] == 2
    found = gateway.client.post("/v1/search", json={"like": {"sample": here}})
    assert [hit["sample"]["sample_id"] for hit in found.json()["items"]] == [there]
    gateway.index()
    gateway.stores.samples.serve(2)
    assert gateway.client.get("/v1/index").json()["serving"] == 2


def test_says_what_the_last_audit_found(gateway: Gateway) -> None:
    found = {"compared": 9, "missing": 1, "different": 0, "extra": 0, "asked": 2, "unreachable": 0}
    facts = {"audits": 3, **{f"audit_{name}": count for name, count in found.items()}}
    gateway.stores.pulse.beat("index", "me", facts, 60)
    assert gateway.client.get("/v1/index").json()["audit"] == {"audits": 3, **found}
    figures = gateway.client.get("/metrics").text
    assert 'samplemind_index_audit_vectors{found="missing"} 1.0' in figures
    assert "samplemind_index_generation 1.0" in figures


def test_is_for_admins(gateway: Gateway) -> None:
    first = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin"]}).json()["secret"]
    admin = {"X-API-Key": first}
    made = gateway.client.post("/v1/keys", json={"name": "b", "scopes": ["write"]}, headers=admin).json()
    writer = {"X-API-Key": made["secret"]}
    assert gateway.client.post("/v1/index/rebuild", headers=writer).status_code == 403
    assert gateway.client.get("/v1/index", headers=admin).status_code == 200


def test_ready_names_those_that_are_stuck_and_is_so_while_one_gets_on(gateway: Gateway) -> None:
    pulse = gateway.stores.pulse
    pulse.beat("worker", "one@here", {"stuck": "takes no work although 3 messages wait"}, 60)
    pulse.beat("worker", "two@here", {"stuck": ""}, 60)
    pulse.beat("index", "three", {"stuck": "has been at one step for 9 s longer than it may take"}, 60)
    parts = gateway.client.get("/ready").json()["parts"]
    assert parts["worker"] == {
        "ok": True,
        "detail": "2 workers are alive, 1 stuck: one@here takes no work although 3 messages wait",
    }
    assert not parts["index"]["ok"]
    figures = gateway.client.get("/metrics").text
    assert 'samplemind_processes_stuck{part="worker"} 1.0' in figures
    assert 'samplemind_processes_stuck{part="index"} 1.0' in figures
