"""The lease of a chunk, kept between two of its files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from stores.doors import Ledger
from stores.records import Claim, FileRef
from tasks.cutting import cost_s
from tasks.patience import patiently
from workers.errors import Left

_LOOK_S: Final = 1.0
"""So often somebody looks whether the job was cancelled: what it costs is a thousandth of the work meanwhile."""
_SHARE: Final = 10
"""... or so many times as long as a look takes, where the ledger is far away: looking is not to be most of the work."""
_SLOWER: Final = 10
"""A disk or a core may be so many times slower than the estimate before a lease runs out in the middle of a file."""


class Lost(Left):
    """The chunk is no longer ours."""


class Tired(Exception):
    """The chunk takes too long for one task."""


class ChunkLease:
    """Renews a chunk's lease, for longer before a long file, and looks each second or so whether its job was cancelled.

    Parameters
    ----------
    lease_s : float
        How long the chunk is held without a sign of progress, in seconds.
    budget_s : float
        After so long no further file is begun.
    progress : callable
        Told before each file, and how much longer than usual it may take, in seconds.
    """

    def __init__(
        self,
        claim: Claim,
        ledger: Ledger,
        *,
        lease_s: float,
        budget_s: float,
        clock: Callable[[], float] = time.monotonic,
        progress: Callable[[float], object] = lambda longer_s: None,
    ) -> None:
        self._claim, self._ledger, self._clock = claim, ledger, clock
        self._lease_s, self._progress = lease_s, progress
        self._ends = clock() + budget_s
        self._renewed = self._looked = clock()
        self._look_s = min(lease_s / 3, _LOOK_S)
        self._cancelled = False

    def cancelled_before(self, file: FileRef) -> bool:
        """Hold the chunk for one more file; whether its job was cancelled.

        Raises
        ------
        Lost, Tired, StoreUnavailable
        """
        now = self._clock()
        if now > self._ends:
            raise Tired
        longer_s = cost_s(file) * _SLOWER
        if now - self._renewed + longer_s >= self._lease_s / 3:
            self._renew(self._lease_s + longer_s)
        if now - self._looked >= self._look_s:
            self._look()
        self._progress(longer_s)
        return self._cancelled

    def hold(self) -> None:
        """Hold the chunk in the middle of a file that gets on.

        Raises
        ------
        Lost, StoreUnavailable
        """
        if self._clock() - self._renewed >= self._lease_s / 3:
            self._renew(self._lease_s)
        self._progress(0.0)

    def give_up(self) -> None:
        """Let the lease end now, so that the chunk is published again at once."""
        try:
            self._renew(0.001)
        except Lost:
            return

    def _renew(self, lease_s: float) -> None:
        asked = self._clock()
        if not patiently(lambda: self._ledger.renew_chunk(self._claim, lease_s)):
            raise Lost
        self._renewed = asked

    def _look(self) -> None:
        """A question each second, not a write: that costs the embedded ledger ten times as much."""
        asked = self._clock()
        ours, cancelled = patiently(lambda: self._ledger.look_at(self._claim))
        if not ours:
            raise Lost
        self._cancelled = self._cancelled or cancelled
        self._looked = self._clock()
        self._look_s = min(self._lease_s / 3, max(_LOOK_S, _SHARE * (self._looked - asked)))
