"""One search: what to compare with, what may be found, and what is said of each hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from api.asking import Like, SoundRequest
from api.errors import Problem
from api.filters import marks_asked, search_filter
from api.fitting import Fit, Fitting, spectrum_opposite
from api.index import Found, Wanted
from api.marked import Marked
from api.parts import Parts
from api.security import Caller
from api.similarity import Vector, compare, leaning, middle, pack, unit, weights_of
from api.variety import farthest_first
from stores.records import Sample
from workers.model import ASPECTS, VECTOR_VERSION

_DIGITS: Final = 4
_CHOICE: Final = 5
"""Different ones are chosen from so many times as many as are asked for, within the two below."""
_LEAST_CHOICE: Final = 50
_MOST_CHOICE: Final = 250


@dataclass(frozen=True, slots=True)
class _Query:
    """What is compared with."""

    vector: Vector
    space: int | None
    samples: Mapping[str, bytes]
    """Those that were named, by their vectors as kept."""


class Searching:
    """The searches of one caller."""

    def __init__(self, parts: Parts, who: Caller) -> None:
        self._parts, self._who = parts, who
        self._marked = Marked(parts.marks, parts.samples, who.owner, who.sees)

    def search(self, like: Like, asked: SoundRequest) -> dict[str, Any]:
        """The answer to a search.

        Raises
        ------
        Problem
            422: an unknown aspect, weights that are all 0, nothing to compare.
        BadFilter
            A filter that no sample passes.
        NotFound
            A sample that there is not, or that the caller may not see.
        StoreUnavailable, VectorIndexBroken
            The ledger or the index does not answer.
        """
        wanted = self._wanted(asked)
        query = self._query(like)
        sure = query.samples if asked.include_self else {}
        left_out = frozenset() if asked.include_self else frozenset(query.samples)
        wanted = replace(wanted, space=query.space, sure=sure, leave_out=left_out)
        if (far := asked.fitting) is not None:
            source = self._parts.samples.get(like.ids[0], owner=self._who.sees)
            return self._fits(Fitting(self._marked, source, far), query, wanted, asked)
        return self._alike(query, wanted, asked)

    def _alike(self, query: _Query, wanted: Wanted, asked: SoundRequest) -> dict[str, Any]:
        weights = weights_of(asked.aspects, query.vector)
        index = self._parts.index

        def rank(vectors: dict[str, bytes]) -> list[Found]:
            likes = compare(query.vector, vectors, weights)
            # Of those that sound the same the one asked for comes first: its twins may fill a page by themselves.
            ranked = sorted(
                likes.items(), key=lambda one: (-round(one[1].score, 6), one[0] not in query.samples, one[0])
            )
            found = index.visible(ranked, wanted, wanted.enough)
            return [replace(one, vector=vectors[one.sample.id]) for one in found]

        found = index.search(leaning(query.vector, weights), wanted, rank)
        if asked.different:
            found = farthest_first(found, weights, asked.limit)
        found = found[: asked.limit]
        views = self._views(found)
        return {"items": [_hit(one, view, one.likeness.shares) for one, view in zip(found, views, strict=True)]}

    def _fits(self, fitting: Fitting, query: _Query, wanted: Wanted, asked: SoundRequest) -> dict[str, Any]:
        everything = dict.fromkeys(ASPECTS, 1.0)
        index, fits = self._parts.index, dict[str, Fit]()

        def rank(vectors: dict[str, bytes]) -> list[Found]:
            likes = compare(query.vector, vectors, everything)
            found = index.visible(list(likes.items()), wanted, None)
            fits.update(fitting.of(found))
            fitted = [replace(one, vector=vectors[one.sample.id]) for one in found if one.sample.id in fits]
            fitted.sort(key=lambda one: (-round(fits[one.sample.id].score, 6), one.sample.id))
            return fitted[: wanted.enough]

        found = index.search(spectrum_opposite(query.vector), wanted, rank)
        if asked.different:
            found = farthest_first(found, everything, asked.limit)
        found = found[: asked.limit]
        views = zip(found, self._views(found), strict=True)
        return {
            "items": [
                {**_hit(one, view, fits[one.sample.id].shares), "fits": fits[one.sample.id].view()}
                for one, view in views
            ]
        }

    def _wanted(self, asked: SoundRequest) -> Wanted:
        where = search_filter(asked.where, self._who.sees)
        among = self._marked.among(where, marks_asked(asked.where))
        enough = min(max(_LEAST_CHOICE, asked.limit * _CHOICE), _MOST_CHOICE) if asked.different else asked.limit
        return Wanted(where, enough, among)

    def _query(self, like: Like) -> _Query:
        if like.vector is not None:
            return _Query(unit(like.vector), VECTOR_VERSION, {})
        said = {one: self._parts.index.vector_of(one, self._who.sees) for one in like.ids}
        spaces = {space for _, space in said.values()}
        if len(spaces) > 1:
            raise Problem(
                422,
                "not_comparable",
                "These samples were analysed by versions that cannot be compared: recompute them.",
            )
        vectors = [vector for vector, _ in said.values()]
        kept = {one: pack(vector) for one, (vector, _) in said.items()}
        return _Query(vectors[0] if len(vectors) == 1 else middle(vectors), spaces.pop(), kept)

    def _views(self, found: Sequence[Found]) -> list[dict[str, Any]]:
        samples: list[Sample] = [one.sample for one in found]
        return self._marked.views(samples)


def _hit(found: Found, view: dict[str, Any], shares: Mapping[str, float]) -> dict[str, Any]:
    """A hit as JSON: its score is the sum of the shares as they are printed."""
    cosines = {name: None if value is None else round(value, _DIGITS) for name, value in found.likeness.aspects.items()}
    printed = {name: round(share, _DIGITS) + 0.0 for name, share in shares.items()}
    score = round(sum(printed.values()), _DIGITS)
    return {"sample": view, "score": score, "aspects": cosines, "shares": printed}
