"""Groups of copies: the same bytes at several places, the same samples in another file, the same sound in another form.
They link, and merge nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from api.copies import Floats, Resemblance, decibels, is_copy, resemblance
from api.errors import Problem
from api.keeping import choose
from api.parts import Parts
from api.similarity import Likeness, compare, leaning, unpack
from stores import filters
from stores.records import Page, Sample, SampleFilter
from workers.errors import NotFound

ASPECTS: Final = {"timbre": 1.0, "pitch": 1.0, "spectrum": 1.0}
"""What cutting and fading leave alone; rhythm and dynamics they do not."""
LEAST_ALIKE: Final = 0.85
"""A copy's score by these aspects: all but a few of the edited sounds of `benchmarks.duplicates` have more."""
_LOOKED_AT: Final = 30
_MOST_LOOKED_AT: Final = 750
_MOST_IN_GROUP: Final = 100
_PICTURES: Final = 2000
_IN_ALL: Final = Resemblance(shape_db=0.0, steady=1.0)


@dataclass(frozen=True, slots=True)
class Link:
    """Two samples that are copies of each other."""

    one: str
    other: str
    found: Resemblance
    same_audio: bool = False
    """They decode to the same samples: one was made of the other without loss, or only their tags differ."""


class Duplicates:
    """The duplicates among the samples that one caller sees."""

    def __init__(self, parts: Parts, sees: str | None) -> None:
        self._samples, self._index, self._sees = parts.samples, parts.index, sees
        self._picture = lru_cache(maxsize=_PICTURES)(self._drawn)
        self._links_of = lru_cache(maxsize=_PICTURES)(self._looked_up)
        self._known: dict[str, Sample] = {}
        self._alike_to_the_bit: dict[str, list[Sample]] = {}
        self._near_too = True

    def page(self, kind: str | None, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], Page[Sample]]:
        """The groups that begin among the next `limit` samples in the order of their ids, and that page of samples.

        A group begins at its smallest id, so that each is told once.
        """
        page = self._samples.page(SampleFilter(owner=self._sees), cursor=cursor, limit=limit)
        self._known |= {sample.id: sample for sample in page.items}
        self._near_too = kind != "audio"
        if kind != "exact":
            self._look_for_same(page.items)
        groups = (self._first(sample, kind) for sample in page.items)
        return [group for group in groups if group is not None and kind in (None, group["kind"])], page

    def _first(self, sample: Sample, kind: str | None) -> dict[str, Any] | None:
        """The group that begins with this sample."""
        return (self.group(sample, whole=False) if kind != "exact" else None) or _exact(sample)

    def of(self, sample_id: str) -> dict[str, Any] | None:
        """The group that a sample is in; ``None`` where it has no copy. `NotFound` where there is no such sample."""
        sample = self._samples.get(sample_id, owner=self._sees)
        self._known[sample.id] = sample
        return self.group(sample, whole=True) or _exact(sample)

    def group(self, sample: Sample, *, whole: bool) -> dict[str, Any] | None:
        """The copies of a sample, their copies, and so on; unless `whole` only where it is the first of them."""
        members, links = {sample.id: sample}, dict[frozenset[str], Link]()
        ahead = [sample]
        while ahead:
            for link in self._links_of(ahead.pop().id):
                if not whole and link.other < sample.id:
                    return None
                links.setdefault(frozenset((link.one, link.other)), link)
                if link.other not in members and len(members) < _MOST_IN_GROUP:
                    members[link.other] = self._known[link.other]
                    ahead.append(self._known[link.other])
        if not links:
            return None
        return _near(list(members.values()), [one for pair, one in links.items() if pair <= members.keys()])

    def _looked_up(self, sample_id: str) -> tuple[Link, ...]:
        """The links of one sample to those that the caller sees."""
        return tuple(self._links(self._known[sample_id]))

    def _links(self, sample: Sample) -> Iterator[Link]:
        same = self._same(sample)
        for other in same:
            self._known[other.id] = other
            yield Link(sample.id, other.id, _IN_ALL, same_audio=True)
        if self._near_too:
            known = {other.id for other in same}
            yield from (link for link in self._near_links(sample) if link.other not in known)

    def _same(self, sample: Sample) -> list[Sample]:
        """Those that decode to the same samples: where the hash is that of the same numbers at another rate, or in
        another number of channels, they do not sound the same."""
        self._look_for_same([sample])
        found = self._alike_to_the_bit.get(filters.at(sample.analysis, filters.PCM) or "", [])
        return [other for other in found if other.id != sample.id and _played(other) == _played(sample)]

    def _look_for_same(self, samples: Sequence[Sample]) -> None:
        """Ask the ledger once for all of these."""
        hashes = {filters.at(sample.analysis, filters.PCM) for sample in samples} - {None, *self._alike_to_the_bit}
        if hashes:
            found = self._samples.same_pcm(sorted(hashes), owner=self._sees)
            self._alike_to_the_bit |= {each: found.get(each, []) for each in hashes}

    def _near_links(self, sample: Sample) -> Iterator[Link]:
        try:
            query = unpack(self._samples.vectors([sample.id]).get(sample.id, b""))
        except Problem:
            return  # silent: all silence is alike
        for other, alike in self._near(sample, leaning(query, ASPECTS), query):
            found = self._compared(sample, other)
            if found is not None and is_copy(sample.analysis, other.analysis, alike, found):
                self._known[other.id] = other
                yield Link(sample.id, other.id, found)

    def _near(self, sample: Sample, direction: bytes, query: Sequence[float]) -> list[tuple[Sample, float]]:
        """Those that may be copies: asked for until one is too far to be one."""
        most = _LOOKED_AT
        while True:
            vectors = self._index.nearest(direction, sample.space, most)
            likes = compare(query, vectors, ASPECTS)
            alike = [one for one, like in likes.items() if like.score >= LEAST_ALIKE and one != sample.id]
            if len(vectors) < most or len(alike) < most - 1 or most >= _MOST_LOOKED_AT:
                known = self._samples.many(sorted(alike), owner=self._sees, listed=True)
                return [(each, alike_in_all(likes[one])) for one, each in known.items()]
            most *= 5

    def _compared(self, one: Sample, other: Sample) -> Resemblance | None:
        first, second = self._picture(one.id), self._picture(other.id)
        if first is None or second is None:
            return None
        return resemblance(first, _seconds(one), second, _seconds(other))

    def _drawn(self, sample_id: str) -> Floats | None:
        try:
            _, mel = self._samples.preview(sample_id)
        except NotFound:
            return None
        return decibels(mel)


