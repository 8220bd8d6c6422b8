"""A cluster as it should run in production: each part its own user of Redis and of MongoDB, TLS everywhere, keys."""

from __future__ import annotations

import hashlib
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from pymongo import MongoClient
from redis import Redis

from config.environment import child_environment
from tests.integration.tls import Door, OwnDoor, Papers, Terminator, make_papers, redis_with_tls
from tests.servers import PROJECT, Server, _die_with_parent, chroma_server, free_port, mongo_server, valkey_server

USERS = ("gateway", "worker", "reconciler", "indexer", "flower", "scaler", "operator")
PARTS = {
    "gateway": "api",
    "worker": "tasks.worker",
    "reconciler": "tasks.reconcile",
    "indexer": "tasks.index",
    "flower": "tasks.monitor",
}
"""Redis user -> the module that connects as that user."""
DATABASE = "samplemind"
TOKEN = "let-me-in"


def password_of(user: str) -> str:
    """The password of a Redis user in the tests."""
    return f"{user}-secret"


def users_file(folder: Path) -> Path:
    """`config/redis-users.acl` with the tests' passwords."""
    text = (PROJECT / "config" / "redis-users.acl").read_text()
    for user in USERS:
        text = text.replace(f"@{user}@", hashlib.sha256(password_of(user).encode()).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "users.acl"
    path.write_text(text)
    return path


def guarded_ledger(folder: Path) -> Server:
    """The embedded ledger with a user for each part, made from `deploy/mongo/roles.json`; running."""
    ledger = mongo_server(folder)
    ledger.start()
    roles = json.loads((PROJECT / "deploy" / "mongo" / "roles.json").read_text())
    with MongoClient[dict[str, object]](ledger.url) as client:
        for part, privileges in roles.items():
            may = [
                {"resource": {"db": DATABASE, "collection": each["collection"]}, "actions": each["actions"]}
                for each in privileges
            ]
            client[DATABASE].command("createRole", f"samplemind-{part}", privileges=may, roles=[])
            client[DATABASE].command("createUser", part, pwd=password_of(part), roles=[f"samplemind-{part}"])
    ledger.stop()
    plain = ledger.argv
    ledger.argv = lambda port: [*plain(port), "--auth"]
    ledger.answers = _says_hello
    return ledger.start()


def _says_hello(url: str) -> None:
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500) as client:
        client.admin.command("hello")


def guarded_broker(folder: Path, program: str | None = None, door: OwnDoor | None = None) -> Server:
    """A broker that knows our users only: the embedded one, or a Redis that takes TLS at its own `door`."""
    users = users_file(folder)
    plain = valkey_server(folder)
    if program is not None:  # Debian's Redis 7.0 does not know it yet, and clients do without
        users.write_text(users.read_text().replace(" +client|setinfo", ""))

    def argv(port: int) -> list[str]:
        embedded, *options = plain.argv(port)
        return [program or embedded, *options, "--aclfile", str(users), *(door.options if door else ())]

    def url_of(port: int) -> str:
        return f"redis://operator:{password_of('operator')}@127.0.0.1:{port}/0"

    return Server("broker", argv, url_of, plain.answers, folder)


