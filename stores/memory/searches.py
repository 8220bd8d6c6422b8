"""The twin of the saved searches."""

from __future__ import annotations

import builtins
import json
import threading
from collections.abc import Callable, Mapping

from stores.memory.book import moment
from stores.records import SavedSearch
from stores.searches import MOST, too_many
from workers.errors import NotFound, TooManySearches


class MemorySearches:
    """`stores.doors.Searches` in memory."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], SavedSearch] = {}

    def put(self, owner: str, name: str, asked: Mapping[str, object]) -> SavedSearch:
        saved = SavedSearch(name, json.loads(json.dumps(asked)), moment(self._clock()))
        with self._lock:
            if (owner, name) not in self._kept and sum(who == owner for who, _ in self._kept) >= MOST:
                raise TooManySearches(too_many())
            self._kept[owner, name] = saved
        return saved

    def get(self, owner: str, name: str) -> SavedSearch:
        with self._lock:
            found = self._kept.get((owner, name))
        if found is None:
            raise NotFound("search")
        return found

    def list(self, owner: str) -> builtins.list[SavedSearch]:
        with self._lock:
            theirs = [saved for (who, _), saved in self._kept.items() if who == owner]
        return sorted(theirs, key=lambda each: each.name)

    def remove(self, owner: str, name: str) -> None:
        with self._lock:
            if self._kept.pop((owner, name), None) is None:
                raise NotFound("search")
