"""Memory that a worker and its decoder helper share: samples go over without a copy."""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np
from numpy.typing import NDArray

KEPT = 64 << 20
"""After a file with more bytes of samples than this, the rest is given back to the system."""


class SharedMemory:
    """One anonymous file as large as a file's samples may become, mapped once.

    Only pages that were written take memory, so its size costs nothing. On Linux it is sealed: the helper can
    neither shrink it under the worker's feet nor let it grow.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._sealed = hasattr(os, "memfd_create")
        self.fd = _memfd(size) if self._sealed else _unlinked(size)
        self._map = mmap.mmap(self.fd, size)
        self.samples: NDArray[np.float32] = np.frombuffer(self._map, np.float32)
        self._used = 0

    def used(self, size: int) -> None:
        """Note that `size` bytes from the start were written."""
        self._used = max(self._used, size)

    def move(self, start: int, size: int) -> None:
        """Bring `size` bytes from `start` on to the start."""
        self._map.move(0, start, size)

    def give_back(self) -> None:
        """Return to the system what a large file took. Samples handed out before are lost."""
        if self._used <= KEPT:
            return
        if self._sealed:
            self._map.madvise(mmap.MADV_REMOVE, KEPT, _pages(self._used) - KEPT)
        else:
            os.ftruncate(self.fd, KEPT)
            os.ftruncate(self.fd, self.size)
        self._used = 0

    def close(self) -> None:
        """Let go of it; the memory goes once the last array on it has gone."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        self.samples = np.zeros(0, np.float32)
        del self._map


def _pages(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _memfd(size: int) -> int:
    import fcntl

    fd = os.memfd_create("samples", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


def _unlinked(size: int) -> int:
    fd, name = tempfile.mkstemp(prefix="samples-")
    os.unlink(name)
    os.ftruncate(fd, size)
    return fd
