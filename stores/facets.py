"""How many samples there are of each value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from stores.filters import at
from stores.mongo_door import Document, Documents
from stores.records import Facets
from stores.versions import LISTED

PLACES: Final[Mapping[str, str]] = {
    "kind": "kind.label",
    "instrument": "instrument.label",
    "key": "key.label",
    "container": "audio.container",
}
"""What each sample has once at most, besides its tempo."""
_STEP: Final = 10
"""Tempi are counted in steps of so many BPM."""


def count(samples: Documents, asked: Document) -> Facets:
    """Counted by the database: what each sample has once, and then its defects, of which it may have several."""
    # The embedded server takes an index for the first stage only: what is asked for leaves fewer than what is listed.
    match: list[Document] = [{"$match": asked}, {"$match": {"v": LISTED}}] if asked else [{"$match": {"v": LISTED}}]
    step = {"$floor": {"$divide": ["$analysis.tempo.bpm", _STEP]}}
    values = {**{name: f"$analysis.{place}" for name, place in PLACES.items()}, "tempo": step}
    tally = _Tally()
    for row in samples.aggregate([*match, _counted(values)]):
        tally.add(row["_id"], row["n"])
    damaged: Document = {"$match": {"analysis.defects.code": {"$exists": True}}}
    once = _counted({"sample": "$_id", "code": "$analysis.defects.code"})
    for row in samples.aggregate([*match, damaged, {"$unwind": "$analysis.defects"}, once, _counted("$_id.code")]):
        tally.counts["defect"][row["_id"]] += row["n"]
    return tally.facets()


def of(analyses: Iterable[Mapping[str, Any]]) -> Facets:
    """The same over analyses at hand."""
    tally = _Tally()
    for analysis in analyses:
        bpm = at(analysis, "tempo.bpm")
        values = {name: at(analysis, place) for name, place in PLACES.items()}
        tally.add({**values, "tempo": None if bpm is None else bpm // _STEP}, 1)
        tally.counts["defect"].update({each["code"] for each in analysis.get("defects", ())})
    return tally.facets()


def _counted(by: Any) -> Document:
    return {"$group": {"_id": by, "n": {"$sum": 1}}}


class _Tally:
    def __init__(self) -> None:
        self.total = 0
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in (*PLACES, "tempo", "defect")}

    def add(self, values: Mapping[str, Any], times: int) -> None:
        self.total += times
        for name, value in values.items():
            if value is not None:
                self.counts[name][value if name in PLACES else str(int(value) * _STEP)] += times

    def facets(self) -> Facets:
        """The most frequent first; tempi in their order."""
        said = {name: dict(counted.most_common()) for name, counted in self.counts.items()}
        return Facets(self.total, {**said, "tempo": dict(sorted(said["tempo"].items(), key=lambda row: int(row[0])))})
