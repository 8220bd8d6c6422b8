"""Collections and their indexes.

Indexes are made on empty collections: the embedded server, killed while it builds one on a full collection, lists it as
ready with a part of the rows, and answers from it. `verify` finds that.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from stores.mongo_door import Documents, MongoDatabase
from stores.sorts import FIELDS

log = logging.getLogger(__name__)

_NAMESPACE_EXISTS = 48
_UNIQUE_KEY = {"key": {"$type": "string"}}


def _index(*fields: str, **options: Any) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], **options)


INDEXES: dict[str, Sequence[IndexModel]] = {
    "jobs": (
        _index("owner", "key", name="idempotency", unique=True, partialFilterExpression=_UNIQUE_KEY),
        _index("state", name="state"),
        _index("v", "_id", name="range"),
    ),
    "chunks": (
        _index("job", "state", "n", name="by_state"),
        _index("failed", "job", "n", name="failed", partialFilterExpression={"failed": True}),
    ),
    "parts": (),
    "sources": (),
    "samples": (
        _index("v", "_id", name="range"),
        _index("silent", name="silent", partialFilterExpression={"silent": True}),
        _index("analysis.tempo.bpm", name="bpm"),
        *(_index("v", field, "_id", name=f"by_{order}") for order, field in FIELDS.items()),
        _index("analysis.key.label", name="key"),
        _index("analysis.pitch.note", name="note"),
        _index("analysis.defects.code", name="defect"),
        _index("analysis.audio.pcm_xxh128", name="pcm"),
    ),
    "previews": (),
    "settled": (),
    "outbox": (_index("ready", name="ready"),),
    "meta": (),
    "keys": (),
    "searches": (_index("owner", name="owner"),),
    "marks": (_index("owner", "tags", name="tags"),),
}
"""Each collection's secondary indexes. ``range``: a constant and the id, as a range of ids is only cheap behind an
equality on the embedded server."""


def prepare(database: MongoDatabase) -> None:
    """Make what is missing. Safe to repeat, also by several processes at once."""
    there = set(database.list_collection_names())
    for name, models in INDEXES.items():
        if name not in there:
            _make(database, name)
        collection = database[name]
        known = collection.index_information()
        missing = [model for model in models if model.document["name"] not in known]
        if not missing:
            continue
        if name in there and collection.find_one({}, {"_id": 1}) is not None:
            names = ", ".join(model.document["name"] for model in missing)
            log.warning("building indexes on a collection in use: %s of %s", names, name)
        collection.create_indexes(missing)


def _make(database: MongoDatabase, name: str) -> None:
    try:
        database.create_collection(name)
    except CollectionInvalid:
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise


def verify(database: MongoDatabase) -> list[str]:
    """Drop and make again each index that does not lead to all rows of its collection; their ``collection.index``."""
    wrong = []
    for name, models in INDEXES.items():
        for model in models:
            if not _complete(database[name], model):
                database[name].drop_index(model.document["name"])
                database[name].create_indexes([model])
                wrong.append(f"{name}.{model.document['name']}")
    return wrong


def _complete(collection: Documents, model: IndexModel) -> bool:
    """Whether as many rows are found through the index as without it. The server's own ``validate`` does not tell."""
    document = model.document
    if document["name"] not in collection.index_information():
        return True
    asked = document.get("partialFilterExpression", {})
    through = collection.count_documents(asked, hint=document["name"])
    return through == collection.count_documents(asked, hint=[("$natural", 1)])
