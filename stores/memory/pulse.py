"""The twin of the processes' heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from stores.records import LastSeen


class MemoryPulse:
    """`stores.doors.Pulse` in memory. Tests set `lengths` to fill a queue."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._beats: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}
        self._at: dict[str, LastSeen] = {}
        self.lengths: dict[str, int] = {}

    def beat(self, part: str, name: str, facts: Mapping[str, str | int | float], ttl_s: float) -> None:
        said = {key: str(value) for key, value in facts.items()}
        self._beats[part, name] = (self._clock() + ttl_s, {"part": part, "name": name, **said})

    def gone(self, part: str, name: str) -> None:
        self._beats.pop((part, name), None)

    def is_alive(self, part: str, name: str) -> bool:
        return any((facts["part"], facts["name"]) == (part, name) for facts in self.alive())

    def alive(self) -> list[dict[str, str]]:
        now = self._clock()
        return [dict(facts) for _, (until, facts) in sorted(self._beats.items()) if until > now]

    def at_file(self, chunk_id: str, attempt: int, n: int) -> None:
        of = self._at[chunk_id].died_of if chunk_id in self._at and n >= 0 else ""
        self._at[chunk_id] = LastSeen(attempt, n, of)

    def left_chunk(self, chunk_id: str) -> None:
        self._at.pop(chunk_id, None)

    def died(self, chunk_id: str, of: str) -> None:
        if chunk_id in self._at:
            self._at[chunk_id] = replace(self._at[chunk_id], died_of=of)

    def last_seen(self, chunk_id: str) -> LastSeen | None:
        return self._at.get(chunk_id)

    def queue_lengths(self) -> dict[str, int]:
        return dict(self.lengths)

    def ping(self) -> None:
        """Always answers."""
