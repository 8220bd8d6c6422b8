"""The twin of the API keys."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stores.memory.book import moment
from stores.records import ApiKey
from stores.secret import digest, new_secret, parse
from workers.errors import NotFound


@dataclass
class _Kept:
    key: ApiKey
    digest: str


class MemoryKeys:
    """`stores.doors.Keys` in memory."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def create(self, *, name: str, owner: str, scopes: Sequence[str], ttl_s: float | None) -> tuple[ApiKey, str]:
        key_id, secret = new_secret()
        now = self._clock()
        expires = None if ttl_s is None else moment(now + ttl_s)
        key = ApiKey(key_id, name, owner, tuple(scopes), moment(now), expires)
        self._kept[key_id] = _Kept(key, digest(secret))
        return key, secret

    def check(self, secret: str) -> ApiKey | None:
        key_id = parse(secret)
        kept = self._kept.get(key_id) if key_id else None
        if kept is None or not hmac.compare_digest(kept.digest, digest(secret)):
            return None
        expires = kept.key.expires_at
        return None if expires is not None and expires.timestamp() <= self._clock() else kept.key

    def list(self) -> list[ApiKey]:
        return [kept.key for _, kept in sorted(self._kept.items())]

    def get(self, key_id: str) -> ApiKey:
        if key_id not in self._kept:
            raise NotFound("key")
        return self._kept[key_id].key

    def expire(self, key_id: str, ttl_s: float, *, successor: str | None = None) -> ApiKey:
        key, end = self.get(key_id), moment(self._clock() + ttl_s)
        self._kept[key_id].key = key = replace(key, successor=successor or key.successor)
        if key.expires_at is None or key.expires_at > end:
            self._kept[key_id].key = key = replace(key, expires_at=end)
        return key

    def revoke(self, key_id: str) -> None:
        if self._kept.pop(key_id, None) is None:
            raise NotFound("key")

    def any(self) -> bool:
        return bool(self._kept)
