"""A whole cluster for the fault tests: every server a child process behind a proxy, everything else under `up`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from config.environment import child_environment
from tests.faults.changes import hooked
from tests.faults.disks import Disks, mounted
from tests.faults.proxy import Proxy
from tests.integration.cluster import Cluster, running
from tests.integration.material import make_short_files
from tests.rabbit import rabbit_server
from tests.servers import PROJECT, Server, chroma_server, mongo_server, valkey_server

LEASE_S = 6
"""Short, so that what a dead worker held comes back while somebody waits for it."""

_DISKS = ("mongo", "redis", "chroma", "data", "library")


class Plant:
    """The servers, the links to them, and the cluster that uses those links."""

    def __init__(
        self,
        folder: Path,
        servers: Mapping[str, Server],
        links: Mapping[str, Proxy],
        cluster: Cluster,
        disks: Disks,
        patches: Sequence[str] = (),
        patience: float = 1.0,
    ) -> None:
        self.folder, self.servers, self.links, self.cluster, self.disks = folder, servers, links, cluster, disks
        self._patches = patches
        self.patience = patience
        """The end of a job, once all is healed, is waited for so many times as long."""
        self._pause = threading.Event()

    @property
    def broker(self) -> Server:
        """The server of the queue."""
        return self.servers.get("rabbitmq", self.servers["redis"])

    @property
    def said_to_hook(self) -> Path:
        """What the changed parts of the product are told: `tests.faults.patches`."""
        return self.folder / "hook"

    def hooked(self, *patches: str) -> dict[str, str]:
        """The environment of a part that is changed by these patches, and as all of the plant is."""
        return hooked(self.said_to_hook, *patches, *self._patches)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._pause.wait(seconds)

    def wait_for(self, what: Callable[[], bool], within_s: float = 60, each_s: float = 0.05) -> None:
        """Wait until something is so."""
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, f"not within {within_s:.0f} s"
            self._pause.wait(each_s)

    def wait_for_end(self, what: Callable[[], bool], within_s: float, each_s: float = 0.2) -> None:
        """Wait until something is so that has to follow by itself once all is healed."""
        self.wait_for(what, within_s * self.patience, each_s)

    def under_way(self, job_id: str, share: float = 0.1) -> None:
        """Wait until so much of a job has ended."""

        def is_so() -> bool:
            counts = self.cluster.job(job_id)["counts"]
            return bool(counts["submitted"] and counts["submitted"] - counts["pending"] >= share * counts["submitted"])

        self.wait_for(is_so)

    def over(self, job_id: str) -> bool:
        """Whether a job has ended. A gateway that is away cannot say so; one that is there must add up."""
        try:
            answer = self.cluster.http.get(f"/v1/jobs/{job_id}")
        except httpx.HTTPError:
            return False
        if answer.status_code != 200:
            return False
        counts = dict(answer.json()["counts"])
        assert counts.pop("submitted") == sum(counts.values()), answer.text
        return bool(answer.json()["state"] in ("complete", "cancelled", "failed"))

    def worker_parents(self) -> list[psutil.Process]:
        """Celery's main processes."""
        found = self.cluster.processes("--pool prefork")
        below = {child.pid for each in found for child in _children(each)}
        return [each for each in found if each.pid not in below]

    def worker_children(self) -> list[psutil.Process]:
        """The processes that do the work, one of each worker."""
        return [child for parent in self.worker_parents() for child in _children(parent)]

    def decoders(self) -> list[psutil.Process]:
        """The processes that decode for the workers."""
        return self.cluster.processes("decode_process")

    def heal(self) -> None:
        """Every link passes everything on, every stopped process goes on, every server runs."""
        for link in self.links.values():
            link.heal()
        self.disks.make_room()
        for process in self.everything():
            _go_on(process)
        for server in self.servers.values():
            if server.process is None or server.process.poll() is not None:
                server.start()
            _go_on(psutil.Process(server.process.pid) if server.process else None)

    @contextmanager
    def extra(
        self, module: str, before: Callable[[], None] | None = None, **environment: str
    ) -> Iterator[psutil.Process]:
        """One more part of the cluster, with the cluster's settings and something odd about its environment.

        What `before` does is done in the new process before it becomes the part.
        """
        whole = child_environment(self.cluster.data_dir / "run" / "settings.toml", **environment)
        log = self.folder / f"{module}-{len(list(self.folder.glob('*.log')))}.log"
        with log.open("ab") as said:
            command = [sys.executable, "-m", module]
            process = subprocess.Popen(command, cwd=PROJECT, env=whole, stdout=said, stderr=said, preexec_fn=before)
        try:
            yield psutil.Process(process.pid)
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextmanager
    def suspended(self, processes: Sequence[psutil.Process]) -> Iterator[None]:
        """Processes that do nothing meanwhile, with their children; nor does the supervisor, who would replace them."""
        stopped = [psutil.Process(self.cluster.process.pid)]
        stopped += [each for process in processes for each in (process, *process.children(recursive=True))]
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                _go_on(process)

    def everything(self) -> list[psutil.Process]:
        """The supervisor and all below it."""
        supervisor = psutil.Process(self.cluster.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children())
    except psutil.NoSuchProcess:
        return []


