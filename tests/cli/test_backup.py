"""What was backed up is there after a restore: jobs, files, uploads and secrets, in a ledger that runs."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cli.__main__ import app
from cli.cluster.folder import DataFolder
from cli.cluster.lock import FolderLock
from cli.errors import CommandError, UsageError
from config.settings import MongoSettings
from stores.mongo import MongoStores, connect
from tests.servers import start_mongo
from tests.stores.making import files, new_job


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(done.exception, CommandError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def opened(url: str) -> MongoStores:
    return connect(MongoSettings(url=SecretStr(url), min_pool_size=0), pool="gateway")


@pytest.mark.integration
def test_a_ledger_is_restored_with_its_jobs_uploads_and_secrets(tmp_path: Path) -> None:
    data, other, archive = tmp_path / "data", tmp_path / "other", tmp_path / "kept.tar.gz"
    DataFolder(data).make()
    secret = DataFolder(data).secret("chroma")
    (data / "uploads" / "kick.wav").write_bytes(b"RIFF")
    (data / "logs" / "much").write_text("not kept")
    with start_mongo(data) as url:
        stores = opened(url)
        stores.ledger.prepare()
        job, _ = stores.ledger.create_job(new_job(source=False))
        assert stores.ledger.add_chunk(job.id, 0, 0, files(7))
        job = stores.ledger.accept_job(job.id)
        stores.close()
    assert "files of" in run("backup", archive, "--data-dir", data)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert "up" in run("restore", archive, "--data-dir", other)
    assert (other / "uploads" / "kick.wav").read_bytes() == b"RIFF"
    assert DataFolder(other).secret("chroma") == secret
    assert not (other / "logs" / "much").exists()
    with start_mongo(other) as url:
        stores = opened(url)
        assert stores.ledger.job(job.id) == job
        page = stores.ledger.files(job.id, status=None, cursor=None, limit=10)
        assert [row.file.path for row in page.items] == [file.path for file in files(7)]
        stores.close()
    with pytest.raises(CommandError, match=r"a ledger in .* already"):
        run("restore", archive, "--data-dir", other)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with what stands for a ledger."""
    DataFolder(tmp_path / "data").make()
    (tmp_path / "data" / "mongo").mkdir()
    (tmp_path / "data" / "mongo" / "pages").write_bytes(bytes(range(256)) * 500)
    return tmp_path / "data"


def test_a_running_cluster_is_not_backed_up(data: Path, tmp_path: Path) -> None:
    lock = FolderLock(DataFolder(data))
    with pytest.raises(CommandError, match="already runs"):
        run("backup", tmp_path / "kept", "--data-dir", data)
    lock.close()
    assert not (tmp_path / "kept").exists()


def test_a_backup_that_broke_off_restores_nothing(data: Path, tmp_path: Path) -> None:
    archive, other = tmp_path / "kept", tmp_path / "other"
    run("backup", archive, "--data-dir", data)
    whole = archive.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:100], b"", b"something else"):
        archive.write_bytes(broken)
        with pytest.raises(CommandError, match="no whole backup"):
            run("restore", archive, "--data-dir", other)
        assert not (other / "mongo").exists()
        assert not (other / "restore.part").exists()
    archive.write_bytes(whole)
    run("restore", archive, "--data-dir", other)
    assert (other / "mongo" / "pages").read_bytes() == (data / "mongo" / "pages").read_bytes()


def test_a_backup_that_lacks_a_file_restores_nothing(data: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "kept", "--data-dir", data)
    with tarfile.open(tmp_path / "kept") as whole, tarfile.open(tmp_path / "lacking", "w:gz") as lacking:
        for member in whole:
            if member.name != "mongo/pages":
                lacking.addfile(member, whole.extractfile(member) if member.isfile() else None)
    with pytest.raises(CommandError, match="no whole backup"):
        run("restore", tmp_path / "lacking", "--data-dir", tmp_path / "other")
    assert not (tmp_path / "other" / "mongo").exists()


def test_where_nothing_is_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no ledger"):
        run("backup", tmp_path / "kept", "--data-dir", tmp_path / "nothing")


def test_a_backup_does_not_hold_itself(data: Path) -> None:
    with pytest.raises(CommandError, match="another place"):
        run("backup", data / "uploads" / "kept", "--data-dir", data)


def test_a_place_that_cannot_be_written_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"could not be written to .*No such file or directory"):
        run("backup", tmp_path / "nowhere" / "kept", "--data-dir", data)


def test_a_backup_that_is_not_there_is_said_and_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        run("restore", tmp_path / "kept", "--data-dir", tmp_path / "other")
    assert not (tmp_path / "other").exists()
