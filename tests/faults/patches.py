"""Faults that need to be inside of the product's processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.faults.changes import FOLDER, changing, told


@changing("handed_on", "config.environment")
def _hand_on(module: ModuleType) -> None:
    real = module.child_environment

    def child_environment(settings_file: Path | None = None, **extra: str) -> dict[str, str]:
        names = ("PYTHONPATH", "FAULT_PATCHES", FOLDER)
        return real(settings_file, **{**{name: os.environ[name] for name in names}, **extra})

    module.child_environment = child_environment


@changing("version", "workers.model")
def _another_version(module: ModuleType) -> None:
    """An analyser of another version, where the harness says so when the process starts."""
    version = told("analyzer_version")
    if version:
        module.ANALYZER_VERSION = version
        module.sample_id.__defaults__ = ("0", version)


@changing("obeys", "tasks.remote")
def _does_what_it_is_told(module: ModuleType) -> None:
    """A worker that takes every remote command of Celery's: to be made deaf by one."""
    module.only_look = lambda: None


@changing("bomb", "workers.file")
def _bomb(module: ModuleType) -> None:
    """A file that takes far more memory than its worker may have: what it takes, it also writes to."""
    real = module.analyze_file

    def analyze_file(decoder: Any, fd: int, name: str, *more: Any) -> Any:
        taken = [bytes([n]) * (64 << 20) for n in range(64)] if "bomb" in name else []
        try:
            return real(decoder, fd, name, *more)
        finally:
            taken.clear()

    module.analyze_file = analyze_file


def _raising(real: Callable[..., Any], calls: Iterator[bool]) -> Callable[..., Any]:
    @wraps(real)
    def once_in_a_while(*given: Any, **named: Any) -> Any:
        if next(calls, False):
            raise MemoryError
        return real(*given, **named)

    return once_in_a_while


@changing("memory_errors", "workers.file")
def _huge(module: ModuleType) -> None:
    """A file whose analysis asks for a petabyte, as a lying header makes it."""
    import numpy as np

    real = module.analyze

    def analyze_file(decoder: Any, fd: int, name: str, *more: Any) -> Any:
        module.analyze = (lambda *_, **__: np.empty(1 << 50)) if "huge" in name else real
        return whole(decoder, fd, name, *more)

    whole, module.analyze_file = module.analyze_file, analyze_file


@changing("memory_errors", "stores.ledger_chunks")
def _no_memory_for_the_ledger(module: ModuleType) -> None:
    """Not at each: what is tried again three times is taken to be killed by its files."""
    chunks = module.LedgerChunks
    chunks.claim_chunk = _raising(chunks.claim_chunk, iter([False, True]))
    chunks.finish_chunk = _raising(chunks.finish_chunk, iter([True, False, False, True]))


@changing("memory_errors", "stores.samples")
def _no_memory_for_samples(module: ModuleType) -> None:
    module.MongoSamples.insert = _raising(module.MongoSamples.insert, iter([False, False, True]))


@changing("memory_errors", "tasks.lifecycle")
def _no_memory_for_signals(module: ModuleType) -> None:
    """In the handlers of the parent's heartbeat and of the child's start."""
    module.ParentPulse.beat = _raising(module.ParentPulse.beat, iter([True, False, True]))
    started = Path(os.environ[FOLDER]) / f"child-started-{os.getpid()}"

    def once_a_worker(real: Callable[..., Any]) -> Callable[..., Any]:
        def open_child(*given: Any) -> Any:
            if not started.exists():
                started.touch()
                raise MemoryError
            return real(*given)

        return open_child

    module.open_child = once_a_worker(module.open_child)