def lives(process: psutil.Process) -> bool:
    """Whether it runs: it has not ended, buried or not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _go_on(process: psutil.Process | None) -> None:
    try:
        if process is not None and process.status() == psutil.STATUS_STOPPED:
            process.resume()
    except psutil.NoSuchProcess:
        return


@contextmanager
def started_plant(
    folder: Path,
    *,
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
    patches: Sequence[str] = (),
    patience: float = 1.0,
    broker: str = "redis",
) -> Iterator[Plant]:
    """A ready plant on servers of its own; its library root is ``library`` in `folder`.

    With `broker` ``rabbitmq`` the queue is there; Redis has the signs of life only.
    """
    library = folder / "library"
    library.mkdir(parents=True)
    (folder / "hook").mkdir()
    with ExitStack() as stack:
        servers, links = {}, {}
        disks = stack.enter_context(
            mounted([folder / name for name in ("mongo", "redis", "chroma", "data", "library")])
        )
        for name, make in (("mongo", mongo_server), ("redis", valkey_server), ("chroma", chroma_server)):
            server = make(folder / name)
            stack.callback(server.stop)
            servers[name] = server.start()
            links[name] = stack.enter_context(Proxy(server.port))
        if broker == "rabbitmq":
            rabbit = rabbit_server(folder / "rabbitmq")
            stack.callback(rabbit.stop)
            servers["rabbitmq"] = rabbit.start()
            links["rabbitmq"] = stack.enter_context(Proxy(rabbit.port))
            environment = {**(environment or {}), "SAMPLEMIND_RABBITMQ__URL": rabbit.url_of(links["rabbitmq"].port)}
        settings = {
            "SAMPLEMIND_MONGO__URL": f"mongodb://127.0.0.1:{links['mongo'].port}/?directConnection=true",
            "SAMPLEMIND_REDIS__URL": f"redis://127.0.0.1:{links['redis'].port}/0",
            "SAMPLEMIND_CHROMA__URL": f"http://127.0.0.1:{links['chroma'].port}",
            "SAMPLEMIND_CHROMA__CHECK_INTERVAL_S": "3",  # an index that was lost unnoticed is missed soon
            "SAMPLEMIND_QUEUE__LEASE_S": str(LEASE_S),
            "SAMPLEMIND_QUEUE__CHUNK_FILES": "40",
            "SAMPLEMIND_QUEUE__TASK_TIME_LIMIT_S": "15",
            "SAMPLEMIND_QUEUE__VISIBILITY_TIMEOUT_S": "30",  # what a dead worker had taken is delivered again
            **hooked(folder / "hook", "version", *patches),
            **(environment or {}),
        }
        roots = {"library": library}
        cluster = stack.enter_context(running(folder / "data", roots, workers=workers, environment=settings))
        make_short_files(library / "warm", 80 * workers)  # so that every process is there that will be
        cluster.wait_job(cluster.submit("warm"))
        yield Plant(folder, servers, links, cluster, disks, patches, patience)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the cluster is made of: to be the same after a fault as before it."""

    processes: int
    """Without what a worker starts with its first file: its decoder, and Python's tracker of shared memory."""
    descriptors: int
    resident_mb: float


def footprint(plant: Plant) -> Footprint:
    """The cluster's now. The dead are not counted: a worker that rests buries its killed decoder with its next file."""
    there = [process for process in plant.everything() if lives(process)]
    resident = sum(process.memory_info().rss for process in there) / 1e6
    later = [*plant.decoders(), *plant.cluster.processes("resource_tracker")]
    return Footprint(len(there) - len(later), sum(process.num_fds() for process in there), resident)
