from __future__ import annotations

import json
import subprocess
import sys

import pytest
from celery.app.defaults import NAMESPACES, flatten
from kombu.transport.redis import Channel
from kombu.utils.scheduling import cycle_by_name

from config.settings import QueueSettings, RedisSettings, Settings
from tasks.configuration import celery_config
from tasks.names import QueueName, TaskName
from tasks.worker import command, environment


def test_every_name_is_one_that_celery_and_kombu_know() -> None:
    """Celery takes a setting it does not know without a word."""
    said = celery_config(Settings())
    assert set(said) <= set(dict(flatten(NAMESPACES)))
    assert set(said["broker_transport_options"]) <= set(Channel.from_transport_options)


def test_the_settings_reach_celery() -> None:
    said = celery_config(
        Settings(
            redis=RedisSettings(url="redis://:secret@redis:6379/3", key_prefix="mine:", socket_timeout_s=7),
            queue=QueueSettings(task_time_limit_s=60, visibility_timeout_s=120, soft_shutdown_s=5),
        )
    )
    assert said["broker_url"] == "redis://:secret@redis:6379/3"
    assert said["task_time_limit"] == 60
    assert said["worker_soft_shutdown_timeout"] == 5
    transport = said["broker_transport_options"]
    assert (transport["global_keyprefix"], transport["visibility_timeout"], transport["socket_timeout"]) == (
        "mine:",
        120,
        7,
    )


def test_a_worker_looks_at_the_urgent_queues_first_and_never_changes_the_order() -> None:
    cycle = cycle_by_name(celery_config(Settings())["broker_transport_options"]["queue_order_strategy"])()
    names = [name.value for name in QueueName]
    cycle.update(names)
    cycle.rotate("interactive")
    assert cycle.consume(4) == ["interactive", "scan", "normal", "bulk"]
    assert command(Settings())[command(Settings()).index("--queues") + 1] == "interactive,scan,normal,bulk"


def test_a_worker_sees_one_thread_a_library_and_a_gentle_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_WORKER__CORE", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    seen = environment()
    assert {seen["OMP_NUM_THREADS"], seen["NUMBA_NUM_THREADS"]} == {"1"}
    assert seen["REMAP_SIGTERM"] == "SIGQUIT"
    assert seen["SAMPLEMIND_WORKER__CORE"] == "1"
    assert "AWS_SECRET_ACCESS_KEY" not in seen


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("tasks.send", ("numba", "numpy", "pymongo", "chromadb", "workers.analysis", "workers.audio")),
        ("tasks.pattern", ("celery", "numba", "numpy", "pymongo", "redis")),
        ("tasks.names", ("celery", "numba", "numpy", "pymongo", "redis")),
        ("tasks.flower_app", ("numba", "numpy", "pymongo", "chromadb", "tasks.analyze")),
        ("tasks.analyze", ("numba", "numpy", "pymongo", "chromadb")),
        ("tasks.scan", ("numba", "numpy", "pymongo", "chromadb")),
        ("tasks.reconcile", ("numba", "numpy", "chromadb")),
    ],
)
def test_loads_no_more_than_its_process_may(module: str, absent: tuple[str, ...]) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not set(json.loads(ran.stdout)) & set(absent)


def test_tasks_have_the_names_that_are_sent() -> None:
    code = "from tasks.app import app; app.loader.import_default_modules(); print(*sorted(app.tasks))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {name.value for name in TaskName} == {name for name in ran.stdout.split() if not name.startswith("celery.")}
