"""Questions that many ask at once are put once. Nobody gets an answer older than their question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from workers.errors import SampleMindError, StoreError

T = TypeVar("T")


class _Asking(Generic[T]):
    """One question on its way, and everybody who waits for its answer."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.answers: list[T] = []
        """The one that came, if one came."""
        self.error: SampleMindError | None = StoreError("(the question ended without an answer)")


class Shared(Generic[T]):
    """At most one question about each thing is on its way; who comes meanwhile shares the next one.

    So a thousand who watch one job cost the ledger as much as one who asks without a pause, and what is told was read
    after the question came: there is nothing to grow old or to forget.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[Hashable, _Asking[T]] = {}
        self._under_way: dict[Hashable, _Asking[T]] = {}

    def get(self, subject: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` gives (or raises), begun after this call."""
        with self._lock:
            asking = self._next.get(subject)
            ours = asking is None
            if asking is None:
                asking = self._next[subject] = _Asking()
            before = self._under_way.get(subject)
        if not ours:
            asking.over.wait()
        else:
            if before is not None:
                before.over.wait()
            self._ask(subject, asking, ask)
        if asking.error is not None:
            raise asking.error
        return asking.answers[0]

    def _ask(self, subject: Hashable, asking: _Asking[T], ask: Callable[[], T]) -> None:
        with self._lock:
            del self._next[subject]
            self._under_way[subject] = asking
        try:
            asking.answers, asking.error = [ask()], None
        except SampleMindError as error:
            asking.error = error  # everybody's, as if each had asked alone
        finally:
            with self._lock:
                if self._under_way.get(subject) is asking:
                    del self._under_way[subject]
            asking.over.set()
