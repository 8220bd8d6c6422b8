"""Whether every part works, said in words. Checked at most every two seconds, however often it is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
from anyio import CapacityLimiter, to_thread

from stores.doors import Ledger, Pulse, Vectors
from workers.errors import SampleMindError, StoreUnavailable

_KNOWN_FOR_S: Final = 2.0
_PATIENCE_S: Final = 3.0
_PROCESSES: Final[Mapping[str, tuple[str, str]]] = {
    "worker": ("worker", "workers"),
    "reconciler": ("reconciler", "reconcilers"),
    "index": ("index writer", "index writers"),
}
"""Part as it calls itself in the pulse -> one of it, several of it, in words."""


@dataclass(frozen=True, slots=True)
class PartState:
    """One part, at one moment."""

    ok: bool
    detail: str


class Readiness:
    """Asks every part.

    A part that does not answer in three seconds is not ready; while its last question is still open it is not asked
    again, so that a hanging server does not collect threads.
    """

    def __init__(self, ledger: Ledger, pulse: Pulse, vectors: Vectors, flower_url: str) -> None:
        self._checks: dict[str, Callable[[], Awaitable[dict[str, PartState]]]] = {
            "ledger": lambda: self._ping("ledger", ledger.ping),
            "queue": lambda: self._ping("queue", pulse.ping),
            "vectors": lambda: self._ping("vectors", vectors.ping),
            "processes": lambda: self._processes(pulse),
            "flower": lambda: self._flower(flower_url),
        }
        self._open: dict[str, asyncio.Task[dict[str, PartState]]] = {}
        self._limiter: CapacityLimiter | None = None
        self._lock = asyncio.Lock()
        self._at = float("-inf")
        self._known: dict[str, PartState] = {}

    async def parts(self) -> dict[str, PartState]:
        """Every part's state, at most two seconds old."""
        async with self._lock:
            if time.monotonic() - self._at >= _KNOWN_FOR_S:
                answers = await asyncio.gather(*(self._ask(name) for name in self._checks))
                self._known = {part: state for answer in answers for part, state in answer.items()}
                self._at = time.monotonic()
            return self._known

    async def close(self) -> None:
        """Forget open questions."""
        for task in self._open.values():
            task.cancel()

    async def _ask(self, name: str) -> dict[str, PartState]:
        task = self._open.get(name)
        if task is None or task.done():
            task = self._open[name] = asyncio.create_task(_run(self._checks[name]), name=f"check {name}")
        done, _ = await asyncio.wait({task}, timeout=_PATIENCE_S)
        if not done:
            silent = PartState(False, f"does not answer within {_PATIENCE_S:g} s")
            return dict.fromkeys(_PROCESSES if name == "processes" else (name,), silent)
        return task.result()

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        self._limiter = self._limiter or CapacityLimiter(8)
        return await to_thread.run_sync(call, limiter=self._limiter, abandon_on_cancel=True)

    async def _ping(self, name: str, ping: Callable[[], None]) -> dict[str, PartState]:
        try:
            await self._in_thread(ping)
        except SampleMindError as error:
            return {name: PartState(False, error.message)}
        return {name: PartState(True, "answers")}

    async def _processes(self, pulse: Pulse) -> dict[str, PartState]:
        try:
            alive = await self._in_thread(pulse.alive)
        except StoreUnavailable:
            unknown = PartState(False, "cannot be seen while the queue does not answer")
            return dict.fromkeys(_PROCESSES, unknown)
        return {part: _of_processes(part, [each for each in alive if each.get("part") == part]) for part in _PROCESSES}

    async def _flower(self, url: str) -> dict[str, PartState]:
        try:
            async with httpx.AsyncClient(timeout=1.5, trust_env=False) as client:
                answer = await client.get(url.rstrip("/") + "/healthcheck")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return {"flower": PartState(False, f"cannot be reached ({type(error).__name__})")}
        if answer.status_code != 200:
            return {"flower": PartState(False, f"answers {answer.status_code}")}
        return {"flower": PartState(True, "answers")}


async def _run(check: Callable[[], Awaitable[dict[str, PartState]]]) -> dict[str, PartState]:
    return await check()


def _of_processes(part: str, beats: Sequence[Mapping[str, str]]) -> PartState:
    """How many there are, and what those say that do not get on. One that does is enough to be ready."""
    one, several = _PROCESSES[part]
    if not beats:
        return PartState(False, f"no {one} is alive")
    stuck = [f"{each.get('name', '?')} {each['stuck']}" for each in beats if each.get("stuck")]
    alive = f"1 {one} is alive" if len(beats) == 1 else f"{len(beats)} {several} are alive"
    if not stuck:
        return PartState(True, alive)
    return PartState(len(stuck) < len(beats), f"{alive}, {len(stuck)} stuck: {'; '.join(stuck)}")
