"""Ranges of ids that begin with a hash, so that a part of the range holds about that part of all. No I/O.

Ids of another shape are found too, only not spread evenly.
"""

from __future__ import annotations

from collections.abc import Iterator

_PREFIX = 8
_ALL = 16**_PREFIX


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
