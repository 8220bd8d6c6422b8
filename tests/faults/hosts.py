"""Several hosts on one machine: every part in a network namespace of its own, with its own address and its own cable.

    with started_hosts(folder) as plant:
        plant.cut("worker-1")     # pulls the cable: nothing arrives and nothing is refused
        plant.heal()

Needs root and `ip netns`; `why_not` says what is missing. Nothing outside of the namespaces is changed but one cable to
them, through which the test itself asks the gateway and the stores.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil

from config.environment import child_environment
from config.settings import MongoSettings
from stores.mongo import connect
from tests.faults.disks import Disks
from tests.faults.plant import LEASE_S, Plant
from tests.integration.cluster import START_S, Cluster
from tests.integration.material import make_short_files
from tests.servers import PROJECT, Server, chroma_server, mongo_server, valkey_server

SERVERS = ("mongo", "redis", "chroma")
PARTS = {
    "worker-1": "tasks.worker",
    "worker-2": "tasks.worker",
    "reconciler": "tasks.reconcile",
    "index": "tasks.index",
    "flower": "tasks.monitor",
    "gateway": "api",
}
HOSTS = (*SERVERS, *PARTS)
_PORTS = {"mongo": 27017, "redis": 6379, "chroma": 8000, "flower": 5555, "gateway": 8080}


def why_not() -> str:
    """Why this machine cannot have several hosts; empty where it can."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        return "needs Linux and `ip`"
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    probe = f"sm-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces are not allowed here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Network:
    """A switch in a namespace of its own, a host for each name, and a cable from each and from here."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._mark = secrets.token_hex(2)
        self._switch = f"sm{self._mark}"
        third = secrets.randbelow(200) + 20
        self.address = {name: f"10.213.{third}.{n + 2}" for n, name in enumerate(names)}
        self.here = f"10.213.{third}.1"
        self._cable = {name: f"c{n}" for n, name in enumerate(names)}

    def make(self) -> None:
        """Lay all cables."""
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "sw", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "sw", "up")
        _ip("link", "add", f"sm{self._mark}h", "type", "veth", "peer", "name", "here", "netns", self._switch)
        self._plug("here")
        _ip("addr", "add", f"{self.here}/24", "dev", f"sm{self._mark}h")
        _ip("link", "set", f"sm{self._mark}h", "up")
        for name, cable in self._cable.items():
            host = self.host(name)
            _ip("netns", "add", host)
            _ip("-n", self._switch, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", host)
            self._plug(cable)
            _ip("-n", host, "addr", "add", f"{self.address[name]}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _ip("-n", host, "link", "set", link, "up")

    def _plug(self, cable: str) -> None:
        _ip("-n", self._switch, "link", "set", cable, "master", "sw", "up")

    def host(self, name: str) -> str:
        """Its namespace."""
        return f"{self._switch}-{name}"

    def cut(self, name: str) -> None:
        """Take it off the switch: what is sent to it or by it is lost without a word."""
        _ip("-n", self._switch, "link", "set", self._cable[name], "nomaster")

    def mend(self) -> None:
        """All cables are in the switch."""
        for cable in self._cable.values():
            self._plug(cable)

    def remove(self) -> None:
        """Leave nothing behind."""
        for name in (*map(self.host, self._cable), self._switch):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


class HostsCluster(Cluster):
    """Parts that were started one by one, each on its host."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        self.data_dir = folder
        self.http = httpx.Client(base_url=url, timeout=30, headers={"X-API-Key": key})
        self.process: Any = SimpleNamespace(pid=os.getpid(), poll=lambda: None)

    def said(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-600:]}" for log in self.data_dir.glob("*.log"))


class HostsPlant(Plant):
    """A plant whose links are cables."""

    def __init__(self, folder: Path, servers: Mapping[str, Server], network: Network, cluster: Cluster) -> None:
        super().__init__(folder, servers, {}, cluster, Disks("they are not filled here"))
        self.network = network

    def cut(self, name: str) -> None:
        """Cut a host off."""
        self.network.cut(name)

    def everything(self) -> list[psutil.Process]:
        """All hosts' processes; not the one that tests them, which grows with what it loads."""
        return psutil.Process().children(recursive=True)

    def heal(self) -> None:
        """Every host is back."""
        self.network.mend()
        super().heal()


