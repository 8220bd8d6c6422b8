"""Saying things to Redis without waiting for each answer: in order, on one connection of its own."""

from __future__ import annotations

import threading
from typing import Any, Final

import redis

_OPEN: Final = 200
"""So many answers may be owed before somebody reads them: a few kilobytes."""


class Saying:
    """Commands that are on their way when `say` returns, whatever becomes of this process then.

    A word before each file must not cost each file the way to Redis and back: at 200 ms that is ten times what a
    short sound takes. Who dies has said it all the same, for what was sent leaves with or without its sender.
    Raises what redis-py raises; what was not confirmed by then may be lost.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._connection: Any = None
        self._owed = 0
        self._lock = threading.Lock()

    def say(self, *command: str | int) -> None:
        """Send a command."""
        with self._lock:
            if self._owed >= _OPEN:
                self._settle()
            try:
                self._send(command)
            except redis.ConnectionError:
                self._send(command)  # it died with a restart of Redis, perhaps long ago

    def _send(self, command: tuple[str | int, ...]) -> None:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        try:
            # A health check would read an answer that is owed to somebody else.
            self._connection.send_command(*command, check_health=False)
        except BaseException:
            self._give_up()
            raise
        self._owed += 1

    def settle(self) -> None:
        """Wait until all that was said is done."""
        with self._lock:
            self._settle()

    def _settle(self) -> None:
        if self._connection is None:
            return
        try:
            while self._owed:
                self._connection.read_response()
                self._owed -= 1
        except BaseException:
            self._give_up()
            raise
        self._pool.release(self._connection)
        self._connection = None

    def _give_up(self) -> None:
        """Let go of a connection on which answers may still come that nobody would understand."""
        connection, self._connection, self._owed = self._connection, None, 0
        if connection is not None:
            connection.disconnect()
            self._pool.release(connection)
