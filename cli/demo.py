"""The demo: a library made here, the main job through HTTP and the queue, and what was found."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from cli.cluster.folder import DataFolder
from cli.cluster.plan import Options, Plan
from cli.cluster.process import Part
from cli.cluster.supervisor import Supervisor
from cli.cluster.up import up, wait_ready
from cli.console import err, escape, out
from cli.demo_truth import Truth, read_truth
from cli.errors import CommandError, Interrupted, UsageError
from cli.follow import conservation, watch
from cli.found import Cluster, find_cluster
from cli.gateway import Gateway, Json, Unreachable
from cli.place import Place, place_of
from cli.results import refused_table, results_table
from cli.submit import post_job, root_names
from config.environment import child_environment
from config.settings import Settings

SHOWN = 120
"""Rows of a user's own library in the table."""
START_S = 300.0


def demo(settings: Settings, *, library: Path | None, leave: bool, port: int | None, workers: int | None) -> bool:
    """Run it; whether every file was accounted for.

    Raises
    ------
    CommandError
        The cluster could not be started, or one that runs already does not offer the library.
    """
    folder = DataFolder(settings.data_dir.expanduser().resolve())
    if library is not None and not library.expanduser().is_dir():
        raise UsageError(f"--library wants a folder of samples; {library} is none.")
    wanted = library.expanduser().resolve() if library else folder.path / "demo" / "library"
    if folder.running():
        return _on_running(folder, wanted, made=library is None)
    name = "library" if library else "demo"
    tour = Tour(wanted, made=library is None, leave=leave)
    options = Options({name: wanted}, port=port, workers=workers)
    up(settings, options, on_ready=tour.begin, extra=[_maker(folder)] if library is None else [])
    return tour.well()


def _maker(folder: DataFolder) -> Part:
    """Makes the library while the servers start."""
    return Part(
        name="demo-library",
        title="demo library",
        command=(sys.executable, "-m", "cli.demo_library", str(folder.path / "demo")),
        environment=child_environment(folder.settings_file),
        ready=lambda: True,
        once=True,
    )


def _on_running(folder: DataFolder, wanted: Path, *, made: bool) -> bool:
    err().print(f"A cluster already runs on {escape(str(folder.path))}: using it.")
    if not wait_ready(folder, START_S, threading.Event().wait):
        raise CommandError(f"The cluster on {folder.path} does not become ready; see {folder.logs}.")
    if made:
        from cli.demo_library import make

        make(wanted.parent)
    return _show(find_cluster(None, folder.path), wanted, made=made)


class Tour:
    """The client's side, in a thread beside the supervisor, which needs the main one."""

    def __init__(self, library: Path, *, made: bool, leave: bool) -> None:
        self._library, self._made, self._leave = library, made, leave
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)
        self._stop = threading.Event()
        self._supervisor: Supervisor | None = None
        self._well: bool | None = None
        self._error: CommandError | None = None

    def begin(self, plan: Plan, supervisor: Supervisor) -> None:
        """Start, once the cluster is ready."""
        self._supervisor = supervisor
        key = plan.settings.api_key
        roots = plan.settings.all_roots
        self._cluster = Cluster(plan.url, key.get_secret_value() if key else None, roots, plan.folder.path)
        self._thread.start()

    def _run(self) -> None:
        assert self._supervisor is not None
        try:
            self._well = _show(self._cluster, self._library, made=self._made, stop=self._stop)
        except CommandError as error:
            self._error = error
        if self._leave or self._error:
            self._supervisor.request_stop()
        else:
            err().print(f"The cluster stays up: look at [bold]{self._cluster.url}[/]. Ctrl-C stops everything.")

    def well(self) -> bool:
        """How it ended, once the cluster is down."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(5)
        if self._well is None:
            # a client that lost its gateway because that was stopped has nothing to tell
            asked = self._error is not None and not isinstance(self._error, Unreachable)
            raise self._error if asked and self._error else Interrupted("The demo was stopped before its end.")
        return self._well


def _show(cluster: Cluster, library: Path, *, made: bool, stop: threading.Event | None = None) -> bool:
    with Gateway(cluster) as gateway:
        place = place_of(str(library), cluster, root_names(gateway))
        began = time.monotonic()
        job = post_job(gateway, place, "interactive")
        err().print(
            f"Submitted {escape(_named(place))} as job {job['id']}; it goes through HTTP, the queue and the workers."
        )
        job = watch(gateway, job["id"], stop=stop)
        took = time.monotonic() - began
        rows = list(gateway.pages(f"/v1/jobs/{job['id']}/files", limit=1000 if made else SHOWN))[
            : None if made else SHOWN
        ]
        samples = {each: gateway.get(f"/v1/samples/{each}") for each in {row["sample_id"] for row in rows} if each}
    return _report(job, rows, samples, read_truth(library.parent) if made else {}, took)


def _report(job: Json, rows: list[Json], samples: dict[str, Json], truths: dict[str, Truth], took: float) -> bool:
    found, score = results_table(rows, samples, truths)
    out().print(found)
    if refused := refused_table(rows):
        out().print(refused)
    counts = job["counts"]
    if len(rows) < counts["submitted"]:
        out().print(
            f"... the first {len(rows)} of {counts['submitted']:,} files; all: ./samplemind jobs files {job['id']}"
        )
    out().print(conservation(counts), markup=False)
    out().print(f"{took:.1f} s, {counts['submitted'] / took:.1f} files/s", markup=False)
    if score.known:
        out().print("✓ as it was composed; ✗ otherwise, and how it was; no mark where nothing is known.", markup=False)
        out().print(f"Right, where the truth is known: {', '.join(score.lines())}", markup=False)
    if counts["reused"]:
        out().print("reused: this content was analysed before, so it was only looked up.", markup=False)
    if job.get("reason"):
        err().print(escape(job["reason"]["message"]))
    return bool(job["state"] == "complete" and not counts["pending"])


def _named(place: Place) -> str:
    return f"{place.root}/{place.path}".rstrip("/")
