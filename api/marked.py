"""What a caller says of sounds themselves: shown beside what was measured, and in its place where they look for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.schemas import MarkedQuery, MarkRequest
from api.spelling import spelled, tag_of
from api.views import sample_view
from stores import filters
from stores.doors import Marks, Samples
from stores.records import Among, Mark, Sample, SampleFilter
from workers.model import TONICS, camelot

_CORRECTED = ("bpm", "key", "camelot", "tonic", "mode", "kind")
"""Filters that ask for what a mark can correct."""


def mark_of(asked: MarkRequest) -> Mark:
    """What was sent, with keys as they are kept. Raises `BadFilter` for a key or a kind that there is not."""
    said = spelled(SampleFilter(key=asked.key, kind=asked.kind))
    filters.check(said)
    return Mark(tuple(dict.fromkeys(asked.tags)), asked.favourite, asked.bpm, asked.key and str(said.key), asked.kind)


def mark_view(mark: Mark) -> dict[str, Any]:
    """A mark as JSON."""
    correction = {"bpm": mark.bpm, "key": mark.key, "kind": mark.kind}
    return {"tags": list(mark.tags), "favourite": mark.favourite, **correction}


class Marked:
    """One caller's marks over the samples they see.

    Parameters
    ----------
    owner : whose marks
    sees : whose samples; ``None``: everybody's
    """

    def __init__(self, marks: Marks, samples: Samples, owner: str, sees: str | None) -> None:
        self._marks, self._samples, self._owner, self._sees = marks, samples, owner, sees

    def views(self, samples: Sequence[Sample]) -> list[dict[str, Any]]:
        """Samples, each with what the caller says of it as `yours`: ``None`` where that is nothing."""
        said = self._marks.of(self._owner, [sample.id for sample in samples])
        return [
            {**sample_view(sample), "yours": mark_view(said[sample.id]) if sample.id in said else None}
            for sample in samples
        ]

    def analyses(self, samples: Sequence[Sample]) -> dict[str, Mapping[str, Any]]:
        """What is known of samples, by their ids, with the caller's corrections in place of what was measured."""
        said = self._marks.of(self._owner, [sample.id for sample in samples])
        return {
            sample.id: corrected(sample.analysis, said[sample.id]) if sample.id in said else sample.analysis
            for sample in samples
        }

    def among(self, where: SampleFilter, query: MarkedQuery) -> Among | None:
        """Which samples the caller's marks let in or out; ``None`` where they change nothing."""
        only = self._only(query)
        corrected = self._corrected(where) if any(getattr(where, name) is not None for name in _CORRECTED) else {}
        if only is None and not corrected:
            return None
        also = tuple(sample_id for sample_id, passes in corrected.items() if passes)
        return Among(only, tuple(corrected), also)

    def _only(self, query: MarkedQuery) -> tuple[str, ...] | None:
        tags = tuple(map(tag_of, query.tag.split(","))) if query.tag else ()
        if not (tags or query.favourite or query.corrected):
            return None
        found = self._marks.find(self._owner, tags=tags, favourite=query.favourite, corrects=query.corrected)
        return tuple(sample.id for sample in self._samples.current(list(found), owner=self._sees).values())

    def _corrected(self, where: SampleFilter) -> dict[str, bool]:
        """Every sample that the caller corrected, and whether it passes as they corrected it."""
        marks = self._marks.find(self._owner, corrects=True)
        if not marks:
            return {}
        filters.check(where)
        samples = self._samples.current(list(marks), owner=self._sees)
        return {sample.id: _passes(where, sample, marks[asked]) for asked, sample in samples.items()}


def _passes(where: SampleFilter, sample: Sample, mark: Mark) -> bool:
    names = [file.path.lower() for file in sample.files]
    return filters.matches(where, corrected(sample.analysis, mark), names, [where.owner or ""])


def corrected(analysis: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    """An analysis with a mark's corrections in place of what was measured."""
    said = dict(analysis)
    if mark.bpm is not None:
        said["tempo"] = {**said.get("tempo", {}), "bpm": mark.bpm}
    if mark.key is not None:
        tonic, _, mode = mark.key.partition(" ")
        place = camelot(tonic, "minor" if mode == "minor" else "major") if tonic in TONICS else None
        said["key"] = {**said.get("key", {}), "label": mark.key, "tonic": tonic, "mode": mode, "camelot": place}
    if mark.kind is not None:
        said["kind"] = {**said.get("kind", {}), "label": mark.kind}
    return said
