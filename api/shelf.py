"""Vectors that searches met before, with what the index can be filtered by: read once, since a sample never changes.

Measured with 100,000 vectors: Chroma names the nearest 1,000 in 9 ms, needs 70 ms to send their vectors, as long again
for what is kept beside them, and 200 to 900 ms for the nearest 200 that pass a filter of its own. So it is asked for
names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from sys import intern
from typing import Any, Final

from stores import filters
from stores.records import PendingVector, SampleFilter

_EVICTED: Final = 16
"""One in so many goes where there is no room: those that were met first."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """A vector, and what is known of its sound."""

    vector: bytes
    facts: Mapping[str, Any]

    def passes(self, where: SampleFilter, space: int | None) -> bool:
        """Whether it passes what the index knows of a filter, and can be compared."""
        return space in (None, self.facts.get("space")) and filters.indexed(where, self.facts)


class Shelf:
    """At most so many vectors. Safe to share among threads.

    Parameters
    ----------
    fetch : reads those that are not here; one that there is not is left out
    most : some 1.1 KB each
    """

    def __init__(self, fetch: Callable[[Sequence[str]], Sequence[PendingVector]], most: int) -> None:
        self._fetch, self._most = fetch, most
        self._lock = threading.Lock()
        self._kept: dict[str, Shelved] = {}

    def of(self, ids: Sequence[str]) -> dict[str, Shelved]:
        """Those of these that there are, in their order."""
        here = {one: kept for one in ids if (kept := self._kept.get(one)) is not None}
        missing = [one for one in ids if one not in here]
        read = {one.id: Shelved(one.vector, _interned(one.metadata)) for one in self._fetch(missing)} if missing else {}
        self._put(read)
        both = here | read
        return {one: both[one] for one in ids if one in both}

    def clear(self) -> None:
        """Forget all of it: the index is another."""
        with self._lock:
            self._kept = {}

    def _put(self, read: Mapping[str, Shelved]) -> None:
        with self._lock:
            self._kept.update(read)
            over = len(self._kept) - self._most
            if over > 0:
                for one in list(islice(self._kept, over + self._most // _EVICTED)):
                    del self._kept[one]


def _interned(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with one string for each key of music and not one for each sound."""
    return {intern(name): intern(value) if isinstance(value, str) else value for name, value in facts.items()}
