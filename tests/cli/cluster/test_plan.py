from __future__ import annotations

import socket
import tomllib
from pathlib import Path

import pytest

from cli.cluster.folder import DataFolder
from cli.cluster.plan import Options, Plan, cores, make_plan, parse_roots
from cli.errors import CommandError, UsageError
from config.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    return made


def planned(folder: DataFolder, options: Options, **given: object) -> Plan:
    plan = make_plan(Settings(data_dir=folder.path, **given), folder, options)
    plan.ports.close()
    return plan


def test_without_addresses_every_server_is_embedded_and_the_children_know_them(
    folder: DataFolder, tmp_path: Path
) -> None:
    plan = planned(folder, Options({"library": tmp_path}, workers=3))
    assert plan.embedded == ["chroma", "mongo", "redis"]
    names = [part.name for part in plan.parts]
    assert names[:3] == ["valkey", "secantusdb", "chroma"]
    assert {"prepare", "warm", "index", "reconcile", "worker-0", "worker-2", "flower", "gateway"} <= set(names)
    said = tomllib.loads(folder.settings_file.read_text())
    assert said["mongo"]["url"].startswith("mongodb://127.0.0.1:")
    assert folder.secret("redis") in said["redis"]["url"]
    assert said["roots"] == {"library": str(tmp_path)}
    assert said["flower"]["url"].endswith(str(said["flower"]["port"]))
    assert folder.settings_file.stat().st_mode & 0o777 == 0o600


def test_for_an_address_that_was_given_nothing_is_started(folder: DataFolder) -> None:
    plan = planned(folder, Options(), mongo={"url": "mongodb://127.0.0.1:27017"}, chroma={"url": "http://c:8000"})
    assert plan.embedded == ["redis"]
    assert [part.name for part in plan.parts if part.server] == ["valkey"]
    assert plan.settings.mongo.url.get_secret_value() == "mongodb://127.0.0.1:27017"


def test_another_setting_of_a_section_does_not_count_as_an_address(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLEMIND_MONGO__DATABASE", "mine")
    plan = planned(folder, Options())
    assert "mongo" in plan.embedded
    assert plan.settings.mongo.database == "mine"


def test_no_secret_stands_on_a_command_line(folder: DataFolder) -> None:
    plan = planned(folder, Options())
    assert not any(folder.secret("redis") in word for part in plan.parts for word in part.command)


def test_the_users_own_key_is_not_handed_to_the_processes(folder: DataFolder) -> None:
    planned(folder, Options(), api_key="sm_secret")
    assert "sm_secret" not in folder.settings_file.read_text()


def test_a_gateway_port_that_was_asked_for_and_is_taken_is_an_error(folder: DataFolder) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        with pytest.raises(CommandError, match="taken"):
            planned(folder, Options(port=sock.getsockname()[1]))


def test_more_workers_than_cores_go_round_again() -> None:
    available = cores(None)
    assert cores(len(available) + 1) == [*available, available[0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("library", "NAME=PATH"),
        ("library=", "NAME=PATH"),
        ("my library=/", "letters, digits"),
        ("uploads=/", "taken by the gateway"),
        ("library=/no/such/folder", "does not exist"),
    ],
)
def test_a_root_that_makes_no_sense_is_refused_in_words(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_roots([given])


def test_a_root_that_is_a_file_is_not_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "kick.wav").touch()
    with pytest.raises(UsageError, match="is a file, not a folder"):
        parse_roots([f"one={tmp_path / 'kick.wav'}"])


def test_roots_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a=b").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse_roots(["one=.", "two=a=b"]) == {"one": tmp_path.resolve(), "two": (tmp_path / "a=b").resolve()}
    with pytest.raises(UsageError, match="twice"):
        parse_roots(["one=.", "one=a=b"])
