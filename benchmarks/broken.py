"""Broken inputs, counted: ``python -m benchmarks.broken [--mutants 100000] [--seed 1] [--keep FOLDER]``.

First every file of `tests.broken_files`, then so many mutants of whole files of every format, each through the decoder
as a worker would. Ends with status 1 if a decoder helper died or was given up, or a file has no reason of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import DecodeSettings
from tests.broken_files import make_broken
from tests.mutants import mutants
from workers.audio.decode import Decoder
from workers.audio.files import open_beneath
from workers.errors import DecoderCrashed, DecodeTimeout, FileError

SUSPECT = ("Unknown error", "Error number", "Errno", "internal bug", "None")
"""What must not reach a musician."""


@dataclass
class Tally:
    """What became of the inputs."""

    seconds: float = 0.0
    contents: set[bytes] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, name: str, content: bytes, said: str | FileError, seconds: float) -> bool:
        """Count one; whether it ended as it should."""
        self.contents.add(hashlib.blake2b(content, digest_size=8).digest())
        self.codes[said if isinstance(said, str) else said.code] += 1
        self.seconds += seconds
        self.slowest = max(self.slowest, (seconds, name))
        if isinstance(said, str):
            return True
        self.messages[said.message] += 1
        wrong = isinstance(said, DecoderCrashed | DecodeTimeout) or any(word in said.message for word in SUSPECT)
        if wrong:
            self.bad.append(f"{name}: {said.message}")
        return not wrong

    def report(self, title: str) -> None:
        """Print it."""
        broken = sum(self.codes.values()) - self.codes["ok"]
        print(f"\n{title}: {sum(self.codes.values())} inputs, {len(self.contents)} different, {broken} refused")
        for code, count in self.codes.most_common():
            print(f"  {count:7} {code}")
        print(
            f"  {len(self.messages)} different sentences; {self.seconds:.1f} s; slowest {self.slowest[0]:.2f} s "
            f"({self.slowest[1]})"
        )
        for line in self.bad[:20]:
            print(f"  WRONG {line}")


@contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """A file of these bytes that is in no folder."""
    fd = os.memfd_create("mutant")
    try:
        os.write(fd, content)
        yield fd
    finally:
        os.close(fd)


def tried(decoder: Decoder, fd: int, name: str) -> str | FileError:
    """``ok``, or why not."""
    try:
        decoder.decode(fd, name)
    except FileError as error:
        return error
    return "ok"


def known_files(decoder: Decoder) -> Tally:
    """Every file of `tests.broken_files`."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for file in make_broken(Path(folder)):
            began = time.perf_counter()
            try:
                fd = open_beneath(Path(folder), file.name)
            except FileError as error:
                tally.add(repr(file.name), file.name, error, time.perf_counter() - began)
                continue
            said = tried(decoder, fd, os.fsdecode(file.name))
            tally.add(repr(file.name), file.name, said, time.perf_counter() - began)
            os.close(fd)
    return tally


def mutated(decoder: Decoder, count: int, seed: int, keep: Path | None) -> Tally:
    """So many mutants; those that end wrong are kept in a folder."""
    tally = Tally()
    for n, mutant in enumerate(mutants(count, seed)):
        began = time.perf_counter()
        with in_memory(mutant.content) as fd:
            said = tried(decoder, fd, mutant.base)
        if not tally.add(f"#{n} of {mutant.base}", mutant.content, said, time.perf_counter() - began) and keep:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{n}-{mutant.base}").write_bytes(mutant.content)
    return tally


def main() -> None:
    """Try them all and say what became of them."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.broken", description=__doc__.splitlines()[0])
    asked.add_argument("--mutants", type=int, default=1000, help="how many damaged copies of whole files")
    asked.add_argument("--seed", type=int, default=1, help="which ones")
    asked.add_argument("--keep", type=Path, metavar="FOLDER", help="keep those that ended wrong")
    asked.add_argument("--sentences", action="store_true", help="print what was said, and how often")
    said = asked.parse_args()
    with Decoder(DecodeSettings()) as decoder:
        decoder.start()
        pid = decoder.helper_pid
        known = known_files(decoder)
        known.report("broken files")
        more = mutated(decoder, said.mutants, said.seed, said.keep)
        more.report(f"mutants, seed {said.seed}")
        survived = decoder.helper_pid == pid
    if said.sentences:
        for sentence, count in (known.messages + more.messages).most_common():
            print(f"{count:7} {sentence}")
    print(f"\none decoder process for all of them: {'yes' if survived else 'NO'}")
    if known.bad or more.bad or not survived:
        sys.exit(1)


if __name__ == "__main__":
    main()
