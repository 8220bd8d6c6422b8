"""Whose turn it is."""

from __future__ import annotations

from collections.abc import Collection


class Turns:
    """Gives turns so that all who wait get as many. Who comes later begins level with who had the fewest so far.

    So a newcomer is next but one, whatever the others had before, and cannot make up for the time of its absence.
    """

    def __init__(self) -> None:
        self._had: dict[str, int] = {}

    def next(self, waiting: Collection[str]) -> str:
        """Who of those waiting had the fewest turns; of equals the first by name. It has one more now."""
        known = [self._had[each] for each in waiting if each in self._had]
        least = min(known, default=0)
        self._had = {each: self._had.get(each, least) for each in waiting}
        chosen = min(waiting, key=lambda each: (self._had[each], each))
        self._had[chosen] += 1
        return chosen
