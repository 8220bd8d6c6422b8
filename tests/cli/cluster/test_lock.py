from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.cluster.folder import DataFolder
from cli.cluster.lock import FolderLock
from cli.errors import CommandError


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.make()
    return made


def test_a_second_cluster_on_a_folder_is_told_who_runs_there_and_where(folder: DataFolder) -> None:
    lock = FolderLock(folder)
    folder.announce({"url": "http://127.0.0.1:8123"})
    with pytest.raises(CommandError) as caught:
        FolderLock(folder)
    assert f"process {os.getpid()}" in str(caught.value)
    assert "http://127.0.0.1:8123" in str(caught.value)
    lock.close()


def test_the_folder_is_free_again_when_its_cluster_has_gone(folder: DataFolder) -> None:
    FolderLock(folder).close()
    lock = FolderLock(folder)
    assert folder.held()
    lock.close()
    assert not folder.held()


def test_a_folder_whose_killed_cluster_is_still_being_cleared_up_is_waited_for(folder: DataFolder) -> None:
    lock = FolderLock(folder)
    (folder.path / "lock").write_text("999999999\n")  # a process that is no more, as after kill -9
    with pytest.raises(CommandError, match="still stopping"):
        FolderLock(folder, wait_s=0.2)
    lock.close()


def test_an_announcement_of_a_cluster_that_is_gone_is_not_believed(folder: DataFolder) -> None:
    folder.announce({"url": "http://127.0.0.1:8123"})
    assert folder.running() is None


def test_what_only_this_user_may_read_is_written_so(folder: DataFolder) -> None:
    first = folder.secret("redis")
    assert (folder.path / "secrets" / "redis").stat().st_mode & 0o777 == 0o600
    assert folder.secret("redis") == first
    assert len(first) >= 32
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        DataFolder(tmp_path / "file" / "data").make()
