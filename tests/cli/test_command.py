"""The command as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
HEAVY = ("numpy", "numba", "pydantic", "httpx", "pymongo", "celery", "rich.progress", "soundfile")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAMPLEMIND_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=PROJECT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=240,  # a cold kernel cache is compiled first
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        "",
        "up",
        "demo",
        "submit",
        "jobs",
        "jobs files",
        "jobs watch",
        "keys",
        "keys create",
        "warm",
        "doctor",
        "analyze",
        "worker",
    ],
)
def test_help_is_there_for_every_command(words: str) -> None:
    done = run(*words.split(), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_the_list_of_commands_holds_whole_sentences() -> None:
    listed = run("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(listed) >= 10
    assert [line for line in listed if line.endswith("...") or not line.endswith(".")] == []


def test_warm_says_one_line_and_its_figures_only_where_they_are_wanted() -> None:
    done = run("warm")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == 1
    assert set(json.loads(run("warm", "--json").stdout)) >= {"kernels", "cache_hits"}


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up", "--root", "nonsense"], "NAME=PATH"),
        (["up", "--port", "many"], "--port"),
        (["submit"], "Missing argument"),
        (["jobs", "files", "x", "--status", "lost"], "lost"),
        (["nonsense"], "nonsense"),
        (["jobs", "--url", "http://127.0.0.1:9", "show", "x"], "behind the command"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_code_two(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gateway_that_is_not_there_is_a_sentence_and_exit_code_one(tmp_path: Path) -> None:
    done = run("jobs", "--help")
    assert done.returncode == 0
    for words in (["jobs", "list"], ["jobs"]):
        done = run(*words, "--url", "http://127.0.0.1:9", SAMPLEMIND_DATA_DIR=str(tmp_path))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "cannot be reached" in done.stderr


def test_a_wrong_setting_is_named_and_nothing_starts(tmp_path: Path) -> None:
    done = run("up", SAMPLEMIND_DATA_DIR=str(tmp_path), SAMPLEMIND_QUEUE__LEASE_S="-1")
    assert done.returncode == 2
    assert "SAMPLEMIND_QUEUE__LEASE_S" in done.stderr
    assert not (tmp_path / "RUNNING").exists()


def test_the_doctor_names_a_wrong_setting_and_a_missing_root(tmp_path: Path) -> None:
    done = run("doctor", SAMPLEMIND_DATA_DIR=str(tmp_path), SAMPLEMIND_GATEWAY__PORT="x")
    assert done.returncode == 1
    assert "SAMPLEMIND_GATEWAY__PORT" in done.stdout
    done = run("doctor", SAMPLEMIND_DATA_DIR=str(tmp_path), SAMPLEMIND_ROOTS='{"library": "/no/such"}')
    assert done.returncode == 1
    assert "/no/such" in done.stdout


def test_the_doctor_takes_no_file_for_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("doctor", SAMPLEMIND_DATA_DIR=str(tmp_path / "file"))
    assert "file cannot be written." in done.stdout
    assert "chmod" not in done.stdout


def test_the_doctor_says_which_of_your_own_servers_does_not_answer(tmp_path: Path) -> None:
    done = run("doctor", SAMPLEMIND_DATA_DIR=str(tmp_path), SAMPLEMIND_MONGO__URL="mongodb://u:secret@127.0.0.1:9/x")
    assert done.returncode == 1
    assert "Nobody answers at 127.0.0.1:9" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_settings_hide_secrets(tmp_path: Path) -> None:
    done = run("settings", SAMPLEMIND_DATA_DIR=str(tmp_path), SAMPLEMIND_MONGO__URL="mongodb://u:hunter2@h/x")
    assert done.returncode == 0
    assert "hunter2" not in done.stdout
    assert "SAMPLEMIND_MONGO__URL" in done.stdout