@dataclass
class Hardened:
    """The running parts, and a client with an admin's key."""

    http: httpx.Client
    broker: Redis
    ledger: Server
    logs: Path
    papers: Papers
    doors: Mapping[str, Door]
    flower: str

    @property
    def index(self) -> Door:
        """The way to Chroma."""
        return self.doors["chroma"]

    def wait_for(self, what: Callable[[], bool], within_s: float = 120) -> None:
        """Wait until something is so."""
        pause, end = threading.Event(), time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, self.said()
            pause.wait(0.1)

    def said(self) -> str:
        """The end of what each part wrote."""
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in self.logs.glob("*.log"))

    def ready(self) -> bool:
        """Whether every part works."""
        try:
            return self.http.get("/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def hardened(
    folder: Path, library: Path, address: str = "127.0.0.1", users: Sequence[str] = tuple(PARTS)
) -> Iterator[Hardened]:
    """The parts of these users, with `library` as the root of that name; TLS is taken at `address`."""
    papers = make_papers(folder / "papers", address)
    with ExitStack() as stack:
        ledger = guarded_ledger(folder / "mongo")
        stack.callback(ledger.stop)
        own = redis_with_tls() if address != "127.0.0.1" else None
        own_door = OwnDoor(papers, address) if own else None
        broker, index = guarded_broker(folder / "redis", own, own_door), chroma_server(folder)
        for server in (broker, index):
            stack.callback(server.stop)
            server.start()
        doors = {
            "redis": own_door or Terminator(papers, broker.port, address=address),
            "mongo": Terminator(papers, ledger.port, address=address),
            "chroma": Terminator(papers, index.port, TOKEN, address=address),
        }
        for door in doors.values():
            stack.callback(door.close)
        common = _environment(folder, library, papers, doors)
        env_of = {user: {**common, **as_user(user, doors)} for user in users}
        secret = subprocess.check_output(
            [sys.executable, "-m", "api", "--new-key", "admin"], cwd=PROJECT, env=child(env_of["gateway"]), text=True
        ).strip()
        logs = folder / "logs"
        logs.mkdir()
        for user in users:
            stack.callback(_stop, _start(PARTS[user], env_of[user], logs / f"{user}.log"))
        trusting = ssl.create_default_context(cafile=str(papers.ca))
        url = f"https://localhost:{common['SAMPLEMIND_GATEWAY__PORT']}"
        http = stack.enter_context(
            httpx.Client(base_url=url, verify=trusting, headers={"X-API-Key": secret}, timeout=30)
        )
        operator = stack.enter_context(Redis.from_url(broker.url, decode_responses=True))
        yield Hardened(http, operator, ledger, logs, papers, doors, common["SAMPLEMIND_FLOWER__URL"])


def _environment(folder: Path, library: Path, papers: Papers, doors: Mapping[str, Door]) -> dict[str, str]:
    ca, flower = str(papers.ca), free_port()
    return {
        "SAMPLEMIND_DATA_DIR": str(folder / "data"),
        "SAMPLEMIND_ROOTS": f'{{"library": "{library}"}}',
        "SAMPLEMIND_REDIS__TLS_CA": ca,
        "SAMPLEMIND_MONGO__TLS_CA": ca,
        "SAMPLEMIND_CHROMA__URL": f"https://{doors['chroma'].host}:{doors['chroma'].port}",
        "SAMPLEMIND_CHROMA__TLS_CA": ca,
        "SAMPLEMIND_CHROMA__TOKEN": TOKEN,
        "SAMPLEMIND_GATEWAY__PORT": str(free_port()),
        "SAMPLEMIND_GATEWAY__TLS_CERT": str(papers.cert),
        "SAMPLEMIND_GATEWAY__TLS_KEY": str(papers.key),
        "SAMPLEMIND_FLOWER__PORT": str(flower),
        "SAMPLEMIND_FLOWER__URL": f"http://127.0.0.1:{flower}",
    }


def as_user(user: str, doors: Mapping[str, Door]) -> dict[str, str]:
    """The addresses of broker and ledger for this user."""
    broker, ledger = doors["redis"], doors["mongo"]
    options = f"directConnection=true&tls=true&authSource={DATABASE}"
    return {
        "SAMPLEMIND_REDIS__URL": f"rediss://{user}:{password_of(user)}@{broker.host}:{broker.port}/0",
        "SAMPLEMIND_MONGO__URL": f"mongodb://{user}:{password_of(user)}@{ledger.host}:{ledger.port}/?{options}",
    }


def child(environment: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in child_environment().items() if not name.startswith("SAMPLEMIND_")}
    return {**clean, **environment}


def _start(module: str, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=PROJECT,
            env=child(environment),
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
