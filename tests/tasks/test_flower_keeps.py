"""Flower's list of tasks outlives its process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from celery import Celery

from config.environment import child_environment
from config.settings import RedisSettings, Settings
from tasks.configuration import celery_config
from tests.integration.waiting import wait_for
from tests.servers import PROJECT, free_port

pytestmark = pytest.mark.integration
CHUNK = "01JD4V8Q2M6T9X3K7B5N1C0ZWE:0"


@contextmanager
def flower(environment: dict[str, str], port: int) -> Iterator[str]:
    """A running Flower's address; told to end as any part is."""
    process = subprocess.Popen([sys.executable, "-m", "tasks.monitor"], cwd=PROJECT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(url), 60)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthcheck").status_code == 200
    except httpx.TransportError:
        return False


def chunks(url: str) -> set[Any]:
    """The chunks that it lists as done."""
    said = httpx.get(f"{url}/api/tasks").json().values()
    return {task["args"] for task in said if task["state"] == "SUCCESS"}


def test_what_flower_saw_is_there_after_its_restart(redis_url: str, tmp_path: Path) -> None:
    prefix, port = f"{uuid4().hex}:", free_port()
    said = {
        "SAMPLEMIND_DATA_DIR": str(tmp_path),
        "SAMPLEMIND_REDIS__URL": redis_url,
        "SAMPLEMIND_REDIS__KEY_PREFIX": prefix,
        "SAMPLEMIND_FLOWER__PORT": str(port),
    }
    environment = {**child_environment(), **said}
    app = Celery(set_as_current=False)
    app.conf.update(celery_config(Settings(redis=RedisSettings(url=redis_url, key_prefix=prefix))))
    task = {"uuid": "one", "name": "samplemind.analyze", "args": CHUNK, "kwargs": ""}

    def tell(url: str) -> bool:
        """Again until it is heard: who listens to a broadcast hears nothing of before."""
        with app.connection_for_write() as connection:
            say = app.events.Dispatcher(connection, hostname="worker-0@here")
            say.send("task-received", **task)
            say.send("task-started", **task)
            say.send("task-succeeded", **task, result="None", runtime=0.5)
        return chunks(url) == {CHUNK}

    with flower(environment, port) as url:
        wait_for(lambda: tell(url), 60)
    with flower(environment, port) as url:
        assert chunks(url) == {CHUNK}
    app.close()
