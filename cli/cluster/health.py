"""Whether a part that runs also gets on, and when it has to be replaced."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

CHECK_S: Final = 4.0
"""The supervisor looks so often."""
MORE_S: Final = 10.0
"""So much longer may a server be silent: under heavy load one may well be slow for a while."""
_LEAST: Final = 4
"""... and so many questions: what may have slept is the supervisor."""
_SLEPT_S: Final = 20.0
_FORGIVEN_S: Final = 40.0


@dataclass
class Unanswered:
    """Questions to a server that it did not answer, one after another."""

    patience_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    since: float = field(default=0.0, init=False)
    count: int = field(default=0, init=False)

    def after(self, answered: bool) -> str:
        """What is wrong after this question, in words; empty while it is too early to say."""
        now = self.clock()
        if answered or not self.count:
            self.since, self.count = now, 0
        self.count += not answered
        silent_s = now - self.since
        stuck = self.count >= _LEAST and silent_s >= self.patience_s + MORE_S
        return f"has not answered for {silent_s:.0f} s" if stuck else ""


@dataclass
class Rounds:
    """When to look at the parts, so that a machine that slept does not have everything replaced that slept with it."""

    clock: Callable[[], float] = time.monotonic
    last: float = field(default=0.0, init=False)
    not_before: float = field(default=0.0, init=False)

    def due(self) -> bool:
        """Whether to look now."""
        now = self.clock()
        if self.last and now - self.last < CHECK_S:
            return False
        if self.last and now - self.last > _SLEPT_S:
            self.not_before = now + _FORGIVEN_S
        self.last = now
        return now >= self.not_before
