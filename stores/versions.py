"""One content, several analysers: the newest answer is the one that is shown.

After an upgrade the old answers stay until the new one of the same content is there; then the old one steps back: it
is neither listed nor found nor indexed any more, and only who has its id still reads it. While there is but one
analyser all of this costs one look-up for each write of samples.

Whoever inserts looks afterwards which versions of its contents there are, so of two that meet the later one sees both.
A crash in between leaves an unready parcel (`stores.outbox`), and who adopts it looks again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pymongo import ReadPreference, UpdateOne

from stores.identity import age, of_version
from stores.mongo_door import Document, Documents, MongoDatabase
from stores.places import file_of, sighting
from stores.records import NewSample

LISTED, HIDDEN = 1, 0
"""What ``v`` says: it leads every index by which samples are listed, so hidden ones cost nothing there."""
_ANALYZERS = "analyzers"


class MongoVersions:
    """Which analysers there were, and which of their answers are shown."""

    def __init__(self, database: MongoDatabase) -> None:
        deciding = database.with_options(read_preference=ReadPreference.PRIMARY)
        self._samples: Documents = deciding["samples"]
        self._meta: Documents = deciding["meta"]
        self._noted: set[str] = set()
        self._versions_seen: list[str] = []

    def _note(self, samples: Iterable[NewSample]) -> None:
        """Remember whose answers these are, before any is there."""
        fresh = {f"{new.analyzer}/{new.space}" for new in samples} - self._noted
        if fresh:
            self._meta.update_one({"_id": _ANALYZERS}, {"$addToSet": {"known": {"$each": sorted(fresh)}}}, upsert=True)
            self._noted |= fresh

    def _known_versions(self) -> list[tuple[str, int]]:
        """(analyser, space of its vectors) of every one that ever wrote a sample."""
        found = self._meta.find_one({"_id": _ANALYZERS}) or {}
        pairs = (each.rpartition("/") for each in found.get("known", ()))
        return [(version, int(space)) for version, _, space in pairs]

    def _versions(self, *, fresh: bool = False) -> list[str]:
        """Every analyser that ever wrote a sample; unless `fresh` as last seen: who writes looks again afterwards."""
        if fresh or not self._versions_seen:
            self._versions_seen = [version for version, _ in self._known_versions()]
        return self._versions_seen

    def _kin(self, samples: Sequence[NewSample], versions: Sequence[str]) -> dict[str, Document]:
        """By content, the newest answer of another analyser: its owners and places are the new sample's too."""
        ids = [of_version(new.id, version) for new in samples for version in versions if version != new.analyzer]
        found = self._samples.find({"_id": {"$in": ids}}, {"content": 1, "analyzer": 1, "owners": 1, "places": 1})
        return {each["content"]: each for each in sorted(found, key=lambda each: age(each["analyzer"]))}

    def _supersede(self, ids: Iterable[str], versions: Sequence[str], generation: int) -> None:
        """Hide all but the newest answer for each of these contents; what the others know goes to the newest."""
        asked = list({of_version(each, version) for each in ids for version in versions})
        shape = {"v": 1, "content": 1, "analyzer": 1, "owners": 1, "places": 1}
        by_content: dict[str, list[Document]] = defaultdict(list)
        for each in self._samples.find({"_id": {"$in": asked}}, shape):
            by_content[each["content"]].append(each)
        hide: dict[str, list[str]] = defaultdict(list)
        updates: list[UpdateOne] = []
        for answers in by_content.values():
            *older, newest = sorted(answers, key=lambda each: age(each["analyzer"]))
            for old in (each for each in older if each["v"] == LISTED):
                updates += _bequest(old, newest)
                hide[newest["analyzer"]].append(old["_id"])
        if updates:
            self._samples.bulk_write(updates, ordered=False)
        for version, old_ids in hide.items():
            hidden = {"v": HIDDEN, "newer": version, "hidden_in": generation}
            self._samples.update_many({"_id": {"$in": old_ids}}, {"$set": hidden, "$unset": {"silent": ""}})


def _bequest(old: Document, newest: Document) -> list[UpdateOne]:
    return [update for place in old["places"] for update in sighting(newest, place["owner"], file_of(place))]
