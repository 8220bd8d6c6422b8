"""The outbox of vectors: which samples the current generation of the index does not hold yet."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReadPreference, UpdateOne

from stores import filters
from stores.idranges import walk
from stores.mongo_door import Document, Documents, MongoDatabase, mongo_errors
from stores.records import PendingVector
from stores.thrift import ThriftyCount

_GENERATION = "generation"
_FIRST_SPAN = 1 / 256


class MongoOutbox:
    """A sample carries the generation that holds it, 0 at first; one without a vector carries none."""

    def __init__(self, database: MongoDatabase) -> None:
        deciding = database.with_options(read_preference=ReadPreference.PRIMARY)
        self._database = database
        self._samples: Documents = deciding["samples"]
        self._meta: Documents = deciding["meta"]
        self._span = _FIRST_SPAN
        self._indexed = ThriftyCount()

    @mongo_errors()
    def pending_vectors(self, limit: int) -> list[PendingVector]:
        found: list[Document] = []
        for generation in range(self._current()):
            for window, span in walk("", self._span):
                self._span = span
                asked = {"generation": generation, "_id": window}
                found += self._samples.find(asked, {"vector": 1, "analysis": 1, "owners": 1}).limit(limit - len(found))
                if len(found) >= limit:
                    # A backlog: look at less at a time, a query costs by what it matches.
                    self._span = max(self._span / 4, 1 / 65536)
                    return [_pending(document) for document in found]
        return [_pending(document) for document in found]

    @mongo_errors()
    def mark_indexed(self, ids: Sequence[str], generation: int) -> None:
        # One by one and by their ids: with a condition on the generation the embedded server goes through the
        # whole outbox for each batch, which made marking dearer than analysing.
        mark = {"$max": {"generation": generation}}
        marks = [UpdateOne({"_id": each, "vector": {"$exists": True}}, mark) for each in ids]
        if marks:
            self._samples.bulk_write(marks, ordered=False)

    @mongo_errors()
    def indexed_count(self, *, roughly: bool = False) -> int:
        current = self._current()

        def take() -> int:
            return self._samples.count_documents({"generation": current})

        return self._indexed.get(current, take) if roughly else take()

    @mongo_errors()
    def generation(self) -> int:
        return self._current()

    @mongo_errors()
    def next_generation(self, was: int) -> int:
        self._meta.update_one({"_id": _GENERATION}, {"$setOnInsert": {"n": 1}}, upsert=True)
        self._meta.update_one({"_id": _GENERATION, "n": was}, {"$set": {"n": was + 1}})
        self._span = _FIRST_SPAN
        return self._current()

    def _current(self) -> int:
        kept = self._meta.find_one({"_id": _GENERATION})
        return int(kept["n"]) if kept else 1


def _pending(document: Document) -> PendingVector:
    metadata = filters.metadata(document["analysis"], document["owners"][0])
    return PendingVector(document["_id"], bytes(document["vector"]), metadata)
