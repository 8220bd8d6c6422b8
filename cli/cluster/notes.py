"""What the supervisor notes in its folder: on a full disk later, for no note is worth the end of the cluster."""

from __future__ import annotations

from collections.abc import Callable


class Notes:
    """Takes notes, each as soon as the disk lets it."""

    def __init__(self) -> None:
        self._owed: list[Callable[[], None]] = []

    def take(self, note: Callable[[], None]) -> None:
        """Write a note, after those that are owed, now or as soon as it can be."""
        self._owed.append(note)
        self.catch_up()

    def catch_up(self) -> None:
        """Write what is owed, as far as it goes."""
        while self._owed:
            try:
                self._owed[0]()
            except OSError:
                return
            self._owed.pop(0)
