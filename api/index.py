"""Asking the vector index: always its present generation, and never for what the caller may not see."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.similarity import Likeness, leaning, likeness, pack, unpack, weights_of
from stores.doors import Samples, Vectors
from stores.records import Sample
from workers.errors import NotFound, VectorIndexBroken

_CANDIDATES: Final = 200
"""Least to ask the index for. Measured in a library with 10,000 almost equal sounds and 500 odd ones: of the ten
nearest to an odd one it then finds 99.5 %, with 50 it found 96.8 %."""


@dataclass(frozen=True, slots=True)
class Found:
    """A neighbour."""

    sample: Sample
    likeness: Likeness


class Index:
    """The vector index together with the samples that it points to."""

    def __init__(self, samples: Samples, vectors: Vectors) -> None:
        self._samples = samples
        self._vectors = vectors
        self._generation = 0
        self._lock = threading.Lock()

    def vector_of(self, sample_id: str, owner: str | None) -> Sequence[float]:
        """A sample's vector. `NotFound` where there is no such sample; `Problem` (422) where it is silent."""
        self._samples.get(sample_id, owner=owner)
        return unpack(self._samples.vectors([sample_id]).get(sample_id, b""))

    def search(
        self,
        query: Sequence[float],
        aspects: Mapping[str, float] | None,
        where: Mapping[str, Any] | None,
        *,
        owner: str | None,
        limit: int,
        itself: str | None = None,
    ) -> list[Found]:
        """The `limit` most alike: candidates by the weighted vector, then compared again aspect by aspect.

        Without a filter `itself`, the sample whose vector `query` is, is always a candidate: an approximate index
        may pass over a sound that is unlike all others, even when it is asked for with its own vector.

        Raises
        ------
        Problem
            422: an unknown aspect, weights that are all 0, nothing to compare.
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        weights = weights_of(aspects, query)
        self._open()
        try:
            hits = self._vectors.query(leaning(query, weights), limit=max(limit * 5, _CANDIDATES), where=where)
        except VectorIndexBroken:
            self._forget()  # it may be another collection by the next time
            raise
        bare = [hit.id for hit in hits if not hit.vector]
        vectors = {hit.id: hit.vector for hit in hits if hit.vector} | (self._samples.vectors(bare) if bare else {})
        if itself is not None and not where:
            vectors[itself] = pack(query)
        compared = [(one, likeness(query, unpack(vector), weights)) for one, vector in vectors.items()]
        # Of those that sound the same the one asked for comes first: its twins may fill a page by themselves.
        compared.sort(key=lambda pair: (-round(pair[1].score, 6), pair[0] != itself, pair[0]))
        return self._visible(compared, owner, limit)

    def _open(self) -> None:
        """Follow the index writer to a new generation."""
        present = self._samples.generation()
        with self._lock:
            if present != self._generation:
                self._vectors.open(present)
                self._generation = present

    def _forget(self) -> None:
        with self._lock:
            self._generation = 0

    def _visible(self, compared: list[tuple[str, Likeness]], owner: str | None, limit: int) -> list[Found]:
        if owner is None:
            known = self._samples.many([one for one, _ in compared[:limit]])
            return [Found(known[one], like) for one, like in compared[:limit] if one in known]
        found: list[Found] = []
        for one, like in compared:
            try:
                found.append(Found(self._samples.get(one, owner=owner), like))
            except NotFound:
                continue
            if len(found) == limit:
                break
        return found
