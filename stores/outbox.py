"""The outbox of vectors: what the present generation of the index does not hold yet.

Each write of samples leaves a parcel with their vectors, which goes when the index has them: one small document for
200 samples. (A mark on each sample was dearer than its analysis: the embedded server takes 2 ms for an update.) A
parcel is there before its samples and `ready` after them, so a crash leaves no sample without one.

A new generation is filled by a walk over all samples in the order of their ids, which goes on after a crash from
where it was.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson import Binary, ObjectId
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError

from stores import filters
from stores.idranges import walk
from stores.mongo_door import Document, Documents, MongoDatabase, mongo_errors
from stores.records import NewSample, Outgoing, PendingVector
from stores.thrift import ThriftyCount
from stores.versions import HIDDEN, LISTED, MongoVersions

_GENERATION = "generation"
_FIRST_SPAN = 1 / 256
_PARCEL = 200
"""Most vectors in one parcel: some 150 KB."""


class MongoOutbox(MongoVersions):
    """What the index writer asks of the samples."""

    def __init__(self, database: MongoDatabase) -> None:
        super().__init__(database)
        deciding = database.with_options(read_preference=ReadPreference.PRIMARY)
        self._parcels: Documents = deciding["outbox"]
        self._span = _FIRST_SPAN
        self._indexed = ThriftyCount()
        self._keys: deque[tuple[str, int]] = deque()
        """Parcels listed and not yet taken: (key, vectors in it)."""

    def _parcels_of(self, samples: Sequence[NewSample]) -> list[Document]:
        """Parcels for samples about to be written."""
        return [_parcel(samples[n : n + _PARCEL]) for n in range(0, len(samples), _PARCEL)]

    def _post(self, parcels: Sequence[Document]) -> None:
        """Leave parcels before their samples are written."""
        self._parcels.insert_many(parcels)

    def _step_back(self, ids: Sequence[str]) -> None:
        """Let older answers to these contents be hidden."""
        versions = self._versions(fresh=True)
        if len(versions) > 1:
            self._supersede(ids, versions, int(self._read_meta().get("n", 1)))

    def _send_off(self, parcels: Sequence[Document]) -> None:
        """Their samples are written now, and older ones stepped back."""
        for parcel in parcels:
            if not parcel["n"]:
                self._parcels.delete_one({"_id": parcel["_id"]})
            elif not self._parcels.update_one({"_id": parcel["_id"]}, {"$set": {"ready": True}}).matched_count:
                # Somebody who thought us dead gave it up before the samples were there.
                _insert_once(self._parcels, {**parcel, "ready": True})

    @mongo_errors()
    def outgoing(self, limit: int) -> Outgoing | None:
        taken = self._take(limit)
        if taken:
            # Each once: a chunk that is done again leaves another parcel with the same vectors.
            vectors = {each["id"]: _pending(each) for parcel in taken for each in parcel["vectors"]}
            whose = {each["id"]: parcel["job"] for parcel in taken if "job" in parcel for each in parcel["vectors"]}
            keys = tuple(parcel["_id"] for parcel in taken)
            return Outgoing(tuple(vectors.values()), parcels=keys, jobs=Counter(whose.values()))
        meta = self._read_meta()
        return self._next_in_order(str(meta["walked_to"]), limit) if "walked_to" in meta else None

    def _take(self, limit: int) -> list[Document]:
        """The next ready parcels. Their keys are listed once for many: listing costs by all that there are."""
        taken: list[Document] = []
        if not self._keys:
            ready = self._parcels.find({"ready": True}, {"n": 1})
            self._keys = deque((parcel["_id"], int(parcel["n"])) for parcel in ready)
        room = limit
        while self._keys and (not taken or self._keys[0][1] <= room):
            key, count = self._keys.popleft()
            parcel = self._parcels.find_one({"_id": key})
            if parcel is not None:
                taken.append(parcel)
                room -= count
        return taken

    @mongo_errors()
    def walk(self, after: str, limit: int) -> Outgoing:
        return self._next_in_order(after, limit)

    def _next_in_order(self, after: str, limit: int) -> Outgoing:
        """The next vectors of a walk: the one that fills a new generation, or an audit's."""
        found: list[Document] = []
        for window, span in walk(after, self._span):
            self._span = span
            asked = {"v": LISTED, "_id": window}
            wanted = {"vector": 1, "analysis": 1, "owners": 1, "space": 1}
            found += self._samples.find(asked, wanted).sort("_id", 1).limit(limit - len(found))
            if len(found) >= limit:
                self._span = max(self._span / 4, 1 / 65536)  # a query costs by what it matches
                break
        vectors = tuple(
            _pending(_vector(each["_id"], each["vector"], each["analysis"], _first_owner(each), each.get("space")))
            for each in found
            if each.get("vector")
        )
        return Outgoing(vectors, walked_to=found[-1]["_id"] if len(found) >= limit else None, walked=len(vectors))

    @mongo_errors()
    def sent(self, outgoing: Outgoing, generation: int) -> None:
        if outgoing.parcels:
            self._parcels.delete_many({"_id": {"$in": list(outgoing.parcels)}})
            return
        here = {"_id": _GENERATION, "n": generation}
        if outgoing.walked_to is None:
            self._meta.update_one(here, {"$unset": {"walked_to": "", "walked": ""}})
        else:
            step = {"$set": {"walked_to": outgoing.walked_to}, "$inc": {"walked": outgoing.walked}}
            self._meta.update_one(here, step)

    @mongo_errors()
    def unready(self) -> list[str]:
        return [parcel["_id"] for parcel in self._parcels.find({"ready": False}, {"_id": 1})]

    @mongo_errors()
    def adopt(self, parcels: Iterable[str]) -> None:
        for key in parcels:
            parcel = self._parcels.find_one({"_id": key, "ready": False})
            if parcel is None:
                continue
            asked = {"_id": {"$in": [each["id"] for each in parcel["vectors"]]}}
            there = {each["_id"] for each in self._samples.find(asked, {"_id": 1})}
            self._step_back([*parcel.get("ids", ()), *(each["id"] for each in parcel["vectors"])])
            kept = [each for each in parcel["vectors"] if each["id"] in there]
            if kept:
                # Under another key: whoever posted it may live after all, and then has to miss it and post it whole.
                known = {"job": parcel["job"]} if "job" in parcel else {}
                sent = {"_id": str(ObjectId()), "ready": True, "n": len(kept), "vectors": kept}
                self._parcels.insert_one({**sent, **known})
            self._parcels.delete_one({"_id": key, "ready": False})

    @mongo_errors()
    def indexed_count(self, *, roughly: bool = False) -> int:
        meta = self._read_meta()
        if "walked_to" in meta:
            return int(meta.get("walked", 0))
        return self._indexed.get(meta.get("n", 1), self._count_indexed) if roughly else self._count_indexed()

    def _count_indexed(self) -> int:
        # In this order: what is written meanwhile makes it less, never more than the index can hold.
        with_vector = self._samples.count_documents({"v": LISTED}) - self._samples.count_documents({"silent": True})
        waiting = sum(int(parcel["n"]) for parcel in self._parcels.find({}, {"n": 1}))
        return max(0, with_vector - waiting)

    @mongo_errors()
    def surplus(self) -> int:
        # Of the generation before, too: a vector may come late into the present one.
        since = self.generation() - 1
        return self._samples.count_documents({"v": HIDDEN, "hidden_in": {"$gte": since}})

    @mongo_errors()
    def spaces(self) -> frozenset[int]:
        return frozenset(space for _, space in self._known_versions())

    @mongo_errors()
    def generation(self) -> int:
        return int(self._read_meta().get("n", 1))

    @mongo_errors()
    def serving(self) -> int:
        meta = self._read_meta()
        return int(meta.get("serving") or meta.get("n", 1))

    @mongo_errors()
    def serve(self, generation: int) -> None:
        self._meta.update_one({"_id": _GENERATION, "n": generation}, {"$unset": {"serving": ""}})

    @mongo_errors()
    def next_generation(self, was: int, *, beside: bool = False) -> int:
        self._meta.update_one({"_id": _GENERATION}, {"$setOnInsert": {"n": 1}}, upsert=True)
        begun: Document = {"$set": {"n": was + 1, "walked_to": "", "walked": 0}}
        if beside:
            begun["$set"]["serving"] = int(self._read_meta().get("serving", was))
        else:
            begun["$unset"] = {"serving": ""}
        self._meta.update_one({"_id": _GENERATION, "n": was}, begun)
        self._span = _FIRST_SPAN
        return int(self._read_meta()["n"])

    def _read_meta(self) -> Document:
        return self._meta.find_one({"_id": _GENERATION}) or {}


def _insert_once(collection: Documents, document: Document) -> None:
    with contextlib.suppress(DuplicateKeyError):
        collection.insert_one(document)


def _first_owner(document: Document) -> str:
    return next(iter(document["owners"]), "")


def _vector(sample_id: str, vector: bytes, analysis: Mapping[str, Any], owner: str, space: int | None) -> Document:
    return {"id": sample_id, "vector": Binary(vector), "metadata": filters.metadata(analysis, owner, space)}


def _parcel(samples: Sequence[NewSample]) -> Document:
    """What is to be done for some samples once they are there: their vectors sent, older answers stepped back."""
    vectors = [_vector(new.id, new.vector, new.analysis, new.owner, new.space) for new in samples if new.vector]
    silent = [new.id for new in samples if not new.vector]
    job = samples[0].origin.job_id  # a write of samples is one chunk's
    return {"_id": str(ObjectId()), "ready": False, "n": len(vectors), "vectors": vectors, "ids": silent, "job": job}


def _pending(said: Document) -> PendingVector:
    return PendingVector(said["id"], bytes(said["vector"]), said["metadata"])
