"""Samples on MongoDB: one analysis for each content, its pictures beside it, its vector with it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from bson import Binary
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError

from stores import cursor as cursors
from stores import facets, filters, sorts
from stores.abreast import Abreast
from stores.identity import age, of_version
from stores.idranges import Spans, walk
from stores.mongo_door import Document, Documents, MongoDatabase, mongo_errors, only_duplicates
from stores.outbox import MongoOutbox
from stores.outlines import outline
from stores.places import file_of, inherited, place_of, sighting
from stores.records import Among, Facets, FileRef, NewSample, Origin, Outline, Page, Sample, SampleFilter, Sort
from stores.thrift import ThriftyCount, Unchanged
from stores.versions import HIDDEN, LISTED
from workers.errors import NotFound

_FIRST_SPAN = 1 / 1024
_RARE_SPAN = 1 / 16
"""If so wide a range did not fill a page, what is looked for is rare: then one query by its own index is cheaper."""


_NO_VECTOR = {"vector": 0}
_OUTLINED = dict.fromkeys(
    ("vector", "space", "places", "analysis.kind.label", "analysis.tempo.bpm", "analysis.key.label"), 1
)


class MongoSamples(MongoOutbox):
    """`stores.doors.Samples` on a MongoDB server."""

    def __init__(self, database: MongoDatabase, abreast: Abreast) -> None:
        super().__init__(database)
        self._abreast = abreast
        self._listed: Documents = database["samples"]
        self._previews: Documents = database["previews"]
        self._settled: Documents = database["settled"]
        # A run that was not remembered costs a look-up later: not worth a way there and back for each chunk.
        self._settling = self._settled.with_options(write_concern=WriteConcern(w=0))
        self._all = ThriftyCount()
        self._spans = Spans(_FIRST_SPAN)
        self._edges = sorts.Edges()
        self._counted: Unchanged[Facets] = Unchanged()
        self._just_asked: dict[str, Document] = {}

    @mongo_errors()
    def known(self, ids: Iterable[str]) -> dict[str, Origin]:
        # A chunk asks this and then `seen_at` for the same samples: each is read once, half of the cost of a file
        # that is known already. What is remembered may be old, so every write has its condition again.
        found = self._samples.find({"_id": {"$in": list(ids)}}, {"origin": 1, **_SIGHTED})
        self._just_asked = {each["_id"]: each for each in found}
        return {name: _origin(each) for name, each in self._just_asked.items()}

    def _origins(self, ids: Sequence[str]) -> dict[str, Origin]:
        found = self._samples.find({"_id": {"$in": ids}}, {"origin": 1})
        return {each["_id"]: _origin(each) for each in found}

    @mongo_errors()
    def insert(self, samples: Sequence[NewSample]) -> dict[str, Origin]:
        if not samples:
            return {}
        self._note(samples)
        versions = self._versions()
        kin = self._kin(samples, versions) if len(versions) > 1 else {}
        # Pictures and parcels first: a sample that is there has all that belongs to it.
        pictures = [{"_id": new.id, "peaks": Binary(new.peaks), "mel": Binary(new.mel)} for new in samples]
        parcels = self._parcels_of(samples)
        self._abreast(lambda: self._post(parcels), lambda: _insert_new(self._previews, pictures))
        all_new = _insert_new(self._samples, [_document(new, kin.get(new.content)) for new in samples])
        # Read again: who began to write meanwhile may not have seen ours.
        self._step_back([new.id for new in samples])
        self._send_off(parcels)
        return {new.id: new.origin for new in samples} if all_new else self._origins([new.id for new in samples])

    @mongo_errors()
    def seen_at(self, places: Sequence[tuple[str, FileRef]], *, owner: str | None = None) -> None:
        known, self._just_asked = self._just_asked, {}
        others = list({sample_id for sample_id, _ in places} - known.keys())
        if others:
            found = self._samples.find({"_id": {"$in": others}}, _SIGHTED)
            known = known | {each["_id"]: each for each in found}
        there = [(known[sample_id], file) for sample_id, file in places if sample_id in known]
        whose = [(each, owner or next(iter(each["owners"]), ""), file) for each, file in there]
        updates = [update for each, by, file in whose for update in sighting(each, by, file)]
        if updates:
            self._samples.bulk_write(updates, ordered=False)
        newer = [(of_version(each["_id"], each["newer"]), file) for each, file in there if "newer" in each]
        if newer:
            self.seen_at(newer, owner=owner)

    @mongo_errors()
    def settled(self, digests: Sequence[str]) -> dict[str, frozenset[str]]:
        found = self._settled.find({"_id": {"$in": list(digests)}})
        return {each["_id"]: frozenset(each["jobs"]) for each in found}

    @mongo_errors()
    def settle(self, runs: Mapping[str, frozenset[str]]) -> None:
        if runs:
            _insert_new(self._settling, [{"_id": digest, "jobs": sorted(jobs)} for digest, jobs in runs.items()])

    @mongo_errors()
    def get(self, sample_id: str, *, owner: str | None = None) -> Sample:
        asked: Document = {"_id": _sayable(sample_id)}
        found = self._listed.find_one(asked if owner is None else {**asked, "owners": owner}, {"vector": 0})
        if found is None:
            raise NotFound("sample")
        return _sample(found, owner)

    @mongo_errors()
    def many(self, sample_ids: Sequence[str], *, owner: str | None = None, listed: bool = False) -> dict[str, Sample]:
        asked: Document = {"_id": {"$in": list(sample_ids)}}
        found = self._listed.find(asked if owner is None else {**asked, "owners": owner}, {"vector": 0})
        return {each["_id"]: _sample(each, owner) for each in found if not listed or each["v"] == LISTED}

    @mongo_errors()
    def current(self, sample_ids: Sequence[str], *, owner: str | None = None) -> dict[str, Sample]:
        versions = [version for version, _ in self._known_versions()]
        kin = {of_version(each, version): each for each in sample_ids for version in versions}
        return {kin[each]: sample for each, sample in self.many(list(kin), owner=owner, listed=True).items()}

    @mongo_errors()
    def vectors(self, sample_ids: Sequence[str]) -> dict[str, bytes]:
        found = self._listed.find({"_id": {"$in": list(sample_ids)}}, {"vector": 1})
        return {each["_id"]: bytes(each["vector"]) for each in found if each.get("vector")}

    @mongo_errors()
    def same_pcm(self, hashes: Sequence[str], *, owner: str | None = None) -> dict[str, list[Sample]]:
        asked: Document = {f"analysis.{filters.PCM}": {"$in": list(hashes)}}
        if owner is not None:
            asked["owners"] = owner
        found = self._listed.find(asked, {"vector": 0})
        # Hidden ones are left out here: with ``v`` in the query the embedded server may take the index of all.
        return filters.by_pcm(_sample(each, owner) for each in found if each["v"] == LISTED)

    @mongo_errors()
    def preview(self, sample_id: str) -> tuple[bytes, bytes]:
        found = self._previews.find_one({"_id": _sayable(sample_id)})
        if found is None:
            raise NotFound("sample")
        return bytes(found["peaks"]), bytes(found["mel"])

    @mongo_errors()
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
        return cursors.by_id(
            ("samples", where), cursor, limit, partial(self._listing, where, among), partial(_sample, owner=where.owner)
        )

    @mongo_errors()
    def outlines(
        self, where: SampleFilter, *, cursor: str | None, limit: int, among: Among | None = None
    ) -> Page[Outline]:
        filters.check(where)
        rows = partial(self._listing, where, among, fields=_OUTLINED)
        return cursors.by_id(("outlines", where), cursor, limit, rows, partial(_outline, owner=where.owner))

    def _sorted(
        self, where: SampleFilter, sort: Sort, among: Among | None, cursor: str | None, limit: int
    ) -> Page[Sample]:
        question = ("samples", where, sort)
        after = sorts.place_at(question, cursor, sort) if cursor else None
        found = sorts.page(
            self._listed, filters.among(filters.query(where), among), sort, after, limit + 1, self._edges
        )
        page = tuple(_sample(each, where.owner) for each in found[:limit])
        more = len(found) > limit
        return Page(page, sorts.cursor(question, sorts.place_of(found[limit - 1], sort)) if more else None)

    @mongo_errors()
    def facets(self, where: SampleFilter, among: Among | None = None) -> Facets:
        filters.check(where)
        count = partial(facets.count, self._listed, filters.among(filters.query(where), among))
        # Samples are added and never taken away or changed, but for whose they are, where they lie, and that they step
        # back behind a newer analyser's: apart from those as many samples are the same samples.
        if where.owner is not None or where.text is not None or len(self._known_versions()) > 1:
            return count()
        return self._counted.get((where, among), self._listed.estimated_document_count(), count)

    def _listing(
        self,
        where: SampleFilter,
        among: Among | None,
        after: str,
        limit: int,
        fields: Mapping[str, int] = _NO_VECTOR,
    ) -> list[Document]:
        asked = filters.among(filters.query(where), among)
        return self._matching(asked, after, limit, ("listing", where, hash(among)), fields)

    def _matching(
        self, asked: Document, after: str, limit: int, question: Hashable, fields: Mapping[str, int] = _NO_VECTOR
    ) -> list[Document]:
        """The first samples behind `after`, from ranges that grow until they hold enough: mostly the first does."""
        found: list[Document] = []
        for window, span in walk(after, self._spans.first(question, limit)):
            rare = bool(asked) and span > _RARE_SPAN
            # Two stages: the embedded server takes the index of the first, however it likes the second.
            stages: list[Document] = [{"$match": {"v": LISTED, "_id": window}}, {"$match": asked}]
            if rare:
                behind = {name: window[name] for name in window if name != "$lt"}
                stages = [{"$match": {**asked, "_id": behind}}, {"$match": {"v": LISTED}}]
            ahead = limit - len(found)
            ends: list[Document] = [{"$sort": {"_id": 1}}, {"$limit": ahead}, {"$project": dict(fields)}]
            found += self._listed.aggregate([*stages, *ends])
            if rare or len(found) >= limit:
                break
        self._spans.learn(question, len(found), after, found[-1]["_id"] if len(found) >= limit else None)
        return found

    @mongo_errors()
    def count(self) -> int:
        several = len(self._known_versions()) > 1
        counted = partial(self._listed.count_documents, {"v": LISTED})
        return self._all.get(several, counted if several else self._listed.estimated_document_count)

    @mongo_errors()
    def outdated(self, analyzer: str, *, owner: str | None, after: str, limit: int) -> list[Sample]:
        asked: Document = {"analyzer": {"$ne": analyzer}}
        found: list[Sample] = []
        while len(found) < limit:
            whose = asked if owner is None else {**asked, "owners": owner}
            step = self._matching(whose, after, limit, ("outdated", analyzer, owner))
            found += [_sample(each, owner) for each in step if age(each["analyzer"]) < age(analyzer)]
            if len(step) < limit:
                break
            after = step[-1]["_id"]
        return found[:limit]


_SIGHTED = {"places": 1, "owners": 1, "newer": 1}


def _origin(document: Document) -> Origin:
    return Origin(document["origin"]["job"], document["origin"]["index"])


def _sayable(sample_id: str) -> str:
    if not filters.sayable(sample_id):
        raise NotFound("sample")
    return sample_id


def _insert_new(collection: Documents, documents: Sequence[Document]) -> bool:
    """Insert what is not there yet; whether all were new. Measured: 3.4 times cheaper than upserts."""
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
        return False
    return True


def _document(new: NewSample, older: Document | None) -> Document:
    mine = [new.owner] if new.owner else []
    owners, places = inherited(mine, [place_of(each, new.file) for each in mine], older)
    document: Document = {
        "_id": new.id,
        "v": LISTED,
        "content": new.content,
        "analyzer": new.analyzer,
        "analysis": dict(new.analysis),
        "origin": {"job": new.origin.job_id, "index": new.origin.index},
        "space": new.space,
        "owners": owners,
        "places": places,
        "created_at": datetime.now(UTC),
    }
    return {**document, **({"vector": Binary(new.vector)} if new.vector else {"silent": True})}


def _outline(document: Document, owner: str | None) -> Outline:
    places = (place for place in document["places"] if owner in (None, place["owner"]))
    return outline(
        document["_id"],
        next((file_of(place) for place in places), None),
        document["analysis"],
        bytes(document.get("vector") or b""),
        document.get("space"),
    )


def _sample(document: Document, owner: str | None) -> Sample:
    return Sample(
        id=document["_id"],
        content=document["content"],
        analyzer=document["analyzer"],
        analysis=document["analysis"],
        files=tuple(file_of(place) for place in document["places"] if owner in (None, place["owner"])),
        created_at=document["created_at"],
        space=document.get("space"),
        superseded_by=of_version(document["_id"], document["newer"]) if document["v"] == HIDDEN else None,
    )
