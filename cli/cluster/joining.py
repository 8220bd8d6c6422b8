"""What is looked at before a machine joins a cluster that runs elsewhere: that its workers could do the same work.

A worker that cannot see a library fails files that are there, and one of another version says other things of them.
So nothing is started before all of it is known to be well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cli.errors import CommandError
from config.flower import is_loopback
from config.settings import Settings
from stores.doors import Ledger
from stores.mongo import connect
from stores.reach import host_of, is_tls, why_no_broker, why_no_ledger
from stores.records import FileRef, FolderSource, Offer, Status
from tasks.walk import raw_path
from workers.errors import StoreError
from workers.model import ANALYZER_VERSION

UPLOADS: Final = "uploads"
_JOBS: Final = 20
_FILES: Final = 5
_SEEN: Final = (Status.DONE, Status.REUSED, Status.DUPLICATE)


def refuse_what_cannot_work(settings: Settings, *, plain: bool, trust_roots: bool) -> Offer:
    """Look at broker, ledger, versions and libraries, in this order; what the cluster is made of.

    Parameters
    ----------
    plain : bool
        Connections without TLS are allowed.
    trust_roots : bool
        Library roots need not hold any of the files that the cluster knows.

    Raises
    ------
    CommandError
        Workers here could not do the cluster's work; the sentence says what is wrong.
    """
    if not plain:
        _refuse_plain(settings)
    for wrong in (why_no_broker(settings.redis), why_no_ledger(settings.mongo)):
        if wrong:
            raise CommandError(f"Not joined: {wrong}")
    stores = connect(settings.mongo, pool="worker")
    try:
        offer = stores.ledger.offer()
        wrong = why_not_the_same(settings, offer) or (
            "" if trust_roots else why_not_the_libraries(settings.all_roots, stores.ledger)
        )
    except StoreError as error:
        raise CommandError(f"Not joined: {error.message}") from error
    finally:
        stores.close()
    if wrong or offer is None:
        raise CommandError(f"Not joined: {wrong}")
    return offer


def _refuse_plain(settings: Settings) -> None:
    how = {"broker": "begins with rediss://", "ledger": "has tls=true in it"}
    for name, server in (("broker", settings.redis), ("ledger", settings.mongo)):
        if not is_tls(server) and not is_loopback(host_of(server.url.get_secret_value())):
            raise CommandError(
                f"Not joined: the {name}'s address is without TLS, so passwords and file names would cross the network "
                f"in clear. One with TLS {how[name]}; where the network between is yours alone, say --plain."
            )


def why_not_the_same(settings: Settings, offer: Offer | None) -> str:
    """How this machine differs from the cluster's gateway; empty where it does not in anything that matters."""
    if offer is None:
        return (
            f"no gateway has ever run on the database {settings.mongo.database!r} there, or only one older than this: "
            "start the gateway, or mend mongo.database."
        )
    if offer.analyzer != ANALYZER_VERSION:
        return (
            f"the cluster has version {offer.analyzer} of the analyser, this machine {ANALYZER_VERSION}: "
            "check out here what runs there."
        )
    if offer.key_prefix != settings.redis.key_prefix:
        return (
            f"the cluster's keys in the broker begin with {offer.key_prefix!r}, and this machine would look for "
            f"{settings.redis.key_prefix!r}: mend redis.key_prefix."
        )
    return _why_no_roots(settings, offer)


def _why_no_roots(settings: Settings, offer: Offer) -> str:
    there = settings.all_roots
    missing = [name for name in offer.roots if name != UPLOADS and name not in settings.roots]
    if missing:
        named = ", ".join(f"--root {name}=PATH" for name in missing)
        return f"the cluster's libraries must be visible here, too: mount them and say {named}."
    if not os.path.islink(there[UPLOADS]):
        return (
            "the cluster takes uploads, and workers here would not see them: mount the folder `uploads` of the "
            "gateway's data folder and say --uploads PATH."
        )
    unread = [name for name in offer.roots if not os.access(there[name], os.R_OK | os.X_OK)]
    if unread:
        return f"the folder {there[unread[0]]} of library root {unread[0]!r} is not there, or may not be read by you."
    return ""


def why_not_the_libraries(roots: dict[str, Path], ledger: Ledger) -> str:
    """Which root is another folder here than there; empty where of each one at least one known file is found.

    A folder that is not mounted is there and empty: without this look each of its files would be reported gone.
    """
    known: dict[str, list[FileRef]] = {}
    for file in _lately_seen(ledger):
        known.setdefault(file.root, []).append(file)
    for name, files in known.items():
        root = roots.get(name)
        if root is not None and not any(os.path.lexists(os.path.join(os.fsencode(root), raw_path(f))) for f in files):
            return (
                f"of {len(files)} files that the cluster has lately seen in its library root {name!r} none is below "
                f"{root} here, {files[0].path!r} for one: is it mounted? If they were all removed since, say "
                "--trust-roots."
            )
    return ""


def _lately_seen(ledger: Ledger) -> Iterator[FileRef]:
    for job in ledger.jobs(owner=None, cursor=None, limit=_JOBS).items:
        if job.source is None or isinstance(job.source, FolderSource):
            rows = ledger.files(job.id, status=None, cursor=None, limit=_FILES).items
            yield from (row.file for row in rows if row.row.status in _SEEN)
