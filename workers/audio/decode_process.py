"""The decoder helper: a process that reads untrusted bytes, so that a worker need not.

``python -m workers.audio.decode_process SOCKET MEMORY BYTES SPACE DEADLINE``: two inherited descriptors, the socket to
the worker and the shared memory for the samples; the latter's size; the memory and the seconds a file may take. It
opens no file by name, holds no secret, reaches nobody (`workers.audio.sandbox`), and may be killed at any moment:
nothing is lost but the file it was at.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from workers.audio import wire
from workers.audio.decoding import decode_fd
from workers.audio.outcome import Limits, Outcome, Room
from workers.audio.sandbox import allow_cpu, confine
from workers.errors import FileError

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Serve files until the worker goes away."""
    sock_fd, memory_fd, size, address_space = (int(argument) for argument in arguments[:4])
    deadline_s = float(arguments[4])
    _die_with_the_worker()
    _survive_the_terminal()
    sock = socket.socket(fileno=sock_fd)
    _report_bugs(sock)
    out = np.frombuffer(mmap.mmap(memory_fd, size), np.float32)
    os.close(memory_fd)
    sock.sendall(wire.ready(confine(address_space)))
    desk = _Desk(out)
    while _serve(sock, desk, deadline_s):
        pass


class _Desk:
    """The file that is being decoded: its descriptor, its blocks, and the room for the next."""

    def __init__(self, memory: NDArray[np.float32]) -> None:
        self.memory = memory
        self.room = Room(memory, Limits(0, 0))
        self.blocks: Iterator[Outcome] = iter(())
        self.fd = -1

    def open(self, fd: int, line: bytes) -> None:
        """Begin a file; the one before is left where it is."""
        self.close()
        header, limits = wire.read_request(line)
        self.fd, self.room = fd, Room(self.memory, limits)
        self.blocks = decode_fd(fd, header, self.room)

    def next_block(self) -> Outcome:
        """Decode one block. Raises FileError."""
        try:
            block = next(self.blocks)
        except FileError:
            self.close()
            raise
        if block.complete:
            self.close()
        return block

    def close(self) -> None:
        """Let go of the file."""
        self.blocks = iter(())
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _serve(sock: socket.socket, desk: _Desk, deadline_s: float) -> bool:
    """Decode one block; false once the worker has closed its end."""
    line, fds, _, _ = socket.recv_fds(sock, wire.USUAL, 1)
    if not line:
        return False
    while not line.endswith(b"\n"):
        line += sock.recv(wire.USUAL)
    allow_cpu(deadline_s)
    try:
        if fds:
            desk.open(fds[0], line)
        else:
            desk.room.kept = wire.read_more(line)
        answer = wire.done(desk.next_block())
    except FileError as error:
        answer = wire.failed(error)
    sock.sendall(answer)
    return True


def _die_with_the_worker() -> None:
    """End when the worker does, even in the middle of a file; elsewhere than on Linux at the file's end."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went between the two lines
        sys.exit(0)


def _survive_the_terminal() -> None:
    """A Ctrl-C or a stop sent to the whole group is the worker's to handle: it may want to finish its file."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _report_bugs(sock: socket.socket) -> None:
    """Tell the worker what this process dies of."""

    def report(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        sock.sendall(wire.bug("".join(traceback.format_exception(kind, error, where))))

    sys.excepthook = report


if __name__ == "__main__":
    main(sys.argv[1:])
