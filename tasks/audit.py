"""The audit of the vector index: everything that the ledger has is compared with what the index holds, and mended.

A killed or damaged Chroma can look well: it counts right and answers, and has lost vectors, kept old ones, or cannot
reach some by any query (chroma#7758). So its vectors are read back, a few at a time while there is nothing else
to do, and some are looked for by a query with themselves.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import structlog

from stores.doors import Samples, Vectors
from stores.records import PendingVector

log = structlog.stdlib.get_logger(__name__)

_BATCH: Final = 300
_ASKED_EACH: Final = 30
"""One in so many is looked for by a query."""
_AMONG: Final = 200
"""It must be among so many: the graph is searched the more thoroughly the more are asked for, and one vector that is
unlike all others may be passed over by a quick search in a graph that is well."""
_SAME: Final = 0.9999


@dataclass(slots=True)
class Findings:
    """What one walk over all vectors found."""

    compared: int = 0
    missing: int = 0
    different: int = 0
    extra: int = 0
    asked: int = 0
    unreachable: int = 0
    """Not found by a query with itself, also after it was written again."""

    @property
    def mended(self) -> int:
        """Written or removed."""
        return self.missing + self.different + self.extra


class Audit:
    """One walk over all vectors after the other, each in small steps.

    Parameters
    ----------
    every_s : float
        From the end of a walk to the beginning of the next, in seconds.
    """

    def __init__(
        self,
        samples: Samples,
        vectors: Vectors,
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._samples, self._vectors, self._every_s, self._clock = samples, vectors, every_s, clock
        self._next = clock()
        self._now = Findings()
        self._after: str | None = ""
        self._surplus_from = 0
        self.last: Findings | None = None
        """Of the last walk that came to its end."""
        self.walks = 0

    def forget(self) -> None:
        """Another generation is written: begin again."""
        self._begin()

    def step(self) -> bool:
        """Compare some, or rest; whether the walk came to its end with vectors that no query finds.

        Only while the outbox is empty. Raises what the doors raise.
        """
        if self._clock() < self._next:
            return False
        if self._after is not None:
            self._compare(self._after)
            return False
        if not self._surplus_is_gone():
            return False
        return self._end()

    def facts(self) -> dict[str, int]:
        """For the pulse: what the last walk found."""
        if self.last is None:
            return {}
        return {"audits": self.walks, **{f"audit_{name}": count for name, count in asdict(self.last).items()}}

    def _begin(self) -> None:
        self._now, self._after, self._surplus_from = Findings(), "", 0

    def _end(self) -> bool:
        self.last, self.walks = self._now, self.walks + 1
        self._next = self._clock() + self._every_s
        if self.last.mended or self.last.unreachable:
            log.warning("index_audited", **asdict(self.last))
        self._begin()
        return self.last.unreachable > 0

    def _compare(self, after: str) -> None:
        walked = self._samples.walk(after, _BATCH)
        wanted = {each.id: each for each in walked.vectors}
        held = self._vectors.held(list(wanted)) if wanted else {}
        missing = [each for id_, each in wanted.items() if id_ not in held]
        different = [wanted[id_] for id_, vector in held.items() if not _same(vector, wanted[id_].vector)]
        self._vectors.upsert([*missing, *different])
        self._ask(walked.vectors[::_ASKED_EACH])
        self._now.compared += len(wanted)
        self._now.missing += len(missing)
        self._now.different += len(different)
        self._after = walked.walked_to

    def _ask(self, some: Sequence[PendingVector]) -> None:
        for each in some:
            self._now.asked += 1
            if not self._finds(each):
                self._vectors.upsert([each])
                self._now.unreachable += not self._finds(each)

    def _finds(self, wanted: PendingVector) -> bool:
        """Itself, or one that is equal to it."""
        hits = self._vectors.query(wanted.vector, limit=_AMONG)
        return any(hit.id == wanted.id or hit.score >= _SAME for hit in hits)

    def _surplus_is_gone(self) -> bool:
        """Remove what no sample has, if there is more than there should be; whether all was looked at."""
        if not self._surplus_from and self._vectors.probe() <= self._samples.indexed_count():
            return True
        there = self._vectors.ids(self._surplus_from, _BATCH)
        extra = sorted(set(there) - self._samples.known(there).keys())
        self._vectors.remove(extra)
        self._now.extra += len(extra)
        self._surplus_from += len(there) - len(extra)
        return len(there) < _BATCH


def _same(a: bytes, b: bytes) -> bool:
    """Whether two vectors point the same way. The index keeps them at length 1."""
    if len(a) != len(b):
        return False
    x, y = (struct.unpack(f"<{len(each) // 4}f", each) for each in (a, b))
    norms = math.sqrt(math.fsum(v * v for v in x) * math.fsum(v * v for v in y))
    return norms == 0.0 or math.fsum(p * q for p, q in zip(x, y, strict=True)) / norms >= _SAME
