"""Two servers lend their cores to a third over TLS and do one job together; what keeps a machine out is said.

The third is this machine: its Redis and its ledger listen on loopback only, and before them a door takes TLS at the
address of a cable to two network namespaces, the other servers. (Where a `redis-server` with TLS is installed, as
Debian's, that is the broker and takes TLS itself.) Each part is a user of its own, with no more than its rights.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from cli.cluster.joining import refuse_what_cannot_work
from cli.errors import CommandError
from config.settings import Settings
from tests.faults.hosts import Network, why_not
from tests.integration.cluster import START_S
from tests.integration.hardened import PARTS, Hardened, as_user, child, hardened
from tests.integration.material import make_short_files
from tests.integration.tls import make_papers
from tests.servers import PROJECT
from workers.model import ANALYZER_VERSION

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
FILES = 400
SERVERS = ("one", "two")


@dataclass
class Site:
    """The cluster, and the way of other servers to it."""

    cluster: Hardened
    network: Network
    folder: Path

    def settings(self, **changed: object) -> Settings:
        """Those of a server that may join, but for what is `changed`."""
        said = as_user("worker", self.cluster.doors)
        data = self.folder / "joined"
        data.mkdir(exist_ok=True)
        if not (data / "uploads").is_symlink():
            (data / "uploads").symlink_to(self.folder / "data" / "uploads")
        values: dict[str, object] = {
            "data_dir": data,
            "roots": {"library": self.folder / "library"},
            "redis": {"url": said["SAMPLEMIND_REDIS__URL"], "tls_ca": self.cluster.papers.ca},
            "mongo": {"url": said["SAMPLEMIND_MONGO__URL"], "tls_ca": self.cluster.papers.ca},
        }
        return Settings.model_validate({**values, **changed})

    def refused(self, **changed: object) -> str:
        """Why such a server is not let in."""
        with pytest.raises(CommandError) as why:
            refuse_what_cannot_work(self.settings(**changed), plain=False, trust_roots=False)
        return str(why.value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if reason := why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("join")
    make_short_files(folder / "library", FILES)
    (folder / "data" / "uploads").mkdir(parents=True)
    network = Network(SERVERS)
    try:
        network.make()
        here = [user for user in PARTS if user not in ("worker", "flower")]
        with hardened(folder, folder / "library", network.here, here) as cluster:
            cluster.wait_for(lambda: asked(cluster, "/health"))
            yield Site(cluster, network, folder)
    finally:
        network.remove()


def asked(cluster: Hardened, path: str) -> bool:
    try:
        return cluster.http.get(path).status_code == 200
    except httpx.TransportError:
        return False


def joined(site: Site, name: str) -> subprocess.Popen[bytes]:
    """``samplemind worker`` on another server; its address of the cluster is in its environment."""
    said = {**as_user("worker", site.cluster.doors), "SAMPLEMIND_QUEUE__CHUNK_FILES": "10"}
    command = [sys.executable, "-m", "cli", "worker", "--ca", site.cluster.papers.ca, "--workers", "1", "--name", name]
    command += ["--root", f"library={site.folder / 'library'}", "--uploads", site.folder / "data" / "uploads"]
    command += ["--data-dir", site.folder / name]
    inside = ["ip", "netns", "exec", site.network.host(name)]
    with (site.cluster.logs / f"{name}.log").open("ab") as log:
        return subprocess.Popen([*inside, *map(str, command)], cwd=PROJECT, env=child(said), stdout=log, stderr=log)


def has_joined(site: Site, name: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, site.cluster.said()
    return "1 worker has joined the cluster" in (site.cluster.logs / f"{name}.log").read_text()


def facts(site: Site, name: str) -> Mapping[str, str]:
    found: Mapping[str, str] = site.cluster.broker.hgetall(f"sm:part:worker:worker-0@{name}")
    return found


@pytest.fixture(scope="module")
def both(site: Site) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Two servers that have joined."""
    running = {name: joined(site, name) for name in SERVERS}
    try:
        for name in SERVERS:
            # a cold kernel cache is compiled first
            site.cluster.wait_for(lambda name=name: has_joined(site, name, running[name]), START_S)
        yield running
    finally:
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        assert [process.wait(60) for process in running.values()] == [0, 0]


def test_two_servers_do_one_job_over_tls(site: Site, both: dict[str, subprocess.Popen[bytes]]) -> None:
    cluster = site.cluster
    job = cluster.http.post("/v1/jobs", json={"source": {"root": "library"}}).json()["id"]
    cluster.wait_for(lambda: cluster.http.get(f"/v1/jobs/{job}").json()["state"] == "complete")
    counts = cluster.http.get(f"/v1/jobs/{job}").json()["counts"]
    assert (counts["submitted"], counts["done"] + counts["duplicate"]) == (FILES, FILES)
    assert [name for name in SERVERS if int(facts(site, name)["chunks"]) > 0] == list(SERVERS)
    rows = cluster.http.get(f"/v1/jobs/{job}/files", params={"limit": 1000}).json()["items"]
    assert len({row["path"] for row in rows}) == FILES
    assert cluster.http.get(f"/v1/samples/{rows[0]['sample_id']}").json()["analyzer"] == ANALYZER_VERSION


def test_a_worker_that_is_killed_is_started_again_and_ctrl_c_leaves_nothing(
    site: Site, both: dict[str, subprocess.Popen[bytes]]
) -> None:
    before = facts(site, "one")
    os.kill(int(before["pid"]), signal.SIGKILL)
    site.cluster.wait_for(lambda: facts(site, "one").get("pid", before["pid"]) != before["pid"])
    family = psutil.Process(both["one"].pid).children(recursive=True)
    both["one"].send_signal(signal.SIGINT)
    assert both["one"].wait(60) == 0
    assert not psutil.wait_procs(family, timeout=10)[1]
    assert facts(site, "one") == {}
    said = (site.cluster.logs / "one.log").read_text()
    assert "; starting it again in " in said
    assert "everything is stopped" in said
    assert "password" not in said


def test_a_server_is_let_in_whose_everything_is_right(site: Site) -> None:
    assert refuse_what_cannot_work(site.settings(), plain=False, trust_roots=False).roots == ("library", "uploads")


def test_a_wrong_password_certificate_or_library_is_named(
    site: Site, both: dict[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    right, other = site.settings(), make_papers(tmp_path / "papers").ca
    broker, ledger = right.redis.url.get_secret_value(), right.mongo.url.get_secret_value()
    ours = {"tls_ca": site.cluster.papers.ca}
    refused = [
        site.refused(redis={**ours, "url": broker.replace("-secret", "-guess")}),
        site.refused(mongo={**ours, "url": ledger.replace("-secret", "-guess")}),
    ]
    assert all("refuses the user or the password" in sentence for sentence in refused)
    assert "does not trust" in site.refused(redis={"url": broker, "tls_ca": other})
    assert "does not trust" in site.refused(mongo={"url": ledger, "tls_ca": other})
    assert "without TLS" in site.refused(redis={"url": broker.replace("rediss:", "redis:")})
    assert "--root library=PATH" in site.refused(roots={})
    assert "--uploads PATH" in site.refused(data_dir=tmp_path)
    # both servers have done files of this library by now
    assert "is it mounted?" in site.refused(roots={"library": tmp_path})
