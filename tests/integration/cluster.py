"""A whole cluster, started as a user would start it, and a client of its gateway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.servers import PROJECT, free_port

START_S = 180
"""Longest wait for a cluster: a cold kernel cache is compiled first."""


class Cluster:
    """A running ``samplemind up`` and its HTTP door."""

    def __init__(
        self,
        data_dir: Path,
        roots: Mapping[str, Path | str],
        workers: int = 2,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        command = [sys.executable, "-m", "cli", "up", "--data-dir", str(data_dir), "--port", str(self.port)]
        command += ["--workers", str(workers)]
        for name, path in roots.items():
            command += ["--root", f"{name}={path}"]
        self.log = open(data_dir.parent / f"{data_dir.name}.log", "wb")  # noqa: SIM115 - closed by stop()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SAMPLEMIND_")}
        whole = {**clean, **(environment or {})}
        self.process = subprocess.Popen(
            command, cwd=PROJECT, env=whole, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    @property
    def flower(self) -> str:
        """Where Flower is, without a slash at the end."""
        return str(json.loads((self.data_dir / "run" / "cluster.json").read_text())["flower_url"]).rstrip("/")

    def said(self) -> str:
        """What `up` printed so far."""
        return Path(self.log.name).read_text(errors="replace")

    def wait_ready(self, within_s: float = START_S) -> None:
        """Wait for /ready, or fail with what was printed."""
        pause = threading.Event()
        end = time.monotonic() + within_s
        last = ""
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"up ended with {self.process.returncode}:\n{self.said()}")
            try:
                answer = self.http.get("/ready")
                if answer.status_code == 200:
                    return
                last = answer.text
            except httpx.TransportError as error:
                last = repr(error)
            pause.wait(0.25)
        raise AssertionError(f"not ready after {within_s} s: {last}\n{self.said()}")

    def submit(self, path: str = "", pattern: str = "**/*", root: str = "library", **more: Any) -> str:
        """Send a folder job and give its id."""
        body = {"source": {"root": root, "path": path, "pattern": pattern}, **more}
        answer = self.http.post("/v1/jobs", json=body)
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"].endswith(answer.json()["id"])
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """The job now; its counts must add up at every moment."""
        answer = self.http.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        counts = dict(job["counts"])
        assert counts.pop("submitted") == sum(counts.values()), job
        return job

    def wait_job(self, job_id: str, within_s: float = 120) -> dict[str, Any]:
        """Wait for a job's end."""
        pause = threading.Event()
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            job = self.job(job_id)
            if job["state"] in ("complete", "cancelled", "failed"):
                return job
            pause.wait(0.1)
        raise AssertionError(f"job not over after {within_s} s: {self.job(job_id)}\n{self.said()[-3000:]}")

    def files(self, job_id: str, **query: str) -> list[dict[str, Any]]:
        """Every row of a job, through all pages."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = self.http.get(
                f"/v1/jobs/{job_id}/files", params={**query, **({"cursor": cursor} if cursor else {})}
            )
            assert answer.status_code == 200, answer.text
            rows += answer.json()["items"]
            cursor = answer.json()["next"]
            if cursor is None:
                return rows

    def events(self, job_id: str, within_s: float = 60, last_id: str | None = None) -> Iterator[tuple[str, str, Any]]:
        """(event, id, data) of a job until its stream ends."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self.http.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers, timeout=within_s) as stream:
            event = {"event": "", "id": "", "data": ""}
            for line in stream.iter_lines():
                if not line:
                    if event["data"]:
                        yield event["event"], event["id"], json.loads(event["data"])
                    event = {"event": "", "id": "", "data": ""}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    event[name] = value

    def processes(self, word: str) -> list[psutil.Process]:
        """Processes of this cluster whose command line holds a word."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if word in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def stop(self, how: signal.Signals = signal.SIGTERM, within_s: float = 60) -> int:
        """Stop it and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(within_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.http.close()
            self.log.close()


@contextmanager
def running(
    data_dir: Path, roots: Mapping[str, Path | str], workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """A ready cluster, stopped at the end; it must stop cleanly."""
    cluster = Cluster(data_dir, roots, workers, environment)
    try:
        cluster.wait_ready()
        yield cluster
    finally:
        code = cluster.stop()
    assert code == 0, cluster
