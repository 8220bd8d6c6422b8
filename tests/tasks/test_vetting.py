"""What a worker takes from the broker."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.vetting import task_flaw
from tests.integration.hostile import envelope, messages
from tests.servers import PROJECT

LEFT_TO_THE_TASK = {"a path for a chunk", "an answer wanted elsewhere"}
"""One id each, in our own wrapping: the task itself finds that there is no such chunk, and never answers anybody."""


@pytest.mark.parametrize("name", sorted(messages(Path("trap"))))
def test_whatever_is_not_ours_to_the_letter_is_refused(name: str) -> None:
    try:
        said = json.loads(messages(Path("trap"))[name])
    except (ValueError, RecursionError):
        return  # refused before it is looked at
    assert (task_flaw(said) is None) is (name in LEFT_TO_THE_TASK)


def test_our_own_is_taken() -> None:
    assert task_flaw(envelope("samplemind.analyze", ["01JD4V8Q2M6T9X3K7B5N1C0ZWE:0"])) is None
    assert task_flaw(envelope("samplemind.scan", ["01JD4V8Q2M6T9X3K7B5N1C0ZWE"], headers={"retries": 2})) is None


@pytest.mark.parametrize("name", ["body", "headers", "properties", "content-type", "content-encoding"])
@pytest.mark.parametrize("value", [None, 1, [], {}, "x", "x" * 10_000])
def test_no_part_of_a_message_can_be_anything_else(name: str, value: object) -> None:
    assert task_flaw({**envelope("samplemind.scan", ["x"]), name: value}) is not None


def test_bodies_that_are_not_three_things_are_refused() -> None:
    for body in (
        "null",
        "[]",
        "[[],{}]",
        '"abc"',
        "{}",
        '[["x"],{"a":1},{}]',
        '[["x"],{},[]]',
        '[["x"],{},{"chord":1}]',
    ):
        message = {**envelope("samplemind.scan", ["x"]), "body": base64.b64encode(body.encode()).decode()}
        assert task_flaw(message) is not None, body


def test_workers_answer_how_they_are_and_do_nothing_else_from_afar() -> None:
    code = "import tasks.app; from celery.worker.control import Panel; print(*sorted(Panel.data))"
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    answered = set(said.split())
    assert {"ping", "stats", "active"} <= answered
    assert not answered & {"shutdown", "revoke", "terminate", "pool_restart", "add_consumer", "memdump", "objgraph"}
