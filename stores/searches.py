"""Questions that owners keep by a name, on MongoDB."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pymongo import ReadPreference

from stores.mongo_door import Document, Documents, MongoDatabase, mongo_errors
from stores.records import SavedSearch
from workers.errors import NotFound, TooManySearches

MOST: Final = 200
"""So many an owner may keep."""


def too_many() -> str:
    """What to do about it."""
    return f"There may be {MOST}: forget some first."


class MongoSearches:
    """`stores.doors.Searches` on a MongoDB server. An owner sees at once what they kept."""

    def __init__(self, database: MongoDatabase) -> None:
        self._kept: Documents = database.with_options(read_preference=ReadPreference.PRIMARY)["searches"]

    @mongo_errors()
    def put(self, owner: str, name: str, asked: Mapping[str, object]) -> SavedSearch:
        known = {"_id": _id(owner, name)}
        # As text: places such as ``loudness.integrated_lufs`` are keys in it, and a dot in a key is a path to MongoDB.
        fields = {"owner": owner, "name": name, "asked": json.dumps(asked), "updated_at": datetime.now(UTC)}
        if not self._kept.update_one(known, {"$set": fields}).matched_count:
            if self._kept.count_documents({"owner": owner}) >= MOST:
                raise TooManySearches(too_many())
            self._kept.update_one(known, {"$set": fields}, upsert=True)
        return _saved({**known, **fields})

    @mongo_errors()
    def get(self, owner: str, name: str) -> SavedSearch:
        found = self._kept.find_one({"_id": _id(owner, name)})
        if found is None:
            raise NotFound("search")
        return _saved(found)

    @mongo_errors()
    def list(self, owner: str) -> builtins.list[SavedSearch]:
        return sorted(map(_saved, self._kept.find({"owner": owner})), key=lambda each: each.name)

    @mongo_errors()
    def remove(self, owner: str, name: str) -> None:
        if not self._kept.delete_one({"_id": _id(owner, name)}).deleted_count:
            raise NotFound("search")


def _id(owner: str, name: str) -> str:
    """Of two owners never the same, whatever they are called."""
    return json.dumps([owner, name])


def _saved(document: Document) -> SavedSearch:
    return SavedSearch(document["name"], json.loads(document["asked"]), document["updated_at"])
