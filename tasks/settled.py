"""Runs of files that were seen before, exactly so: known with one look instead of one for each file.

A job that is submitted again, or a folder of which little has changed, would else cost a look-up for each sample and a
check of each place: measured on the embedded ledger, 60 to 100 ms for 200 files, more than reading and hashing them.
A chunk's files fall into runs of some 32 by their contents, so that one new file moves no later boundary. When all of a
run has its samples and its places, the ledger keeps the run's digest, and the jobs in which those samples were first
analysed: a file's end follows from them (`tasks.chunk`), also when the same job comes upon it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stores.records import FileRef

_ENDS_BELOW = 256 // 32
"""A run ends at a file whose content hash begins with a byte below this: one in 32."""

MOST_JOBS = 16
"""A run whose samples came from more jobs is not worth keeping."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring files of a chunk."""

    places: tuple[int, ...]
    """Their numbers in the chunk."""
    digest: str
    """Of the owner, and of every file's sample id and place, in order."""


def runs_of(files: Sequence[FileRef], ids: Mapping[int, str], owner: str) -> list[Run]:
    """The runs of a chunk's files that have a sample id."""
    runs: list[Run] = []
    begun: list[int] = []
    for n in sorted(ids):
        begun.append(n)
        if int(ids[n][:2], 16) < _ENDS_BELOW:
            runs.append(_run(begun, files, ids, owner))
            begun = []
    return [*runs, _run(begun, files, ids, owner)] if begun else runs


def _run(places: Sequence[int], files: Sequence[FileRef], ids: Mapping[int, str], owner: str) -> Run:
    digest = hashlib.blake2b(_framed(owner.encode()), digest_size=16)
    for n in places:
        file = files[n]
        for part in (ids[n].encode(), file.root.encode(), file.path.encode("utf-8", "surrogatepass"), file.raw or b""):
            digest.update(_framed(part))
    return Run(tuple(places), digest.hexdigest())


def _framed(part: bytes) -> bytes:
    """A part with its length, so that no two sequences of parts are the same bytes."""
    return len(part).to_bytes(4, "big") + part
