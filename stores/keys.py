"""API keys on MongoDB: hashed, so that a copy of the database opens nothing."""

from __future__ import annotations

import builtins
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError

from stores.filters import sayable
from stores.mongo_door import Document, Documents, MongoDatabase, mongo_errors
from stores.records import ApiKey
from stores.secret import digest, new_secret, parse
from workers.errors import NotFound


class MongoKeys:
    """`stores.doors.Keys` on a MongoDB server. A revoked key is refused at once: asked for on the primary."""

    def __init__(self, database: MongoDatabase) -> None:
        self._keys: Documents = database.with_options(read_preference=ReadPreference.PRIMARY)["keys"]

    @mongo_errors()
    def create(self, *, name: str, owner: str, scopes: Sequence[str], ttl_s: float | None) -> tuple[ApiKey, str]:
        key_id, secret = new_secret()
        now = _now()
        document: Document = {
            "_id": key_id,
            "name": name,
            "owner": owner,
            "scopes": list(scopes),
            "digest": digest(secret),
            "created_at": now,
            "expires_at": None if ttl_s is None else now + timedelta(seconds=ttl_s),
        }
        try:
            self._keys.insert_one(document)
        except DuplicateKeyError:
            if self.check(secret) is None:  # else it was written before, with the answer lost
                raise
        return _key(document), secret

    @mongo_errors()
    def check(self, secret: str) -> ApiKey | None:
        key_id = parse(secret)
        found = self._keys.find_one({"_id": key_id}) if key_id else None
        if found is None or not hmac.compare_digest(found["digest"], digest(secret)):
            return None
        key = _key(found)
        return None if key.expires_at is not None and key.expires_at <= datetime.now(UTC) else key

    @mongo_errors()
    def list(self) -> builtins.list[ApiKey]:
        return [_key(found) for found in sorted(self._keys.find(), key=lambda found: str(found["_id"]))]

    @mongo_errors()
    def get(self, key_id: str) -> ApiKey:
        found = self._keys.find_one({"_id": key_id}) if sayable(key_id) else None
        if found is None:
            raise NotFound("key")
        return _key(found)

    @mongo_errors()
    def expire(self, key_id: str, ttl_s: float, *, successor: str | None = None) -> ApiKey:
        end = _now() + timedelta(seconds=ttl_s)
        if sayable(key_id):
            if successor is not None:
                self._keys.update_one({"_id": key_id}, {"$set": {"successor": successor}})
            later = {"_id": key_id, "$or": [{"expires_at": None}, {"expires_at": {"$gt": end}}]}
            self._keys.update_one(later, {"$set": {"expires_at": end}})
        return self.get(key_id)

    @mongo_errors()
    def revoke(self, key_id: str) -> None:
        if not self._keys.delete_one({"_id": key_id}).deleted_count:
            raise NotFound("key")

    @mongo_errors()
    def any(self) -> bool:
        return self._keys.find_one({}, {"_id": 1}) is not None


def _now() -> datetime:
    """To the millisecond: as it will be read."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _key(document: Document) -> ApiKey:
    return ApiKey(
        id=document["_id"],
        name=document["name"],
        owner=document["owner"],
        scopes=tuple(document["scopes"]),
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        successor=document.get("successor"),
    )
