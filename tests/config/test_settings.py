"""Settings: where values come from, and what a wrong one does."""

from __future__ import annotations

import ast
import importlib.metadata
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import ConfigFileMissing, Settings

PROJECT = Path(__file__).parents[2]
ROOMS = ("config", "workers", "stores", "tasks", "api", "cli")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SAMPLEMIND_")]:
        monkeypatch.delenv(name)


def test_the_environment_sets_a_field_of_a_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_QUEUE__LEASE_S", "12.5")
    settings = Settings()
    assert settings.queue.lease_s == 12.5
    assert settings.queue.max_attempts == Settings().queue.max_attempts


def test_a_toml_file_is_weaker_than_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[gateway]\nport = 9001\npage_size = 7\n[roots]\nlibrary = "/music"\n')
    monkeypatch.setenv("SAMPLEMIND_CONFIG_FILE", str(file))
    monkeypatch.setenv("SAMPLEMIND_GATEWAY__PORT", "9002")
    settings = Settings()
    assert (settings.gateway.port, settings.gateway.page_size) == (9002, 7)
    assert settings.roots == {"library": Path("/music")}


def test_a_secret_file_sets_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mongo__url").write_text("mongodb://user:secret@db/\n")
    monkeypatch.setenv("SAMPLEMIND_SECRETS_DIR", str(tmp_path))
    assert Settings().mongo.url.get_secret_value() == "mongodb://user:secret@db/"
    assert "secret@db" not in repr(Settings())


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("SAMPLEMIND_QUEUE__LEASE_S", "-3", "queue.lease_s"),
        ("SAMPLEMIND_GATEWAY__PORT", "70000", "gateway.port"),
        ("SAMPLEMIND_QUEUE__VISIBILITY_TIMEOUT_S", "400", "queue.visibility_timeout_s"),
        ("SAMPLEMIND_MONGO__NO_SUCH_THING", "1", "mongo.no_such_thing"),
        ("SAMPLEMIND_ROOTS", '{"library": "relative/path"}', "roots"),
        ("SAMPLEMIND_ROOTS", '{"a/b": "/x"}', "roots"),
        ("SAMPLEMIND_LOG__LEVEL", "loud", "log.level"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_field(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as stopped:
        Settings()
    assert any(".".join(map(str, error["loc"])) == field for error in stopped.value.errors())


def test_a_config_file_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_CONFIG_FILE", "no-such-file.toml")
    with pytest.raises(ConfigFileMissing, match=r"no-such-file\.toml"):
        Settings()


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().queue.lease_s = 3  # type: ignore[misc]


def test_the_figures_of_rows_d1_d2_and_d3_are_the_defaults() -> None:
    settings = Settings()
    mongo, redis, chroma = settings.mongo, settings.redis, settings.chroma
    assert (mongo.max_pool_size, mongo.min_pool_size) == (100, 10)
    assert (mongo.socket_timeout_s, mongo.connect_timeout_s, mongo.server_selection_timeout_s) == (30, 5, 5)
    assert (mongo.write_concern, mongo.read_preference) == ("majority", "primaryPreferred")
    assert (redis.max_connections, redis.connect_timeout_s, redis.socket_timeout_s) == (100, 5, 30)
    assert (redis.keepalive_idle_s, redis.keepalive_interval_s, redis.keepalive_count) == (60, 10, 3)
    assert (chroma.space, chroma.ef_construction, chroma.ef_search, chroma.max_neighbors) == ("cosine", 200, 64, 32)


def test_every_field_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        if inner is None:
            assert field.description, name
        else:
            assert all(one.description for one in inner.values()), name


def test_only_config_reads_the_environment() -> None:
    readers = []
    for room in set(ROOMS) - {"config"}:
        for file in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb", "putenv"}:
                    readers.append(f"{file.relative_to(PROJECT)}:{node.lineno}")
    assert readers == []


def test_no_installed_distribution_brings_a_package_of_our_name() -> None:
    taken = importlib.metadata.packages_distributions()
    assert {room: taken[room] for room in (*ROOMS, "benchmarks") if room in taken} == {}


def test_no_file_is_longer_than_500_lines() -> None:
    long = {
        str(file.relative_to(PROJECT)): lines
        for room in (*ROOMS, "tests", "benchmarks")
        for file in (PROJECT / room).rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > 500
    }
    assert long == {}


@pytest.mark.parametrize(
    ("root", "data_dir", "allowed"),
    [
        ("music", "data", True),
        ("home", "home/.local/share/samplemind", True),
        ("data/demo/library", "data", True),
        ("home", "home/samplemind", True),
        ("data", "data", False),
        ("data/uploads", "data", False),
        ("data/run", "data", False),
        ("link", "data", False),
    ],
)
def test_no_root_leads_to_everybodys_uploads(tmp_path: Path, root: str, data_dir: str, allowed: bool) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    said = {"roots": {"library": tmp_path / root}, "data_dir": tmp_path / data_dir}
    if allowed:
        assert Settings(**said).roots
    else:
        with pytest.raises(ValidationError, match="data folder"):
            Settings(**said)
