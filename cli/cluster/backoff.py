"""How long to wait before a part is started again."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST_S = 0.5
LONGEST_S = 30.0
STEADY_S = 60.0
"""A part that lived so long is started again at once-ish: its earlier deaths no longer count."""


@dataclass
class Backoff:
    """Doubles from death to death, forgets after a steady life."""

    deaths: int = field(default=0, init=False)

    def after(self, lived_s: float) -> float:
        """Seconds to wait after a life of `lived_s`."""
        if lived_s >= STEADY_S:
            self.deaths = 0
        self.deaths += 1
        return min(LONGEST_S, FIRST_S * 2.0 ** (self.deaths - 1))
