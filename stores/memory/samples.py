"""The twin of the samples and of the outbox of vectors."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, cast

from stores import cursor as cursors
from stores import facets, filters, sorts
from stores.identity import age
from stores.memory.book import moment
from stores.outlines import outline
from stores.records import (
    Among,
    Facets,
    FileRef,
    NewSample,
    Origin,
    Outgoing,
    Outline,
    Page,
    PendingVector,
    Sample,
    SampleFilter,
    Sort,
)
from workers.errors import NotFound

MOST_PLACES = 20


@dataclass
class _Kept:
    new: NewSample
    analysis: Mapping[str, Any]
    places: list[tuple[str, FileRef]]
    owners: list[str]
    created_at: float
    newer: str | None = None
    hidden_in: int = 0

    def names(self, owner: str | None) -> list[str]:
        return [place.path.lower() for who, place in self.places if owner in (None, who)]


@dataclass(frozen=True)
class _Parcel:
    vectors: tuple[PendingVector, ...]
    ready: bool


class MemorySamples:
    """`stores.doors.Samples` in memory."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._kept: dict[str, _Kept] = {}
        self._generation = self._serving = 1
        self._settled: dict[str, frozenset[str]] = {}
        self._parcels: dict[str, _Parcel] = {}
        self._posted = 0
        self.between: Callable[[str], None] = lambda writes: None
        """Called between two writes that are one call of the door: a test may die there."""
        self._walk: tuple[str, int] | None = None
        """(The last id of the walk that fills a new generation, vectors so far.)"""

    def _newest(self, content: str) -> _Kept:
        return max((kept for kept in self._kept.values() if kept.new.content == content), key=_age)

    def _step_back(self, new: NewSample) -> None:
        """Only the newest of a content is listed, and has the owners and places of all."""
        newest = self._newest(new.content)
        for kept in self._kept.values():
            if kept.new.content == new.content and kept is not newest and kept.newer is None:
                kept.newer, kept.hidden_in = newest.new.id, self._generation
                for owner, place in kept.places:
                    self._sight(newest, owner, place)

    def known(self, ids: Iterable[str]) -> dict[str, Origin]:
        with self._lock:
            return {each: self._kept[each].new.origin for each in ids if each in self._kept}

    def insert(self, samples: Sequence[NewSample]) -> dict[str, Origin]:
        vectors = tuple(_pending(new) for new in samples if new.vector)
        parcel = self._post(vectors, ready=False) if vectors else None
        self.between("parcel, samples")
        with self._lock:
            for new in samples:
                if new.id not in self._kept:
                    plain = json.loads(json.dumps(new.analysis))
                    places = [(new.owner, new.file)] if new.owner else []
                    self._kept[new.id] = _Kept(new, plain, places, [who for who, _ in places], self._clock())
                    self._step_back(new)
        self.between("samples, parcel ready")
        with self._lock:
            if parcel is not None:
                self._parcels[parcel] = _Parcel(vectors, ready=True)
            return self.known([new.id for new in samples])

    def _post(self, vectors: tuple[PendingVector, ...], *, ready: bool) -> str:
        with self._lock:
            self._posted += 1
            self._parcels[str(self._posted)] = _Parcel(vectors, ready)
            return str(self._posted)

    def seen_at(self, places: Sequence[tuple[str, FileRef]], *, owner: str | None = None) -> None:
        with self._lock:
            for sample_id, file in places:
                kept = self._kept.get(sample_id)
                while kept is not None:
                    self._sight(kept, owner or next(iter(kept.owners), ""), file)
                    kept = self._kept[kept.newer] if kept.newer else None

    @staticmethod
    def _sight(kept: _Kept, by: str, file: FileRef) -> None:
        here = {(who, place.root, place.path) for who, place in kept.places}
        full = len(kept.places) >= MOST_PLACES and any(who == by for who, _ in kept.places)
        if (by, file.root, file.path) not in here and not full:
            kept.places.append((by, file))
        if by not in kept.owners:
            kept.owners.append(by)

    def settled(self, digests: Sequence[str]) -> dict[str, frozenset[str]]:
        with self._lock:
            return {each: self._settled[each] for each in digests if each in self._settled}

    def settle(self, runs: Mapping[str, frozenset[str]]) -> None:
        with self._lock:
            self._settled = {**runs, **self._settled}

    def get(self, sample_id: str, *, owner: str | None = None) -> Sample:
        with self._lock:
            kept = self._kept.get(sample_id)
            if kept is None or (owner is not None and owner not in kept.owners):
                raise NotFound("sample")
            return self._seen(kept, owner)

    def many(self, sample_ids: Sequence[str], *, owner: str | None = None, listed: bool = False) -> dict[str, Sample]:
        with self._lock:
            there = [each for each in sample_ids if each in self._kept]
            there = [each for each in there if not listed or self._kept[each].newer is None]
            theirs = [each for each in there if owner is None or owner in self._kept[each].owners]
            return {each: self._seen(self._kept[each], owner) for each in theirs}

    def vectors(self, sample_ids: Sequence[str]) -> dict[str, bytes]:
        with self._lock:
            found = {each: self._kept[each].new.vector for each in sample_ids if each in self._kept}
            return {each: vector for each, vector in found.items() if vector}

    def same_pcm(self, hashes: Sequence[str], *, owner: str | None = None) -> dict[str, list[Sample]]:
        with self._lock:
            theirs = [kept for _, kept in self._shown() if owner is None or owner in kept.owners]
            asked = [kept for kept in theirs if filters.at(kept.analysis, filters.PCM) in set(hashes)]
            return filters.by_pcm(self._seen(kept, owner) for kept in asked)

    def preview(self, sample_id: str) -> tuple[bytes, bytes]:
        with self._lock:
            kept = self._kept.get(sample_id)
            if kept is None:
                raise NotFound("sample")
            return kept.new.peaks, kept.new.mel

    def page(
        self,
        where: SampleFilter,
        *,
        cursor: str | None,
        limit: int,
        sort: Sort | None = None,
        among: Among | None = None,
    ) -> Page[Sample]:
        filters.check(where)
        if sort is not None:
            return self._sorted(where, sort, among, cursor, limit)
        with self._lock:
            rows, seen = partial(self._listing, where, among), partial(self._seen, owner=where.owner)
            return cursors.by_id(("samples", where), cursor, limit, rows, seen)

    def outlines(
        self, where: SampleFilter, *, cursor: str | None, limit: int, among: Among | None = None
    ) -> Page[Outline]:
        filters.check(where)
        with self._lock:
            rows, seen = partial(self._listing, where, among), partial(self._outlined, owner=where.owner)
            return cursors.by_id(("outlines", where), cursor, limit, rows, seen)

    def _listing(self, where: SampleFilter, among: Among | None, after: str, limit: int) -> list[_Kept]:
        return [kept for kept in self._found(where, among) if kept.new.id > after][:limit]

    def _outlined(self, kept: _Kept, owner: str | None) -> Outline:
        file = next((place for who, place in kept.places if owner in (None, who)), None)
        return outline(kept.new.id, file, kept.analysis, kept.new.vector, kept.new.space)

    def _found(self, where: SampleFilter, among: Among | None) -> list[_Kept]:
        def found(kept: _Kept) -> bool:
            matched = filters.matches(where, kept.analysis, kept.names(where.owner), kept.owners)
            return filters.is_among(among, kept.new.id, matched)

        return [kept for _, kept in self._shown() if found(kept)]

    def _sorted(
        self, where: SampleFilter, sort: Sort, among: Among | None, cursor: str | None, limit: int
    ) -> Page[Sample]:
        question = ("samples", where, sort)
        behind = sorts.place_at(question, cursor, sort).id if cursor else None
        with self._lock:
            rows = [(sorts.place_of(_as_document(kept), sort), kept) for kept in self._found(where, among)]
            known = [row for row in rows if row[0].value]
            known.sort(key=lambda row: cast(float, sorts.value_of(row[0], sort)), reverse=sort.descending)
            rows = [*known, *(row for row in rows if not row[0].value)]
            start = next((n + 1 for n, (place, _) in enumerate(rows) if place.id == behind), 0)
            page = rows[start : start + limit]
            seen = tuple(self._seen(kept, where.owner) for _, kept in page)
        return Page(seen, sorts.cursor(question, page[-1][0]) if len(rows) > start + limit else None)

    def facets(self, where: SampleFilter, among: Among | None = None) -> Facets:
        filters.check(where)
        with self._lock:
            return facets.of(kept.analysis for kept in self._found(where, among))

    def current(self, sample_ids: Sequence[str], *, owner: str | None = None) -> dict[str, Sample]:
        with self._lock:
            listed = {kept.new.content: each for each, kept in self._shown()}
            there = {listed[each.partition("-")[0]]: each for each in sample_ids if each.partition("-")[0] in listed}
            return {there[each]: sample for each, sample in self.many(list(there), owner=owner).items()}

    def count(self) -> int:
        with self._lock:
            return len(self._shown())

    def outdated(self, analyzer: str, *, owner: str | None, after: str, limit: int) -> list[Sample]:
        with self._lock:
            rows = [kept for each, kept in self._shown() if each > after and _age(kept) < age(analyzer)]
            return [self._seen(kept, owner) for kept in rows if owner is None or owner in kept.owners][:limit]

    def spaces(self) -> frozenset[int]:
        with self._lock:
            return frozenset(kept.new.space for kept in self._kept.values())

    def surplus(self) -> int:
        with self._lock:
            return sum(kept.hidden_in >= self._generation - 1 for kept in self._kept.values() if kept.newer)

    def _shown(self) -> list[tuple[str, _Kept]]:
        return [(each, kept) for each, kept in sorted(self._kept.items()) if kept.newer is None]

    def outgoing(self, limit: int) -> Outgoing | None:
        with self._lock:
            taken: dict[str, tuple[PendingVector, ...]] = {}
            for key, parcel in self._parcels.items():
                if parcel.ready and (not taken or sum(map(len, taken.values())) + len(parcel.vectors) <= limit):
                    taken[key] = parcel.vectors
            if taken:
                once = {each.id: each for each in chain.from_iterable(taken.values())}
                jobs = Counter(self._kept[each].new.origin.job_id for each in once if each in self._kept)
                return Outgoing(tuple(once.values()), parcels=tuple(taken), jobs=jobs)
            return None if self._walk is None else self.walk(self._walk[0], limit)

    def walk(self, after: str, limit: int) -> Outgoing:
        with self._lock:
            left = [kept.new for each, kept in self._shown() if each > after]
            vectors = tuple(_pending(new) for new in left[:limit] if new.vector)
            return Outgoing(vectors, walked_to=left[limit - 1].id if len(left) >= limit else None, walked=len(vectors))

    def sent(self, outgoing: Outgoing, generation: int) -> None:
        with self._lock:
            for key in outgoing.parcels:
                self._parcels.pop(key, None)
            if self._walk is not None and not outgoing.parcels and generation == self._generation:
                to = outgoing.walked_to
                self._walk = None if to is None else (to, self._walk[1] + outgoing.walked)

    def unready(self) -> list[str]:
        with self._lock:
            return [key for key, parcel in self._parcels.items() if not parcel.ready]

    def adopt(self, parcels: Iterable[str]) -> None:
        for key in parcels:
            with self._lock:
                parcel = self._parcels.get(key)
                if parcel is None or parcel.ready:
                    continue
                kept = tuple(each for each in parcel.vectors if each.id in self._kept)
                if kept:
                    self._post(kept, ready=True)
            self.between("adopted, parcel gone")
            with self._lock:
                if key in self._parcels and not self._parcels[key].ready:
                    del self._parcels[key]

    def indexed_count(self, *, roughly: bool = False) -> int:
        with self._lock:
            if self._walk is not None:
                return self._walk[1]
            with_vector = sum(bool(kept.new.vector) for _, kept in self._shown())
            return max(0, with_vector - sum(len(parcel.vectors) for parcel in self._parcels.values()))

    def generation(self) -> int:
        return self._generation

    def serving(self) -> int:
        return self._serving

    def serve(self, generation: int) -> None:
        with self._lock:
            if generation == self._generation:
                self._serving = generation

    def next_generation(self, was: int, *, beside: bool = False) -> int:
        with self._lock:
            if self._generation == was:
                self._generation += 1
                self._walk = ("", 0)
                self._serving = self._serving if beside else self._generation
            return self._generation

    def _seen(self, kept: _Kept, owner: str | None = None) -> Sample:
        return Sample(
            id=kept.new.id,
            content=kept.new.content,
            analyzer=kept.new.analyzer,
            analysis=kept.analysis,
            files=tuple(place for who, place in kept.places if owner in (None, who)),
            created_at=moment(kept.created_at),
            space=kept.new.space,
            superseded_by=kept.newer,
        )


def _pending(new: NewSample) -> PendingVector:
    return PendingVector(new.id, new.vector, filters.metadata(new.analysis, new.owner, new.space))


def _as_document(kept: _Kept) -> dict[str, Any]:
    return {"_id": kept.new.id, "analysis": kept.analysis, "created_at": moment(kept.created_at)}


def _age(kept: _Kept) -> tuple[int, ...]:
    return age(kept.new.analyzer)
