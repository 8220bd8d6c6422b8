"""Whether a machine could do the cluster's work: the same analyser, the same keys, the same libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.cluster.join import _share_uploads
from cli.cluster.joining import refuse_what_cannot_work, why_not_the_libraries, why_not_the_same
from cli.errors import CommandError
from config.settings import Settings
from stores.memory import ManualClock, MemoryStores
from stores.memory.ledger import MemoryLedger
from stores.records import FileRef, Offer, Row, Status
from tests.stores.making import new_job
from workers.model import ANALYZER_VERSION

OFFER = Offer(ANALYZER_VERSION, ("library", "uploads"), "sm:")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of a machine that may join."""
    for name in ("library", "mounted", "data"):
        (tmp_path / name).mkdir()
    _share_uploads(tmp_path / "data" / "uploads", tmp_path / "mounted")
    return Settings(data_dir=tmp_path / "data", roots={"library": tmp_path / "library"})


def test_a_machine_that_has_the_same_may_join(settings: Settings) -> None:
    assert why_not_the_same(settings, OFFER) == ""


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (None, "no gateway has ever run"),
        (Offer("0.9.0", OFFER.roots, "sm:"), f"version 0.9.0 of the analyser, this machine {ANALYZER_VERSION}"),
        (Offer(ANALYZER_VERSION, OFFER.roots, "other:"), "begin with 'other:'.*redis.key_prefix"),
        (Offer(ANALYZER_VERSION, ("drums", "library", "uploads"), "sm:"), "--root drums=PATH"),
    ],
)
def test_what_differs_is_said(settings: Settings, offer: Offer | None, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        assert why_not_the_same(settings, offer) == ""


def test_uploads_are_never_a_folder_of_its_own(settings: Settings, tmp_path: Path) -> None:
    place = settings.uploads_dir
    _share_uploads(place, None)
    assert not place.exists()
    place.mkdir()
    assert "--uploads PATH" in why_not_the_same(settings, OFFER)
    _share_uploads(place, tmp_path / "mounted")
    assert place.resolve() == tmp_path / "mounted"
    place.unlink()
    place.mkdir()
    (place / "somebody's.wav").write_bytes(b"")
    with pytest.raises(CommandError, match="another --data-dir"):
        _share_uploads(place, tmp_path / "mounted")


def test_a_library_that_may_not_be_entered_is_named(settings: Settings) -> None:
    settings.roots["library"].rmdir()
    assert "'library' is not there" in why_not_the_same(settings, OFFER)


def done(ledger: MemoryLedger, root: str, paths: Sequence[str]) -> None:
    """A job over these files, all of them done."""
    job, _ = ledger.create_job(new_job())
    assert ledger.claim_scan(job.id, 60)
    files = [FileRef(root, path) for path in paths]
    assert ledger.add_chunk(job.id, 0, 0, files, [Row(Status.DONE, sample_id="0" * 64) for _ in files])


def test_a_library_that_is_not_mounted_is_noticed(tmp_path: Path) -> None:
    ledger = MemoryStores(ManualClock()).ledger
    roots = {"library": tmp_path}
    assert why_not_the_libraries(roots, ledger) == ""
    done(ledger, "library", ["kick.wav", "drums/snare.wav"])
    assert "'kick.wav' for one: is it mounted?" in why_not_the_libraries(roots, ledger)
    (tmp_path / "drums").mkdir()
    (tmp_path / "drums" / "snare.wav").write_bytes(b"")
    assert why_not_the_libraries(roots, ledger) == ""


@pytest.mark.parametrize(
    ("redis", "mongo", "said"),
    [
        ("redis://queue.example:6379/0", "mongodb://db.example/?tls=true", "the broker's address is without TLS"),
        ("rediss://queue.example:6379/0", "mongodb://db.example/", "the ledger's address is without TLS"),
        ("rediss://queue.example:6379/0", "mongodb://db.example/?tls=false", "the ledger's address is without TLS"),
    ],
)
def test_nothing_is_sent_over_a_network_in_clear(redis: str, mongo: str, said: str) -> None:
    settings = Settings.model_validate({"redis": {"url": redis}, "mongo": {"url": mongo}})
    with pytest.raises(CommandError, match=said):
        refuse_what_cannot_work(settings, plain=False, trust_roots=False)
