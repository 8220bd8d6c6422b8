"""What owners say of sounds themselves, on MongoDB: one small document for each owner and content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from pymongo import ReadPreference

from stores.mongo_door import Document, Documents, MongoDatabase, mongo_errors
from stores.records import Mark
from workers.errors import TooManyMarks

MOST: Final = 20_000
"""So many sounds an owner may mark: a listing by marks reads all of them."""


def content_of(sample_id: str) -> str:
    """What a mark belongs to: the content, whatever analyser looked at it."""
    return sample_id.partition("-")[0]


def too_many() -> str:
    """What to do about it."""
    return f"There may be {MOST:,}: take back tags, stars or corrections of some first."


class MongoMarks:
    """`stores.doors.Marks` on a MongoDB server. An owner sees at once what they said."""

    def __init__(self, database: MongoDatabase) -> None:
        self._marks: Documents = database.with_options(read_preference=ReadPreference.PRIMARY)["marks"]

    @mongo_errors()
    def put(self, owner: str, sample_id: str, mark: Mark) -> None:
        name = _name(owner, sample_id)
        if mark == Mark():
            self._marks.delete_one({"_id": name})
            return
        said = {**asdict(mark), "tags": list(mark.tags), "corrects": mark.corrects}
        document: Document = {"owner": owner, "sample": sample_id, "updated_at": datetime.now(UTC), **said}
        if not self._marks.update_one({"_id": name}, {"$set": document}).matched_count:
            if self._marks.count_documents({"owner": owner}) >= MOST:
                raise TooManyMarks(too_many())
            self._marks.update_one({"_id": name}, {"$set": document}, upsert=True)

    @mongo_errors()
    def of(self, owner: str, sample_ids: Iterable[str]) -> dict[str, Mark]:
        names = {_name(owner, each): each for each in sample_ids}
        found = self._marks.find({"_id": {"$in": list(names)}})
        return {names[each["_id"]]: _mark(each) for each in found}

    @mongo_errors()
    def find(
        self, owner: str, *, tags: tuple[str, ...] = (), favourite: bool = False, corrects: bool = False
    ) -> dict[str, Mark]:
        asked: Document = {"owner": owner}
        asked |= {"tags": {"$in": list(tags)}} if tags else {}
        asked |= {"favourite": True} if favourite else {}
        asked |= {"corrects": True} if corrects else {}
        return {each["sample"]: _mark(each) for each in self._marks.find(asked)}

    @mongo_errors()
    def tags(self, owner: str) -> dict[str, int]:
        counted: list[Document] = [
            {"$match": {"owner": owner}},
            {"$unwind": "$tags"},
            {"$group": {"_id": "$tags", "n": {"$sum": 1}}},
        ]
        found = [(str(each["_id"]), int(each["n"])) for each in self._marks.aggregate(counted)]
        return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def _name(owner: str, sample_id: str) -> str:
    return f"{content_of(sample_id)}:{owner}"


def _mark(document: Document) -> Mark:
    return Mark(tuple(document["tags"]), document["favourite"], document["bpm"], document["key"], document["kind"])
