"""What came of trials, a line of JSON each as it comes: a run of hours that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.faults.scenario import Outcome
from tests.servers import PROJECT

_SOURCES = ("config", "workers", "stores", "tasks", "api", "cli", "tests/faults")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the oracle said with a scenario's safeguard switched off."""

    scenario: str
    safeguard: str
    off: str
    said: tuple[str, ...]
    """Nothing: then the scenario proves nothing."""
    seed: int


def sources_digest() -> str:
    """Of everything that could make a trial end otherwise."""
    digest = hashlib.sha256()
    for package in _SOURCES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


class Journal:
    """A file of outcomes and proofs; nothing in it is ever changed."""

    def __init__(self, path: Path, sources: str | None = None, *, of_any_sources: bool = False) -> None:
        self.path = path
        self.sources = sources or sources_digest()
        self._counts = None if of_any_sources else self.sources

    def add(self, entry: Outcome | Proof) -> None:
        """Write down what came."""
        line = {"kind": type(entry).__name__, "sources": self.sources, **asdict(entry)}
        with self.path.open("ab+") as file:
            whole = file.tell() == 0 or (file.seek(-1, os.SEEK_END), file.read(1))[1] == b"\n"
            file.write((b"" if whole else b"\n") + json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def has(self, scenario: str, seed: int, files: int) -> bool:
        """Whether this trial held before, with these sources. One that failed is done again."""
        return any(
            (each["scenario"], each["seed"], each["files"]) == (scenario, seed, files) and not each["wrong"]
            for each in self._lines("Outcome", self._counts)
        )

    def proved(self, scenario: str) -> bool:
        """Whether the oracle was seen to complain of these sources without the scenario's safeguard."""
        return any(each["scenario"] == scenario and each["said"] for each in self._lines("Proof", self._counts))

    def outcomes(self) -> list[tuple[str, Outcome]]:
        """The last outcome of each trial, and of which sources it is."""
        last = {(each["scenario"], each["seed"], each["files"]): each for each in self._lines("Outcome")}
        return [(each.pop("sources"), Outcome(**_tuples(each))) for each in last.values()]

    def proofs(self) -> dict[str, Proof]:
        """The last proof of each scenario that proved something."""
        found = [each for each in self._lines("Proof") if each["said"]]
        return {each["scenario"]: Proof(**_tuples(each, "sources")) for each in found}

    def _lines(self, kind: str, sources: str | None = None) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a run ended while it wrote it
            if entry.pop("kind") == kind and sources in (None, entry["sources"]):
                yield entry


def _tuples(entry: dict[str, Any], *without: str) -> dict[str, Any]:
    """Lists as they were before JSON."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items() if name not in without
    }