@contextmanager
def started_hosts(folder: Path) -> Iterator[HostsPlant]:
    """A ready cluster of nine hosts; its library root is ``library`` in `folder`."""
    (folder / "library").mkdir(parents=True)
    network = Network(HOSTS)
    with ExitStack() as stack:
        stack.callback(network.remove)
        network.make()
        servers = _servers(folder, network, stack)
        settings = folder / "settings.toml"
        settings.write_text(_settings(folder, network))
        key = _first_key(servers["mongo"].url)
        for name, module in PARTS.items():
            stack.callback(_end, _start(name, module, network, settings, folder))
        cluster = HostsCluster(folder, f"http://{network.address['gateway']}:{_PORTS['gateway']}", key)
        stack.callback(cluster.http.close)
        cluster.wait_ready()
        make_short_files(folder / "library" / "warm", 80)  # kernels may have to be compiled first
        cluster.wait_job(cluster.submit("warm"), START_S)
        yield HostsPlant(folder, servers, network, cluster)


def _servers(folder: Path, network: Network, stack: ExitStack) -> dict[str, Server]:
    servers = {}
    for name, make in (("mongo", mongo_server), ("redis", valkey_server), ("chroma", chroma_server)):
        server = make(folder / name, _PORTS[name])
        argv, url_of, address = server.argv, server.url_of, network.address[name]
        inside = ["ip", "netns", "exec", network.host(name)]
        # Their own hosts: nobody else is on that network.
        more = ["--protected-mode", "no"] if name == "redis" else []

        def there(port: int, argv: Any = argv, inside: Any = inside, address: str = address, more: Any = more) -> Any:
            return [*inside, *(address if word == "127.0.0.1" else word for word in argv(port)), *more]

        server.argv = there
        server.url_of = lambda port, url_of=url_of, address=address: url_of(port).replace("127.0.0.1", address)  # type: ignore[misc]
        stack.callback(server.stop)
        servers[name] = server.start()
    return servers


def _settings(folder: Path, network: Network) -> str:
    at = {name: f"{network.address[name]}:{port}" for name, port in _PORTS.items()}
    return "\n".join(
        [
            f'data_dir = "{folder / "data"}"',
            *("[roots]", f'library = "{folder / "library"}"'),
            *("[mongo]", f'url = "mongodb://{at["mongo"]}/?directConnection=true"'),
            *("[redis]", f'url = "redis://{at["redis"]}/0"', "socket_timeout_s = 5", "connect_timeout_s = 2"),
            *("[chroma]", f'url = "http://{at["chroma"]}"', "timeout_s = 5"),
            *("[queue]", f"lease_s = {LEASE_S}", "chunk_files = 40", "stuck_after_s = 10"),
            *("task_time_limit_s = 15", "visibility_timeout_s = 30"),
            *("[gateway]", f'host = "{network.address["gateway"]}"', f"port = {_PORTS['gateway']}"),
            *("[flower]", f'url = "http://{at["flower"]}"', f'host = "{network.address["flower"]}"'),
            'basic_auth = "watch:long-enough-a-secret"',
        ]
    )


def _first_key(mongo_url: str) -> str:
    """Beyond loopback the gateway wants one to exist."""
    with ExitStack() as stack:
        stores = connect(MongoSettings(url=mongo_url), pool="worker")  # type: ignore[arg-type]
        stack.callback(stores.close)
        stores.ledger.prepare()
        return stores.keys.create(name="faults", owner="local", scopes=["admin"], ttl_s=None)[1]


def _start(name: str, module: str, network: Network, settings: Path, folder: Path) -> subprocess.Popen[bytes]:
    environment = child_environment(settings, SAMPLEMIND_WORKER__NAME=f"{name}@{name}")
    inside = ["ip", "netns", "exec", network.host(name), sys.executable, "-m", module]
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(inside, cwd=PROJECT, env=environment, stdout=log, stderr=log)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM and, where that does not do, SIGKILL to it and all below it."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    for each in family:
        if each.is_running():
            each.kill()
    process.wait()
