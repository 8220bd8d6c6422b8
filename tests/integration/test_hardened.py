"""Production's armour on real servers: a broker user for each part, TLS, hostile messages, a foreign authority."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import redis
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis.exceptions import NoPermissionError

from config.settings import ChromaSettings, MongoSettings, RedisSettings, Settings
from stores.mongo import connect
from stores.pulse import RedisPulse
from stores.vectors import ChromaVectors
from tasks.configuration import celery_config
from tasks.send import Sender
from tests.integration.hardened import DATABASE, PARTS, TOKEN, Hardened, hardened, password_of
from tests.integration.hostile import messages
from tests.integration.material import make_short_files
from tests.integration.tls import Terminator, make_papers
from workers.errors import StoreUnavailable

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
FILES = 12


@pytest.fixture(scope="module")
def armoured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hardened]:
    """Every part as its own user of the broker, everything over TLS."""
    folder = tmp_path_factory.mktemp("hardened")
    make_short_files(folder / "library", FILES)
    with hardened(folder, folder / "library") as made:
        made.wait_for(made.ready)
        yield made


def run_job(armoured: Hardened) -> dict[str, int]:
    job = armoured.http.post("/v1/jobs", json={"source": {"root": "library"}}).json()["id"]
    armoured.wait_for(lambda: armoured.http.get(f"/v1/jobs/{job}").json()["state"] == "complete")
    counts: dict[str, int] = armoured.http.get(f"/v1/jobs/{job}").json()["counts"]
    return counts


def refusals(armoured: Hardened) -> list[str]:
    """What the broker refused its users since it was asked last."""
    log = armoured.broker.acl_log()
    armoured.broker.acl_log_reset()
    return [f"{entry['username']}: {entry['object']}" for entry in log]


def test_the_main_job_needs_no_more_than_each_part_may(armoured: Hardened) -> None:
    counts = run_job(armoured)
    assert counts["done"] + counts["reused"] + counts["duplicate"] == FILES

    def found() -> bool:
        sample = armoured.http.get("/v1/samples").json()["items"][0]["sample_id"]
        hits = armoured.http.post("/v1/search", json={"like": {"sample": sample}})
        return hits.status_code == 200 and len(hits.json()["items"]) > 1

    armoured.wait_for(found)
    figures = httpx.get(f"{armoured.flower}/metrics", timeout=10).text
    assert 'flower_events_total{task="samplemind.analyze",type="task-succeeded"' in figures
    assert refusals(armoured) == []


@pytest.mark.parametrize("user", [*PARTS, "scaler"])
def test_no_part_may_do_to_the_broker_what_is_not_its_own(armoured: Hardened, user: str) -> None:
    everywhere = [
        *("FLUSHALL", "CONFIG GET *", "KEYS *", "SAVE", "SHUTDOWN NOSAVE", "ACL LIST", "MONITOR"),
        *("EVAL return(1) 0", "FUNCTION LIST", "SCRIPT FLUSH", "RESTORE sm:x 0 x", "CLIENT LIST", "SWAPDB 0 1"),
        *("GET other", "SET other 1", "LPUSH other x", "PUBLISH other x", "MODULE LIST", "SCAN 0", "REPLICAOF a 1"),
    ]
    own = {
        "gateway": ["BRPOP sm:normal 1", "HGETALL sm:unacked", "PUBLISH sm:/0.celery.pidbox x", "SET sm:scan x"],
        "reconciler": ["BRPOP sm:normal 1", "HGETALL sm:unacked", "PUBLISH sm:/0.celery.pidbox x"],
        "indexer": ["LPUSH sm:normal x", "LLEN sm:normal", "DEL sm:normal", "PUBLISH sm:/0.celery.pidbox x"],
        "worker": ["PUBLISH other x", "PSUBSCRIBE *", "FLUSHDB"],
        "flower": ["LPUSH sm:normal x", "BRPOP sm:normal 1", "DEL sm:normal", "HGETALL sm:unacked", "SADD sm:parts x"],
        "scaler": ["LPUSH sm:normal x", "DEL sm:normal", "HGETALL sm:unacked", "SMEMBERS sm:parts"],
    }
    port = armoured.broker.connection_pool.connection_kwargs["port"]
    with redis.Redis(port=port, username=user, password=password_of(user)) as broker:
        assert broker.ping()
        for command in [*everywhere, *own[user]]:
            with pytest.raises(NoPermissionError):
                broker.execute_command(*command.split())
    with redis.Redis(port=port) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    refusals(armoured)


@pytest.mark.parametrize(("user", "allowed"), [("gateway", True), ("worker", False)])
def test_a_worker_may_not_touch_keys(armoured: Hardened, user: str, allowed: bool) -> None:
    """The embedded server holds each role to its actions; to which collections, MongoDB alone does."""
    url = f"mongodb://{user}:{password_of(user)}@127.0.0.1:{armoured.ledger.port}/?authSource={DATABASE}"
    with MongoClient[dict[str, object]](url) as client:
        write = client[DATABASE]["keys"].delete_one
        if allowed:
            assert write({"_id": "none"}).deleted_count == 0
        else:
            with pytest.raises(OperationFailure, match="not authorized"):
                write({"_id": "none"})
    with MongoClient[dict[str, object]](armoured.ledger.url) as nobody, pytest.raises(OperationFailure):
        nobody[DATABASE]["jobs"].find_one()


def test_hostile_messages_are_refused_and_the_worker_lives(armoured: Hardened, tmp_path: Path) -> None:
    workers = {p.pid for p in psutil.process_iter(["cmdline"]) if "tasks.app" in (p.info["cmdline"] or ())}
    trap = tmp_path / "trap"
    hostile = messages(trap)
    for message in hostile.values():
        armoured.broker.lpush("sm:normal", message)
    armoured.broker.hset("sm:unacked", mapping={"odd": "garbage"})
    armoured.broker.zadd("sm:unacked_index", {"odd": 1})
    for said in ("garbage", "[]", "1", "{}", "[" * 100_000):
        armoured.broker.publish("sm:/0.celery.pidbox", said)
    armoured.wait_for(lambda: armoured.broker.llen("sm:normal") == 0)
    assert run_job(armoured)["reused"] >= 1
    assert workers <= {p.pid for p in psutil.process_iter()}
    assert not trap.exists()
    armoured.wait_for(lambda: not armoured.broker.hexists("sm:unacked", "odd"))
    said_of_it = (armoured.logs / "worker.log").read_text(errors="replace").count("message_refused")
    assert said_of_it >= len(hostile)


def test_whoever_has_flowers_password_cannot_stop_a_worker(armoured: Hardened) -> None:
    from celery import Celery

    port = armoured.broker.connection_pool.connection_kwargs["port"]
    url = f"redis://flower:{password_of('flower')}@127.0.0.1:{port}/0"
    with Celery(set_as_current=False) as app:
        app.conf.update(celery_config(Settings(redis=RedisSettings(url=url))))
        for order in ("shutdown", "pool_restart"):
            app.control.broadcast(order)
        app.control.cancel_consumer("normal")
        assert app.control.ping(timeout=3)
    assert run_job(armoured)["submitted"] == FILES


def test_the_gateway_serves_tls_and_says_so(armoured: Hardened) -> None:
    assert armoured.http.get("/health").headers["strict-transport-security"].startswith("max-age=")
    plain = str(armoured.http.base_url).replace("https", "http")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{plain}/health", timeout=5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{armoured.http.base_url}/health", timeout=5)  # whose authority nobody here knows


def test_the_index_is_asked_with_its_token(armoured: Hardened) -> None:
    url = f"https://localhost:{armoured.index.port}"
    ca = armoured.papers.ca
    ChromaVectors(ChromaSettings(url=url, tls_ca=ca, token=TOKEN)).ping()
    for token in (None, "another"):
        with pytest.raises(StoreUnavailable):
            ChromaVectors(ChromaSettings(url=url, tls_ca=ca, token=token)).ping()


def test_a_server_that_a_foreign_authority_signed_is_refused(tmp_path: Path) -> None:
    ours, foreign = make_papers(tmp_path / "ours"), make_papers(tmp_path / "foreign")
    door = Terminator(foreign, 9)
    at, ca = f"localhost:{door.port}", ours.ca
    mongo = MongoSettings(url=f"mongodb://{at}/?tls=true", tls_ca=ca, server_selection_timeout_s=0.5, min_pool_size=0)
    broker = RedisSettings(url=f"rediss://{at}/0", tls_ca=ca)
    stores = connect(mongo, pool="worker")
    sender = Sender(Settings(redis=broker))
    doors = {
        "broker": RedisPulse(broker).ping,
        "index": ChromaVectors(ChromaSettings(url=f"https://{at}", tls_ca=ca)).ping,
        "ledger": stores.ledger.ping,
        "queue": lambda: sender.scan("job"),
    }
    try:
        for name, ask in doors.items():
            with pytest.raises(StoreUnavailable):
                ask()
            assert door.refused, name
    finally:
        stores.close()
        sender.close()
        door.close()


def test_the_terminator_itself_takes_who_trusts_it(tmp_path: Path) -> None:
    """Else the test above would pass with anything that does not answer."""
    papers = make_papers(tmp_path)
    door = Terminator(papers, 9, token="none")
    trusting = ssl.create_default_context(cafile=str(papers.ca))
    assert httpx.get(f"https://localhost:{door.port}/", verify=trusting).status_code == 401
    door.close()
