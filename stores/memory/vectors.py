"""The twin of the vector index: every vector compared, no graph."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stores.records import Hit, PendingVector
from workers.errors import VectorIndexBroken

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda a, b: bool(a == b),
    "$gt": lambda a, b: bool(a > b),
    "$gte": lambda a, b: bool(a >= b),
    "$lt": lambda a, b: bool(a < b),
    "$lte": lambda a, b: bool(a <= b),
    "$in": lambda a, b: a in b,
}
_NEGATED = {"$ne": "$eq", "$nin": "$in"}


class MemoryVectors:
    """`stores.doors.Vectors` in memory. Tests set `broken` to damage it until the next generation is opened.

    With the same `kept` several of them are clients of one server: its vectors by id, by generation.
    """

    def __init__(self, kept: dict[int, dict[str, PendingVector]] | None = None) -> None:
        self._lock = threading.RLock()
        self._generation = 0
        self._all: dict[int, dict[str, PendingVector]] = {} if kept is None else kept
        self.broken = False

    @property
    def _kept(self) -> dict[str, PendingVector]:
        self._usable()
        return self._all[self._generation]

    def open(self, generation: int) -> None:
        with self._lock:
            self.broken = self.broken and generation == self._generation
            self._generation = generation
            self._all.setdefault(generation, {})

    def drop_older(self, generation: int) -> None:
        with self._lock:
            for older in [each for each in self._all if each < generation]:
                del self._all[older]

    def upsert(self, vectors: Sequence[PendingVector]) -> None:
        with self._lock:
            self._kept.update({vector.id: vector for vector in vectors})

    def held(self, ids: Sequence[str]) -> dict[str, bytes]:
        with self._lock:
            return {each: self._kept[each].vector for each in ids if each in self._kept}

    def ids(self, start: int, limit: int) -> list[str]:
        with self._lock:
            return list(self._kept)[start : start + limit]

    def page(self, start: int, limit: int) -> list[PendingVector]:
        with self._lock:
            return list(self._kept.values())[start : start + limit]

    def count(self) -> int:
        with self._lock:
            return len(self._kept)

    def remove(self, ids: Sequence[str]) -> None:
        with self._lock:
            for each in ids:
                self._kept.pop(each, None)

    def near(self, vector: bytes, *, limit: int) -> list[str]:
        return [hit.id for hit in self.query(vector, limit=limit)]

    def described(self, ids: Sequence[str]) -> list[PendingVector]:
        with self._lock:
            return [self._kept[each] for each in ids if each in self._kept]

    def query(self, vector: bytes, *, limit: int, where: Mapping[str, object] | None = None) -> list[Hit]:
        with self._lock:
            rows = [kept for kept in self._kept.values() if not where or _matches(kept.metadata, where)]
        hits = [Hit(kept.id, _cosine(vector, kept.vector), kept.vector) for kept in rows]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    def probe(self) -> int:
        with self._lock:
            return len(self._kept)

    def ping(self) -> None:
        """Always answers."""

    def _usable(self) -> None:
        if self.broken or self._generation not in self._all:
            raise VectorIndexBroken


def _cosine(a: bytes, b: bytes) -> float:
    x, y = (struct.unpack(f"<{len(each) // 4}f", each) for each in (a, b))
    norm = math.sqrt(sum(v * v for v in x)) * math.sqrt(sum(v * v for v in y))
    return sum(p * q for p, q in zip(x, y, strict=True)) / norm if norm else 0.0


def _matches(metadata: Mapping[str, object], where: Mapping[str, object]) -> bool:
    """Chroma's filter language: ``{"bpm": {"$gte": 118}}``, ``$and``, ``$or``.

    A missing field matches only negations."""
    return all(_holds(metadata, name, said) for name, said in where.items())


def _holds(metadata: Mapping[str, object], name: str, said: Any) -> bool:
    if name == "$and":
        return all(_matches(metadata, each) for each in said)
    if name == "$or":
        return any(_matches(metadata, each) for each in said)
    tests: Mapping[str, Any] = said if isinstance(said, Mapping) else {"$eq": said}
    return all(_compare(metadata.get(name), operator, value) for operator, value in tests.items())


def _compare(value: object, operator: str, other: Any) -> bool:
    if operator in _NEGATED:
        return not _compare(value, _NEGATED[operator], other)
    return value is not None and _COMPARE[operator](value, other)
