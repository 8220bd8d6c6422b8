"""Safeguards of the product that can be switched off: changes that the hook makes, at work while the harness says so.

Those of what a process does when it starts are looked at when it starts, all others at each call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.faults.changes import changing, is_off


class _Never(Exception):
    """Never raised: a clause that is to catch nothing catches this."""


def _instead(name: str, where: Any, function: str, other: Callable[..., Any]) -> None:
    """Call `other` in a function's place while a safeguard is off; it is given the function first."""
    real = getattr(where, function)

    @wraps(real)
    def either(*given: Any, **named: Any) -> Any:
        return other(real, *given, **named) if is_off(name) else real(*given, **named)

    setattr(where, function, either)


@changing("no_revival", "tasks.upkeep")
def _revive_nothing(module: ModuleType) -> None:
    _instead("no_revival", module.Upkeep, "_revive", lambda *_: None)
    _instead("no_revival", module.Upkeep, "hasten", lambda *_: 0)  # it publishes again what waited long, too


@changing("no_patience", "tasks.patience")
def _try_once(module: ModuleType) -> None:
    _instead("no_patience", module, "patiently", lambda real, call, *_: real(call, ()))


@changing("no_driver_retries", "pymongo.synchronous.mongo_client")
def _send_once(module: ModuleType) -> None:
    _instead("no_driver_retries", module._ClientConnectionRetryable, "_is_not_eligible_for_retry", lambda *_: True)


@changing("no_second_decoder", "workers.audio.helper")
def _blame_the_file(module: ModuleType) -> None:
    def was_killed(self: Any) -> bool:
        return bool(vars(self).get("was_killed")) and not is_off("no_second_decoder")

    module.Helper.was_killed = property(was_killed, lambda self, value: vars(self).update(was_killed=value))


@changing("no_key", "stores.ledger_jobs")
def _forget_the_key(module: ModuleType) -> None:
    def keyless(real: Callable[..., dict[str, Any]], new: Any) -> dict[str, Any]:
        return {name: value for name, value in real(new).items() if name != "key"}

    _instead("no_key", module, "new_job", keyless)


@changing("no_fingerprint", "stores.ledger_jobs")
def _any_body_will_do(module: ModuleType) -> None:
    def same(real: Callable[..., Any], self: Any, known: Mapping[str, Any], new: Any) -> Any:
        return real(self, {**known, "fingerprint": new.fingerprint}, new)

    _instead("no_fingerprint", module.LedgerJobs, "_first_request", same)


@changing("no_comparison", "tasks.loop")
def _believe_the_index(module: ModuleType) -> None:
    real = module.run

    def run(round_: Callable[[], float], *more: Any) -> None:
        # The index writer runs as __main__, which the hook does not see.
        part = type(getattr(round_, "__self__", None))
        if hasattr(part, "_differs"):
            _instead("no_comparison", part, "_differs", lambda *_, **__: False)
        real(round_, *more)

    module.run = run


@changing("no_timeouts", "config.settings")
def _wait_for_ever(module: ModuleType) -> None:
    def patient(real: Callable[[], Any]) -> Any:
        settings, wait = real(), {"socket_timeout_s": 600.0}
        parts = {"mongo": wait, "redis": wait, "chroma": {"timeout_s": 600.0}}
        return settings.model_copy(
            update={name: getattr(settings, name).model_copy(update=change) for name, change in parts.items()}
        )

    _instead("no_timeouts", module, "get_settings", patient)


class _OurClock(Mapping[str, Any]):
    """The server's time or, while the safeguard is off, that of whoever asks. Read each time it is sent."""

    def __iter__(self) -> Iterator[str]:
        return iter(("$literal" if is_off("no_server_clock") else "$toLong",))

    def __len__(self) -> int:
        return 1

    def __getitem__(self, name: str) -> Any:
        return "$$NOW" if name == "$toLong" else int(time.time() * 1000)


@changing("no_server_clock", "stores.mongo_door")
def _by_our_clock(module: ModuleType) -> None:
    module.NOW = _OurClock()


@changing("no_file_errors", "tasks.chunk")
def _a_file_fails_its_chunk(module: ModuleType) -> None:
    real = module.FileError

    def work_on(work: Callable[..., Any], *given: Any) -> Any:
        module.FileError = _Never
        try:
            return work(*given)
        finally:
            module.FileError = real

    _instead("no_file_errors", module, "work_on", work_on)


@changing("no_sweep", "stores.ledger_upkeep")
def _sweep_nothing(module: ModuleType) -> None:
    _instead("no_sweep", module.LedgerUpkeep, "sweep_cancelled", lambda *_: 0)


@changing("no_version", "workers.model")
def _one_name_for_all(module: ModuleType) -> None:
    if is_off("no_version"):
        real, first = module.sample_id, ".".join(module.ANALYZER_VERSION.split(".")[:3])
        module.sample_id = lambda content, options_hash="0", version="": real(content, options_hash, first)


@changing("no_fed_marks", "stores.ledger_upkeep")
def _forget_what_was_published(module: ModuleType) -> None:
    _instead("no_fed_marks", module.LedgerUpkeep, "mark_fed", lambda *_: None)


@changing("no_depth", "tasks.depth")
def _room_for_everything(module: ModuleType) -> None:
    _instead("no_depth", module.Depth, "room", lambda *_: 100_000)


@changing("no_memory_care", "tasks.chunk", "tasks.analyze", "workers.file")
def _memory_errors_escape(module: ModuleType) -> None:
    if is_off("no_memory_care"):
        module.MemoryError = _Never


@changing("no_kernel_check", "workers.kernels.cache")
def _load_what_is_there(module: ModuleType) -> None:
    def unchecked(path: str) -> bytes | None:
        return Path(path).read_bytes()[module._DIGEST_SIZE :] if Path(path).exists() else None

    if is_off("no_kernel_check"):
        module.KernelFiles._checked = staticmethod(unchecked)


@changing("no_origin", "tasks.chunk")
def _known_is_reused(module: ModuleType) -> None:
    """A file's end by what this run happened to do: analysed, or found."""

    def read_off(real: Callable[..., None], work: Any) -> None:
        for n, of_content in work.ids.items():
            if n not in work.rows and of_content not in work.new:
                work.rows[n] = module.Row(module.Status.REUSED, sample_id=of_content)
        real(work)

    _instead("no_origin", module, "_read_off_origins", read_off)


SAFEGUARDS = (
    "no_revival",
    "no_patience",
    "no_driver_retries",
    "no_second_decoder",
    "no_key",
    "no_fingerprint",
    "no_comparison",
    "no_timeouts",
    "no_server_clock",
    "no_file_errors",
    "no_sweep",
    "no_version",
    "no_fed_marks",
    "no_depth",
    "no_memory_care",
    "no_kernel_check",
    "no_origin",
)
"""All names there are."""
