"""Before anything is started: may it be, and are the servers of one's own there?"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.cluster.before import refuse_openness, wait_for_servers
from cli.cluster.folder import DataFolder
from cli.errors import CommandError, UsageError
from config.settings import MongoSettings, RedisSettings, Settings
from tests.servers import free_port


def test_a_new_library_is_not_opened_to_the_network(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with pytest.raises(UsageError, match=r"0\.0\.0\.0.*keys create"):
        refuse_openness(Settings(), "0.0.0.0", folder)
    refuse_openness(Settings(), None, folder)
    refuse_openness(Settings(), "127.0.0.1", folder)


def test_a_ledger_that_may_hold_a_key_is_asked_first(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    refuse_openness(Settings(), "0.0.0.0", DataFolder(tmp_path))
    elsewhere = Settings(mongo=MongoSettings(url=SecretStr("mongodb://ledger:27017")))
    refuse_openness(elsewhere, "0.0.0.0", DataFolder(tmp_path / "other"))


def test_a_server_that_is_not_there_is_named_once_and_given_up() -> None:
    said: list[str] = []
    port = free_port()
    settings = Settings(redis=RedisSettings(url=SecretStr(f"redis://:secret@127.0.0.1:{port}/0")))
    with pytest.raises(
        CommandError, match=f"Redis cannot be reached at 127.0.0.1:{port}.*SAMPLEMIND_REDIS__URL"
    ) as why:
        wait_for_servers(settings, said.append, patience_s=1.2)
    assert len(said) == 1
    assert "secret" not in said[0] + str(why.value)


def test_servers_that_are_there_or_are_started_here_are_not_waited_for() -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as there:
        url = SecretStr(f"redis://127.0.0.1:{there.getsockname()[1]}")
        wait_for_servers(Settings(redis=RedisSettings(url=url)), said.append, patience_s=0)
    several = Settings(mongo=MongoSettings(url=SecretStr("mongodb://a.invalid:1,b.invalid:2/?replicaSet=rs")))
    wait_for_servers(several, said.append, patience_s=0)
    wait_for_servers(Settings(), said.append, patience_s=0)
    assert said == []
