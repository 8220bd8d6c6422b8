"""Sending a file so that it goes on where it broke off: the client's half of tus 1.0.0."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import httpx

from cli.gateway import Gateway, Json, Refused, Unreachable

Step = Callable[[int], object]
"""Told how many bytes more are done."""
_PIECE: Final = 256 * 1024
_TUS: Final = {"Tus-Resumable": "1.0.0"}
_PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0)
"""Between attempts without a byte of progress; then it is given up."""
_PASSING: Final = ("upload_busy", "wrong_offset", "body_stalled")
"""The break is not known to the gateway yet, or it has had more than we know."""


def hash_file(path: str, step: Step) -> str:
    """SHA-256 of a file, hex. `OSError` where it cannot be read."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            step(len(piece))
    return found.hexdigest()


class Sending:
    """Sends files to one gateway, one at a time."""

    def __init__(self, gateway: Gateway, pause: Callable[[float], object] | None = None) -> None:
        self._gateway = gateway
        self._pause = pause or threading.Event().wait

    def send(self, path: str, metadata: Mapping[str, str], step: Step) -> Json:
        """Have the gateway hold this file; what it says of it then. Bytes that it has already count as steps too.

        Raises
        ------
        Refused, Unreachable
            It does not want the file, or could not be reached for more than a minute.
        OSError
            The file cannot be read.
        """
        size = os.stat(path).st_size
        headers = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": _encoded(metadata)}
        said = self._gateway.call("POST", "/v1/uploads/resumable", headers=headers)
        step(int(said["offset"]))
        failures = 0
        while not said["done"]:
            before = int(said["offset"])
            said, broken = self._more(path, said, step)
            failures = 0 if int(said["offset"]) > before else failures + 1
            if broken is not None:
                if failures == len(_PAUSES_S):
                    raise broken
                self._pause(_PAUSES_S[failures])
        return said

    def _more(self, path: str, said: Json, step: Step) -> tuple[Json, Refused | Unreachable | None]:
        """Send the rest; how it stands then, and what broke it off."""
        place, at, broken = f"/v1/uploads/resumable/{said['id']}", int(said["offset"]), None
        headers = {**_TUS, "Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
        timeout = httpx.Timeout(30.0, read=300.0)  # the last piece is answered once all of it was read again
        body = _Body(path, at, step)
        try:
            self._gateway.ask("PATCH", place, headers=headers, content=body, timeout=timeout)
            now = self._gateway.get(place)
        except (Unreachable, Refused) as error:
            if isinstance(error, Refused) and error.code not in _PASSING and error.status < 500:
                raise
            broken, now = error, self._where(place, said)
        step(int(now["offset"]) - at - body.sent)  # what was on its way and got lost
        return now, broken

    def _where(self, place: str, known: Json) -> Json:
        try:
            return self._gateway.get(place)
        except Unreachable:
            return known


class _Body:
    """A file from some byte on, which tells its steps while it is read."""

    def __init__(self, path: str, at: int, step: Step) -> None:
        self._path, self._at, self._step = path, at, step
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        with open(self._path, "rb") as file:
            file.seek(self._at)
            while piece := file.read(_PIECE):
                self.sent += len(piece)
                self._step(len(piece))
                yield piece


def _encoded(metadata: Mapping[str, str]) -> str:
    pairs = ((name, base64.b64encode(value.encode()).decode()) for name, value in metadata.items())
    return ",".join(f"{name} {value}" for name, value in pairs)
