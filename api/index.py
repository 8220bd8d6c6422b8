"""Asking the vector index: always its present generation, and never for what the caller may not see."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from api.filters import index_filter
from api.similarity import Likeness, leaning, likeness, pack, unpack, weights_of
from stores.doors import Samples, Vectors
from stores.records import Hit, Sample, SampleFilter
from workers.errors import VectorIndexBroken
from workers.model import VECTOR_VERSION

_CANDIDATES: Final = 200
"""Least to ask the index for. Measured in a library with 10,000 almost equal sounds and 500 odd ones: of the ten
nearest to an odd one it then finds 99.5 %, with 50 it found 96.8 %."""

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


def _widths(limit: int) -> Iterator[int]:
    """How many candidates to ask for, first and then."""
    most = max(limit * 5, _CANDIDATES)
    while most < _MOST_CANDIDATES:
        yield most
        most *= 5
    yield _MOST_CANDIDATES


class Index:
    """The vector index together with the samples that it points to."""

    def __init__(self, samples: Samples, vectors: Vectors) -> None:
        self._samples = samples
        self._vectors = vectors
        self._generation = 0
        self._lock = threading.Lock()

    def vector_of(self, sample_id: str, owner: str | None) -> tuple[Sequence[float], int | None]:
        """A sample's vector and its space. `NotFound` where there is none; `Problem` (422) where it is silent."""
        sample = self._samples.get(sample_id, owner=owner)
        return unpack(self._samples.vectors([sample_id]).get(sample_id, b"")), sample.space

    def search(
        self,
        query: Sequence[float],
        aspects: Mapping[str, float] | None,
        where: SampleFilter,
        *,
        owner: str | None,
        limit: int,
        space: int | None = VECTOR_VERSION,
        itself: str | None = None,
        with_itself: bool = False,
    ) -> list[Found]:
        """The `limit` most alike: candidates by the weighted vector, then compared again aspect by aspect.

        An owner for whom the index finds too few gets them from all of their own samples.

        `itself`, the sample whose vector `query` is, is left out, or `with_itself` and no filter always a candidate: an
        approximate index may pass over a sound that is unlike all others, even when it is asked for its own vector.

        Only vectors of the same `space` are compared: after an upgrade those of the older analyser are still there.

        Raises
        ------
        Problem
            422: an unknown aspect, weights that are all 0, nothing to compare.
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        weights = weights_of(aspects, query)
        self._open()
        narrowed = self._in_space(index_filter(where), space)

        def best(vectors: dict[str, bytes]) -> list[Found]:
            if itself is not None and not with_itself:
                vectors.pop(itself, None)
            compared = [(one, likeness(query, unpack(vector), weights)) for one, vector in vectors.items()]
            # Of those that sound the same the one asked for comes first: its twins may fill a page by themselves.
            compared.sort(key=lambda pair: (-round(pair[1].score, 6), pair[0] != itself, pair[0]))
            return self._visible(compared, owner, limit)

        found: list[Found] = []
        theirs: dict[str, bytes] = {}
        for most in _widths(limit):
            hits = self._ask(leaning(query, weights), most, narrowed)
            vectors = self._vectors_of(hits)
            if itself is not None and with_itself and not index_filter(where):
                vectors[itself] = pack(query)
            found = best(vectors)
            if len(found) == limit or (owner is None and len(hits) < most):
                return found
            if owner is not None and not theirs:
                theirs, whole = self._theirs(replace(where, owner=owner), space, _COMPARED_ALL)
                if whole:
                    return best(theirs)
            if len(hits) < most:
                break
        if owner is None:
            return found
        return best(vectors | self._theirs(replace(where, owner=owner), space, _COMPARED_MOST)[0])

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

    def _ask(self, vector: bytes, most: int, where: Mapping[str, Any] | None) -> list[Hit]:
        try:
            return self._vectors.query(vector, limit=most, where=where)
        except VectorIndexBroken:
            self._forget()  # it may be another collection by the next time
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
                self._generation = present

    def _forget(self) -> None:
        with self._lock:
            self._generation = 0

    def _visible(self, compared: list[tuple[str, Likeness]], owner: str | None, limit: int) -> list[Found]:
        """The best that are listed and may be seen. Where most may, no more is read than will be shown."""
        found: list[Found] = []
        step = limit if owner is None else max(limit, len(compared))
        for start in range(0, len(compared), step):
            asked = compared[start : start + step]
            known = self._samples.many([one for one, _ in asked], owner=owner, listed=True)
            found += [Found(known[one], like) for one, like in asked if one in known]
            if len(found) >= limit:
                break
        return found[:limit]


def audit_of(beats: Sequence[Mapping[str, str]]) -> dict[str, int] | None:
    """What the index writer's last audit found, by what it says in the pulse; ``None`` where there was none yet."""
    told = next((each for each in beats if each.get("part") == "index" and "audits" in each), None)
    if told is None:
        return None
    return {name.removeprefix("audit_"): int(count) for name, count in told.items() if name.startswith("audit")}
