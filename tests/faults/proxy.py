"""A TCP proxy on loopback between a client and a server, which misbehaves as it is told: for the links of a cluster.

with Proxy(server.port) as link:
    link.cut_replies(100)   # the server does what it was asked, and its answer is lost
    link.heal()
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

_PIECE = 1 << 16
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST instead of FIN."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How a link misbehaves. All of it at once, where more than one is set."""

    delay_s: float = 0.0
    """Added to each piece, in each direction."""
    blackhole: bool = False
    """Connections stay open and nothing passes."""
    refuse: bool = False
    """New connections are reset."""
    reset_share: float = 0.0
    """Part of the pieces at which the connection is reset instead."""
    cut_reply_bytes: int | None = None
    """Replies are cut after so many bytes in all, and the connection is reset: done, but nobody was told."""
    bytes_per_s: float | None = None


class Proxy:
    """Listens on a port of its own and passes everything on to `target`, both ways."""

    def __init__(self, target: int, seed: int = 0) -> None:
        self.target = target
        self.port = 0
        self.fault = Fault()
        self._random = random.Random(seed)
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._call(self._listen()).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def heal(self) -> None:
        """Pass everything on again."""
        self._become(Fault())

    def delay(self, seconds: float, *, reset_share: float = 0.0) -> None:
        """Make every piece late, and reset the connection at some."""
        self._become(Fault(delay_s=seconds, reset_share=reset_share))

    def blackhole(self) -> None:
        """Swallow everything, also of the connections there are."""
        self._become(Fault(blackhole=True))

    def reset(self) -> None:
        """Reset every connection there is, and every new one."""
        self._become(Fault(refuse=True))
        self.break_connections()

    def cut_replies(self, after: int) -> None:
        """Let requests through and lose replies after so many bytes of each connection."""
        self._become(Fault(cut_reply_bytes=after))

    def slow(self, bytes_per_s: float) -> None:
        """Pass no more than so many bytes a second in each direction of each connection."""
        self._become(Fault(bytes_per_s=bytes_per_s))

    def break_connections(self) -> None:
        """Reset every connection there is; new ones are served."""

        def abort_all() -> None:
            for writer in tuple(self._writers):
                _abort(writer)

        self._loop.call_soon_threadsafe(abort_all)

    def _become(self, fault: Fault) -> None:
        def change() -> None:
            self.fault = replace(fault)
            self._changed.set()
            self._changed = asyncio.Event()

        self._loop.call_soon_threadsafe(change)

    def _call(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            _abort(writer)
        current = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not current]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault.refuse:
            _abort(writer)
            return
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _abort(writer)
            return
        self._writers |= {writer, there}
        try:
            left = [self.fault.cut_reply_bytes]
            await asyncio.gather(
                self._pass_on(reader, there, lambda size: size),
                self._pass_on(there_reader, writer, lambda size: self._allowed(size, left)),
            )
        except (OSError, EOFError):
            _abort(writer)
            _abort(there)
        finally:
            self._writers -= {writer, there}
            for each in (writer, there):
                each.close()

    def _allowed(self, size: int, left: list[int | None]) -> int:
        if self.fault.cut_reply_bytes is None:
            left[0] = None
            return size
        before = self.fault.cut_reply_bytes if left[0] is None else left[0]
        left[0] = max(0, before - size)
        return min(size, before)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowed: Callable[[int], int]
    ) -> None:
        while piece := await reader.read(_PIECE):
            while self.fault.blackhole:
                await self._changed.wait()
            fault = self.fault
            if fault.delay_s:
                await asyncio.sleep(fault.delay_s)
            if fault.reset_share and self._random.random() < fault.reset_share:
                raise EOFError
            if fault.bytes_per_s:
                await asyncio.sleep(len(piece) / fault.bytes_per_s)
            size = allowed(len(piece))
            writer.write(piece[:size])
            await writer.drain()
            if size < len(piece):
                raise EOFError
        with contextlib.suppress(OSError):
            writer.write_eof()


def _abort(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