def _played(sample: Sample) -> tuple[Any, Any]:
    return filters.at(sample.analysis, "audio.sample_rate_hz"), filters.at(sample.analysis, "audio.channels")


def alike_in_all(likeness: Likeness) -> float:
    """The mean of the cosines of all aspects."""
    return sum(value or 0.0 for value in likeness.aspects.values()) / len(likeness.aspects)


def _seconds(sample: Sample) -> float:
    return max(float(filters.at(sample.analysis, "audio.duration_s") or 0.0), 1e-3)


def _exact(sample: Sample) -> dict[str, Any] | None:
    """The same bytes at several places."""
    if len(sample.files) < 2:
        return None
    why = "The same bytes; this place was seen first."
    return {"kind": "exact", "keep": sample.id, "why": why, "samples": [sample], "links": []}


def _near(samples: list[Sample], links: list[Link]) -> dict[str, Any]:
    samples.sort(key=lambda sample: sample.id)
    keep, why = choose(samples)
    said = [
        {
            "between": sorted((link.one, link.other)),
            "same_audio": link.same_audio,
            "shape_db": round(link.found.shape_db, 2),
            "steady": round(link.found.steady, 3),
        }
        for link in links
    ]
    said.sort(key=lambda each: str(each["between"]))
    kind = "audio" if all(link.same_audio for link in links) else "near"
    return {"kind": kind, "keep": keep.id, "why": why, "samples": samples, "links": said}
