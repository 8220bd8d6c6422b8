"""Contract of the API keys. On the twin and on a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pymongo import MongoClient

from config.settings import MongoSettings
from stores.mongo import MongoStores
from tests.stores.conftest import Bench
from workers.errors import NotFound


def test_a_key_opens_with_its_secret_only(bench: Bench) -> None:
    assert not bench.keys.any()
    key, secret = bench.keys.create(name="laptop", owner="ada", scopes=["jobs", "read"], ttl_s=None)
    assert bench.keys.any()
    assert re.fullmatch(r"sm_[a-z2-7]{8,12}_[A-Za-z0-9_-]{43}", secret)
    assert secret.startswith(f"sm_{key.id}_")
    assert (key.name, key.owner, key.scopes, key.expires_at) == ("laptop", "ada", ("jobs", "read"), None)
    seen = bench.keys.check(secret)
    assert seen is not None
    assert (seen.id, seen.owner, seen.scopes) == (key.id, "ada", ("jobs", "read"))
    _, other = bench.keys.create(name="b", owner="b", scopes=[], ttl_s=None)
    mixed = f"sm_{key.id}_{other.split('_', 2)[2]}"
    flipped = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in (
        "",
        "sm_",
        secret[:-1],
        secret + "x",
        secret.upper(),
        mixed,
        flipped,
        f"{secret}\n",
        "sm_é_x",
        "\ud800",
    ):
        assert bench.keys.check(wrong) is None


def test_a_key_ends_with_its_time(bench: Bench) -> None:
    key, secret = bench.keys.create(name="short", owner="ada", scopes=[], ttl_s=0.2)
    assert key.expires_at is not None
    assert bench.keys.check(secret) is not None
    bench.let_pass(0.25)
    assert bench.keys.check(secret) is None
    assert bench.keys.any()


def test_a_revoked_key_is_refused_at_once(bench: Bench) -> None:
    key, secret = bench.keys.create(name="a", owner="ada", scopes=[], ttl_s=None)
    kept, _ = bench.keys.create(name="b", owner="ada", scopes=[], ttl_s=None)
    assert {each.id for each in bench.keys.list()} == {key.id, kept.id}
    bench.keys.revoke(key.id)
    assert bench.keys.check(secret) is None
    assert [each.id for each in bench.keys.list()] == [kept.id]
    with pytest.raises(NotFound):
        bench.keys.revoke(key.id)


def test_a_key_knows_which_one_took_its_place(bench: Bench) -> None:
    key, _ = bench.keys.create(name="a", owner="ada", scopes=["read"], ttl_s=0.01)
    assert key.successor is None
    bench.let_pass(0.02)
    assert bench.keys.expire(key.id, 60, successor="new").successor == "new"  # also where it ends sooner anyway
    assert bench.keys.expire(key.id, 0).successor == "new"
    assert bench.keys.get(key.id).successor == "new"


def test_a_key_can_be_made_to_end_sooner_and_never_later(bench: Bench) -> None:
    key, secret = bench.keys.create(name="a", owner="ada", scopes=["read"], ttl_s=None)
    first = bench.keys.expire(key.id, 60)
    assert first.expires_at is not None
    assert bench.keys.expire(key.id, 6000).expires_at == first.expires_at == bench.keys.get(key.id).expires_at
    assert bench.keys.check(secret) is not None
    bench.keys.expire(key.id, 0)
    bench.let_pass(0.01)
    assert bench.keys.check(secret) is None
    for unknown in ("none", "\ud800", ""):
        with pytest.raises(NotFound):
            bench.keys.expire(unknown, 1)
        with pytest.raises(NotFound):
            bench.keys.get(unknown)


@pytest.mark.integration
def test_the_secret_is_nowhere_in_the_database(mongo: MongoStores, mongo_settings: MongoSettings) -> None:
    _, secret = mongo.keys.create(name="a", owner="ada", scopes=[], ttl_s=None)
    with MongoClient[dict[str, Any]](mongo_settings.url.get_secret_value()) as client:
        (kept,) = client[mongo_settings.database]["keys"].find()
    assert secret.split("_", 2)[2] not in repr(kept)
