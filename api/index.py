"""Asking the vector index: always its present generation, and never for what the caller may not see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from api.catalogue import Catalogue
from api.filters import beyond_index, index_filter
from api.shelf import Shelf
from api.similarity import Likeness, unpack
from stores import filters
from stores.doors import Samples, Vectors
from stores.records import Among, Hit, Sample, SampleFilter
from workers.errors import VectorIndexBroken
from workers.model import VECTOR_VERSION

_CANDIDATES: Final = 200
"""Least to ask the index for. Measured in a library with 10,000 almost equal sounds and 500 odd ones: of the ten
nearest to an odd one it then finds 99.5 %, with 50 it found 96.8 %."""

_FILTERED: Final = 1000
"""The same with a filter, until the whole index is in memory (`api.catalogue`): the filter is tried on the nearest
first, since Chroma is slow with one of its own (`api.shelf`)."""

_MOST_CANDIDATES: Final = 5000
"""Most to ask it for: so far the search is widened for an owner whose samples are few among many."""

_COMPARED_ALL: Final = 1000
"""An owner with at most so many samples that pass has all of them compared: the index, which knows only who had a
sample first, would have to be asked for everybody's."""

_COMPARED_MOST: Final = 20_000
"""So many of theirs are compared where the widened search still found too few."""

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A neighbour."""

    sample: Sample
    likeness: Likeness
    vector: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples may be found.

    Attributes
    ----------
    where : with the owner whose samples alone may be seen, ``None``: everybody's
    among : which the caller's own marks let in or out
    space : only vectors of the same space are compared: after an upgrade those of the older analyser are still there
    enough : so many, and no wider search is made
    leave_out : these are not found
    sure : vectors that are candidates, also where the approximate index passes over them
    """

    where: SampleFilter
    enough: int
    among: Among | None = None
    space: int | None = VECTOR_VERSION
    leave_out: frozenset[str] = frozenset()
    sure: Mapping[str, bytes] = field(default_factory=dict)

    def passes(self, sample: Sample) -> bool:
        """Whether this sample, of which only what the caller may see is given, may be found."""
        names = [file.path.lower() for file in sample.files]
        matched = filters.matches(self.where, sample.analysis, names, [self.where.owner or ""])
        return filters.is_among(self.among, sample.id, matched)


def _widths(limit: int, *, filtered: bool) -> Iterator[int]:
    """How many candidates to ask for, first and then."""
    most = max(limit * 5, _FILTERED if filtered else _CANDIDATES)
    while most < _MOST_CANDIDATES:
        yield most
        most *= 5
    yield _MOST_CANDIDATES


