"""Which file took a worker down: said in Redis before each file, found out after a death, kept in the ledger.

A process that dies takes nothing with it but its own memory: what it said last is still in Redis, and its parent adds
what it died of (`tasks.lost`). Whoever claims the chunk next writes both into the ledger. The suspect is then tried
last and alone, after the results of all its neighbours are safe; at the third death it is failed and the chunk ends.
Should Redis have lost what was said, the rule without it still holds: `tasks.upkeep` splits a chunk that dies for no
known reason.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog

from stores.doors import Ledger, Pulse
from stores.records import Claim, Death, LastSeen
from tasks.patience import patiently
from workers.errors import KilledWorker, StoreUnavailable

log = structlog.stdlib.get_logger(__name__)

_SILENT_S: Final = 30.0
"""After Redis did not answer nothing is said for so long: work must not wait for hints."""
BEFORE_ANY_FILE: Final = -1


class Marks:
    """Says which file this process is at. Redis being away costs the hint only."""

    def __init__(self, pulse: Pulse, clock: Callable[[], float] = time.monotonic) -> None:
        self._pulse, self._clock = pulse, clock
        self._silent_until = float("-inf")

    @contextmanager
    def chunk(self, claim: Claim) -> Iterator[None]:
        """While the block lasts, this process is at this chunk; nothing but a death ends it without leaving."""
        self.at(claim, BEFORE_ANY_FILE)
        try:
            yield
        finally:
            self._say(lambda: self._pulse.left_chunk(claim.chunk_id))

    def at(self, claim: Claim, n: int) -> None:
        """The next file is the `n`-th of this chunk."""
        self._say(lambda: self._pulse.at_file(claim.chunk_id, claim.attempt, n))

    def last_seen(self, chunk_id: str) -> LastSeen | None:
        """Where a process was that never left this chunk."""
        said: list[LastSeen | None] = []
        self._say(lambda: said.append(self._pulse.last_seen(chunk_id)))
        return said[0] if said else None

    def _say(self, call: Callable[[], None]) -> None:
        if self._clock() < self._silent_until:
            return
        try:
            call()
        except StoreUnavailable:
            self._silent_until = self._clock() + _SILENT_S
            log.debug("marks_missed")


def claim_chunk(chunk_id: str, ledger: Ledger, marks: Marks, lease_s: float) -> Claim | None:
    """Claim a chunk, at once where its holder is known to be dead, and note what that one was at.

    Raises
    ------
    StoreUnavailable
    """
    seen: list[LastSeen] = []

    def dead() -> int | None:
        seen[:] = [last for last in [marks.last_seen(chunk_id)] if last is not None]
        return next((last.attempt for last in seen if last.died_of), None)

    claim = patiently(lambda: ledger.claim_chunk(chunk_id, lease_s, dead=dead))
    if claim is None or not seen:
        return claim
    (last,) = seen
    if last.attempt != claim.attempt - 1 or not 0 <= last.n < len(claim.files):
        return claim
    death = Death(last.n, last.died_of)
    log.warning("worker_died_at", chunk=chunk_id, attempt=last.attempt, file=last.n, died_of=last.died_of or "?")
    return patiently(lambda: ledger.note_death(claim, last.attempt, death))


def suspects(claim: Claim, ids: Mapping[int, str]) -> dict[str, list[str]]:
    """By content: what workers died of while they were at it. A copy of a deadly file is as deadly."""
    found: dict[str, list[str]] = {}
    for death in claim.deaths:
        if death.n in ids:
            found.setdefault(ids[death.n], []).append(death.of)
    return found


def verdict(died_of: list[str]) -> KilledWorker:
    """What is said of a file that did it each time."""
    times = Counter(of or "its worker vanished" for of in died_of)
    return KilledWorker(", ".join(f"{of} ({count} times)" if count > 1 else of for of, count in times.items()) + ".")
