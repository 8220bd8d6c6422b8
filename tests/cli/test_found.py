from __future__ import annotations

from pathlib import Path

import pytest

from cli.cluster.folder import DataFolder
from cli.cluster.lock import FolderLock
from cli.errors import UsageError
from cli.found import USUAL_URL, find_cluster, load_settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SAMPLEMIND_URL", "SAMPLEMIND_API_KEY", "SAMPLEMIND_CONFIG_FILE", "SAMPLEMIND_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path / "data"))


def running(path: Path, url: str) -> FolderLock:
    folder = DataFolder(path)
    folder.make()
    lock = FolderLock(folder)
    folder.announce({"url": url, "roots": {"library": "/music"}, "ready": True})
    return lock


def test_the_address_given_wins_then_the_setting_then_the_running_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_cluster().url == USUAL_URL
    lock = running(tmp_path / "data", "http://127.0.0.1:8123")
    found = find_cluster()
    assert found.url == "http://127.0.0.1:8123"
    assert found.roots == {"library": Path("/music")}
    monkeypatch.setenv("SAMPLEMIND_URL", "http://studio:8000/")
    assert find_cluster().url == "http://studio:8000"
    assert find_cluster().roots is None
    assert find_cluster("http://other:1").url == "http://other:1"
    assert find_cluster(None, tmp_path / "data").url == "http://127.0.0.1:8123"
    lock.close()


def test_a_cluster_that_has_gone_is_not_found(tmp_path: Path) -> None:
    running(tmp_path / "data", "http://127.0.0.1:8123").close()
    assert find_cluster().url == USUAL_URL


def test_the_key_is_taken_from_the_settings_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_API_KEY", "sm_1_secret")
    assert find_cluster().api_key == "sm_1_secret"
    assert "secret" not in repr(find_cluster())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SAMPLEMIND_GATEWAY__PORT", "99999", r"gateway.port \(SAMPLEMIND_GATEWAY__PORT\)"),
        ("SAMPLEMIND_GATEWAY__PROT", "1", "no setting gateway.prot"),
        ("SAMPLEMIND_ROOTS", "{", "SAMPLEMIND|roots"),
        ("SAMPLEMIND_CONFIG_FILE", "/no/such.toml", "not a file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=said):
        load_settings()


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="http://"):
        find_cluster("localhost:8000")
