"""Files for the audio tests, and one decoder for those that do not hurt it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import DecodeSettings
from workers.audio.decode import Decoder


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(DecodeSettings()) as decoder:
        yield decoder


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[bytes], int]]:
    """Make bytes a file and open it."""
    fds: list[int] = []

    def open_bytes(content: bytes) -> int:
        path = tmp_path / f"{len(fds)}.bin"
        path.write_bytes(content)
        fds.append(os.open(path, os.O_RDONLY))
        return fds[-1]

    yield open_bytes
    for fd in fds:
        os.close(fd)
