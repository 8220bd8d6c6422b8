"""The whole analysis of one file of each class, its decoder's process included."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.gate.side import Sample


def samples(asked: dict[str, Any]) -> Iterator[tuple[str, Sample]]:
    """Name and samples of each class."""
    from benchmarks.pipeline import Clock
    from config.settings import DecodeSettings
    from workers.audio.decode import Decoder
    from workers.audio.files import open_regular
    from workers.file import analyze_file
    from workers.kernels import warm

    warm()
    decoder = Decoder(DecodeSettings())
    decoder.__enter__()
    atexit.register(decoder.close)
    clock = Clock(decoder)

    def of(fd: int) -> Sample:
        return lambda calls: clock.of(repeated(lambda: analyze_file(decoder, fd, "x.wav"), calls))

    for what, path in asked["files"].items():
        yield what, of(open_regular(Path(path)))


def repeated(call: Callable[[], object], calls: int) -> Callable[[], object]:
    """So many calls as one."""

    def all_of_them() -> None:
        for _ in range(calls):
            call()

    return all_of_them
