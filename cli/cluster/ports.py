"""Ports of loopback: the usual ones, and free ones where they are taken."""

from __future__ import annotations

import socket
import sys

from cli.errors import CommandError

USUAL = {"redis": 6379, "mongo": 27017, "chroma": 8001, "flower": 5555, "gateway": 8000}
_FURTHER = 500


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens on this port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        # as servers do: connections of a server that has just ended do not make its port taken
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
    return True


class Ports:
    """The ports of one cluster, reserved until `close`.

    Two clusters that start at the same moment would both find a port free, so each claims it by a name in the
    kernel's abstract socket space (Linux), which goes away with the process.
    """

    def __init__(self) -> None:
        self._claims: dict[int, socket.socket | None] = {}

    def take(self, name: str, port: int, host: str = "127.0.0.1") -> int:
        """Exactly this port (0: any free one), or `CommandError`."""
        if port == 0:
            return self.find(_any_free(host), host)
        if not self._claim(host, port):
            raise CommandError(
                f"Port {port} for the {name} is taken by another program: choose another one, or stop that program."
            )
        return port

    def find(self, preferred: int, host: str = "127.0.0.1") -> int:
        """The preferred port if it is free, else the next free one that no part usually has."""
        for port in range(preferred, min(preferred + _FURTHER, 65536)):
            if (port == preferred or port not in USUAL.values()) and self._claim(host, port):
                return port
        raise CommandError(f"None of the {_FURTHER} ports from {preferred} on is free.")

    def _claim(self, host: str, port: int) -> bool:
        if port in self._claims or not is_free(host, port):
            return False
        claim: socket.socket | None = None
        if sys.platform == "linux":
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0samplemind-port-{port}")
            except OSError:
                claim.close()
                return False
        self._claims[port] = claim
        return True

    def close(self) -> None:
        """Give every port back."""
        for claim in self._claims.values():
            if claim is not None:
                claim.close()
        self._claims.clear()


def _any_free(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])