class Index:
    """The vector index together with the samples that it points to."""

    def __init__(self, samples: Samples, vectors: Vectors, cache_vectors: int) -> None:
        self._samples = samples
        self._vectors = vectors
        self._shelf = Shelf(vectors.described, cache_vectors)
        self._catalogue = Catalogue(vectors, cache_vectors)
        self._generation = 0
        self._lock = threading.Lock()

    def vector_of(self, sample_id: str, owner: str | None) -> tuple[Sequence[float], int | None]:
        """A sample's vector and its space. `NotFound` where there is none; `Problem` (422) where it is silent."""
        sample = self._samples.get(sample_id, owner=owner)
        return unpack(self._samples.vectors([sample_id]).get(sample_id, b"")), sample.space

    def search(self, leaning: bytes, wanted: Wanted, rank: Callable[[dict[str, bytes]], list[Found]]) -> list[Found]:
        """What `rank` makes of the candidates nearest to `leaning`: of more and more of them, until it finds enough.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        found: list[Found] = []
        for vectors in self._pools(leaning, wanted):
            found = rank({one: vector for one, vector in vectors.items() if one not in wanted.leave_out})
            if len(found) >= wanted.enough:
                break
        return found

    def read_ahead(self) -> bool:
        """Read more of the index into memory, if searches want it; whether there is more of it.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        with self._following():
            return self._catalogue.read_ahead()

    def nearest(self, direction: bytes, space: int | None, most: int) -> dict[str, bytes]:
        """The vectors nearest to a direction, whosever they are.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        self._open()
        return self._candidates(direction, most, SampleFilter(), space)[0]

    def _pools(self, leaning: bytes, wanted: Wanted) -> Iterator[dict[str, bytes]]:
        """Candidates, more each time.

        Where the index finds too few for an owner, or by a filter of which it knows nothing, they come from the ledger.
        """
        where, among = wanted.where, wanted.among
        if among is not None and among.only is not None:
            yield self._in_ledger(among.only, wanted.space)
            return
        self._open()
        sure = {**wanted.sure, **(self._in_ledger(among.also, wanted.space) if among is not None else {})}
        by_ledger = where.owner is not None or beyond_index(where)
        vectors: dict[str, bytes] = {}
        asked_ledger = False
        filtered = index_filter(where) is not None
        for most in _widths(wanted.enough, filtered=filtered and not self._catalogue.whole):
            vectors, exhausted = self._candidates(leaning, most, where, wanted.space)
            vectors |= sure
            yield vectors
            if not by_ledger and exhausted:
                return
            if by_ledger and not asked_ledger:
                theirs, whole = self._theirs(where, wanted.space, _COMPARED_ALL)
                if whole:
                    yield theirs | sure
                    return
                asked_ledger = True
            if exhausted:
                break
        if by_ledger:
            yield vectors | self._theirs(where, wanted.space, _COMPARED_MOST)[0]
        elif (narrowed := self._in_space(index_filter(where), wanted.space)) is not None:
            yield self._narrowed(leaning, wanted.enough, narrowed) | sure

    def _candidates(
        self, leaning: bytes, most: int, where: SampleFilter, space: int | None
    ) -> tuple[dict[str, bytes], bool]:
        """Of the nearest `most` those that pass what the index knows of a filter; and whether there are no more."""
        with self._following():
            if index_filter(where) is not None:
                best = self._catalogue.best(leaning, where, space, most)
                if best is not None:
                    return best
            ids = self._vectors.near(leaning, limit=most)
            met = self._shelf.of(ids)
        return {one: each.vector for one, each in met.items() if each.passes(where, space)}, len(ids) < most

    def _narrowed(self, leaning: bytes, enough: int, narrowed: Mapping[str, Any]) -> dict[str, bytes]:
        """The nearest of those that pass, found by the index itself: where they are rare."""
        with self._following():
            hits = self._vectors.query(leaning, limit=max(enough * 5, _CANDIDATES), where=narrowed)
        return self._vectors_of(hits)

    def _in_ledger(self, ids: Sequence[str], space: int | None) -> dict[str, bytes]:
        """The vectors of these samples that can be compared."""
        found: dict[str, bytes] = {}
        for start in range(0, len(ids), _PAGE):
            some = list(ids[start : start + _PAGE])
            if space is not None:
                some = [one for one, sample in self._samples.many(some).items() if sample.space == space]
            found |= self._samples.vectors(some)
        return found

    def _theirs(self, where: SampleFilter, space: int | None, most: int) -> tuple[dict[str, bytes], bool]:
        """Vectors of an owner's samples that pass, some `most` of them; and whether these are all."""
        vectors: dict[str, bytes] = {}
        cursor, looked_at = None, 0
        while looked_at < most:
            page = self._samples.page(where, cursor=cursor, limit=_PAGE)
            vectors |= self._samples.vectors([each.id for each in page.items if space in (None, each.space)])
            cursor, looked_at = page.next, looked_at + _PAGE
            if cursor is None:
                return vectors, True
        return vectors, False

    def _in_space(self, where: Mapping[str, Any] | None, space: int | None) -> Mapping[str, Any] | None:
        """The filter, and the space where there are several: an index is slower with a filter than without."""
        if space is None or not self._samples.spaces() - {space}:
            return where
        alike = {"space": {"$eq": space}}
        return {"$and": [where, alike]} if where else alike

    @contextmanager
    def _following(self) -> Iterator[None]:
        """A broken index may be another by the next time."""
        try:
            yield
        except VectorIndexBroken:
            with self._lock:
                self._generation = 0
            raise

    def _vectors_of(self, hits: Sequence[Hit]) -> dict[str, bytes]:
        bare = [hit.id for hit in hits if not hit.vector]
        return {hit.id: hit.vector for hit in hits if hit.vector} | (self._samples.vectors(bare) if bare else {})

    def _open(self) -> None:
        """Follow the index writer to a new generation."""
        present = self._samples.serving()
        with self._lock:
            if present != self._generation:
                self._vectors.open(present)
                self._shelf.clear()
                self._catalogue.clear()
                self._generation = present

    def visible(self, compared: Sequence[tuple[str, Likeness]], wanted: Wanted, most: int | None) -> list[Found]:
        """The best `most` of these (all by default) that are listed, may be seen and pass.

        Where most of them do, little more is read than will be shown.
        """
        found: list[Found] = []
        start, step = 0, len(compared) if most is None else most
        while start < len(compared) and (most is None or len(found) < most):
            asked = compared[start : start + step]
            known = self._samples.many([one for one, _ in asked], owner=wanted.where.owner, listed=True)
            found += [Found(known[one], like) for one, like in asked if one in known and wanted.passes(known[one])]
            start, step = start + step, step * 4
        return found[:most]


def audit_of(beats: Sequence[Mapping[str, str]]) -> dict[str, int] | None:
    """What the index writer's last audit found, by what it says in the pulse; ``None`` where there was none yet."""
    told = next((each for each in beats if each.get("part") == "index" and "audits" in each), None)
    if told is None:
        return None
    return {name.removeprefix("audit_"): int(count) for name, count in told.items() if name.startswith("audit")}
