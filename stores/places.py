"""Where a content was seen and whose it is, as each sample keeps it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import Binary
from pymongo import UpdateOne

from stores.mongo_door import Document
from stores.records import FileRef

MOST_PLACES = 20


def place_of(owner: str, file: FileRef) -> Document:
    """Where a content was seen, whose file that is, and the path as text is looked for."""
    place: Document = {"owner": owner, "root": file.root, "path": file.path, "lower": file.path.lower()}
    place |= {"size": file.size, "mtime_ns": file.mtime_ns}
    return place if file.raw is None else {**place, "raw": Binary(file.raw)}


def file_of(place: Mapping[str, Any]) -> FileRef:
    """The file at a place."""
    raw = place.get("raw")
    return FileRef(
        root=place["root"],
        path=place["path"],
        raw=None if raw is None else bytes(raw),
        size=place["size"],
        mtime_ns=place["mtime_ns"],
    )


def sighting(known: Document, owner: str, file: FileRef) -> list[UpdateOne]:
    """The writes that one place needs, none if all is known. Conditions again in the write: others see places too."""
    same = {"owner": owner, "root": file.root, "path": file.path}
    places: list[Document] = known["places"]
    push: Document = {"$push": {"places": place_of(owner, file)}}
    updates = []
    if owner not in known["owners"]:
        updates.append(UpdateOne({"_id": known["_id"]}, {"$addToSet": {"owners": owner}}))
    if len(places) < MOST_PLACES and not any(same.items() <= place.items() for place in places):
        asked = {
            "_id": known["_id"],
            "places": {"$not": {"$elemMatch": same}},
            f"places.{MOST_PLACES - 1}": {"$exists": False},
        }
        updates.append(UpdateOne(asked, push))
    if all(place["owner"] != owner for place in places):
        # However many places others have: without one of their own they could neither find nor hear it.
        updates.append(UpdateOne({"_id": known["_id"], "places": {"$not": {"$elemMatch": {"owner": owner}}}}, push))
    return updates


def inherited(owners: list[str], places: list[Document], older: Document | None) -> tuple[list[str], list[Document]]:
    """Owners and places of a new sample, with those of an older one of the same content."""
    if older is None:
        return owners, places
    here = {(place["owner"], place["root"], place["path"]) for place in places}
    more = [place for place in older["places"] if (place["owner"], place["root"], place["path"]) not in here]
    return list(dict.fromkeys([*owners, *older["owners"]])), [*places, *more]
