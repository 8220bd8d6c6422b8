"""Ranges of ids that begin with a hash, so that a part of the range holds about that part of all. No I/O.

Ids of another shape are found too, only not spread evenly.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator

_PREFIX = 8
_ALL = 16**_PREFIX
_MORE = 1.5
"""A range that should hold so many times a page holds one in 49 of 50 cases, and costs by what it holds."""
_NARROWEST = 1 / 65536
_QUESTIONS = 200


def walk(after: str, first: float, growth: float = 4) -> Iterator[tuple[dict[str, str], float]]:
    """Ranges from behind the id `after` to the end, and each one's part of all: `first`, then `growth` times more."""
    at = _position(after)
    lower: dict[str, str] = {"$gt": after}
    part = first
    while True:
        upper = at + max(1, int(part * _ALL))
        if upper >= _ALL:
            yield lower, min(part, 1.0)
            return
        bound = format(upper, f"0{_PREFIX}x")
        if bound > after:
            yield {**lower, "$lt": bound}, part
            lower = {"$gte": bound}
        at, part = upper, min(1.0, part * growth)


def _position(after: str) -> int:
    try:
        return int(after[:_PREFIX], 16) if len(after) >= _PREFIX and after[:_PREFIX].isalnum() else 0
    except ValueError:
        return 0


class Spans:
    """How wide a range must be to hold a page, learned for each question from the page that it gave last.

    Ids are spread evenly, so a page's last id says how dense what was asked for is. Any thread may ask and tell.
    """

    def __init__(self, unknown: float) -> None:
        self._unknown = unknown
        self._known: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, question: Hashable, limit: int) -> float:
        """The part of all ids to begin with, for a page of so many."""
        with self._lock:
            density = self._known.get(question)
        if density is None:
            return self._unknown
        return min(1.0, max(_NARROWEST, _MORE * limit / density)) if density else 1.0

    def learn(self, question: Hashable, found: int, after: str, last: str | None) -> None:
        """`found` ids lay behind `after` and up to `last`, or to the end where that is ``None``."""
        width = ((_ALL if last is None else _position(last)) - _position(after)) / _ALL
        if width <= 0:
            return
        with self._lock:
            self._known[question] = found / width
            self._known.move_to_end(question)
            if len(self._known) > _QUESTIONS:
                self._known.popitem(last=False)
