"""The twin of the marks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from stores.marks import MOST, content_of, too_many
from stores.records import Mark
from workers.errors import TooManyMarks


class MemoryMarks:
    """`stores.doors.Marks` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[str, Mark]] = {}

    def put(self, owner: str, sample_id: str, mark: Mark) -> None:
        name = (owner, content_of(sample_id))
        with self._lock:
            if mark == Mark():
                self._kept.pop(name, None)
                return
            if name not in self._kept and sum(who == owner for who, _ in self._kept) >= MOST:
                raise TooManyMarks(too_many())
            self._kept[name] = (sample_id, mark)

    def of(self, owner: str, sample_ids: Iterable[str]) -> dict[str, Mark]:
        with self._lock:
            found = {each: self._kept.get((owner, content_of(each))) for each in sample_ids}
        return {each: kept[1] for each, kept in found.items() if kept is not None}

    def find(
        self, owner: str, *, tags: tuple[str, ...] = (), favourite: bool = False, corrects: bool = False
    ) -> dict[str, Mark]:
        with self._lock:
            theirs = dict(kept for (who, _), kept in self._kept.items() if who == owner)
        return {
            sample_id: mark
            for sample_id, mark in theirs.items()
            if (not tags or set(tags) & set(mark.tags))
            and (not favourite or mark.favourite)
            and (not corrects or mark.corrects)
        }

    def tags(self, owner: str) -> dict[str, int]:
        counted = Counter(tag for mark in self.find(owner).values() for tag in mark.tags)
        return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
