"""How much one key may ask for: requests, jobs, files, bytes uploaded. Kept in this gateway's memory alone.

Each is a bucket that holds what may be asked for in its window and fills evenly. Without a key, at this machine,
nothing is counted. Two gateways allow twice as much; one that starts anew has forgotten.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem
from config.settings import LimitSettings
from stores.doors import Ledger
from stores.records import JobState
from workers.errors import NotFound

REQUESTS, JOBS, FILES, UPLOADS = "requests", "jobs", "files", "uploads"
_SAID: Final[Mapping[str, str]] = {
    REQUESTS: "requests a minute",
    JOBS: "jobs an hour",
    FILES: "files a day",
    UPLOADS: "bytes of uploads a day",
}
_MOST_BUCKETS: Final = 10_000
_TABS_AT_ONCE: Final = 20
_STANDING: Final = "standing"


@dataclass(frozen=True, slots=True)
class Policy:
    """`quota` in `window_s` seconds."""

    name: str
    quota: float
    window_s: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a policy, and when all of it is there again."""

    policy: Policy
    left: float
    full_in_s: float

    def headers(self) -> dict[str, str]:
        """`RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers has them."""
        name, left = self.policy.name, max(0, math.floor(self.left))
        return {
            "RateLimit-Policy": f'"{name}";q={self.policy.quota:.0f};w={self.policy.window_s}',
            "RateLimit": f'"{name}";r={left};t={math.ceil(self.full_in_s)}',
        }


class _Bucket:
    def __init__(self, policy: Policy, now: float) -> None:
        self.policy, self.left, self.at = policy, policy.quota, now

    def fill(self, now: float) -> None:
        rate = self.policy.quota / self.policy.window_s
        self.left = min(self.policy.quota, self.left + (now - self.at) * rate)
        self.at = now

    def wait_s(self, amount: float) -> float:
        """How long until `amount` is there (or, where that is more than ever will be, all there is)."""
        missing = min(amount, self.policy.quota) - self.left
        return max(0.0, missing * self.policy.window_s / self.policy.quota)

    def standing(self) -> Standing:
        return Standing(self.policy, self.left, self.wait_s(self.policy.quota))


class Quotas:
    """The buckets of every key. Safe to share among threads."""

    def __init__(self, settings: LimitSettings, clock: Callable[[], float] = time.monotonic) -> None:
        policies = (
            Policy(REQUESTS, settings.requests_per_minute, 60),
            Policy(JOBS, settings.jobs_per_hour, 3600),
            Policy(FILES, settings.files_per_day, 86400),
            Policy(UPLOADS, settings.upload_mb_per_day * 1_000_000, 86400),
        )
        self._policies = {policy.name: policy for policy in policies if policy.quota > 0}
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, key_id: str | None, name: str, amount: float = 1) -> Standing | None:
        """Ask for so much, and how that policy stands then; ``None`` where nothing is counted.

        Raises
        ------
        Problem
            429 with `Retry-After` where there is not so much left; nothing is taken then.
        """
        policy = self._policies.get(name)
        if key_id is None or policy is None:
            return None
        with self._lock:
            bucket = self._bucket(key_id, policy)
            if bucket.left < min(amount, policy.quota):
                raise _too_many(bucket, amount)
            bucket.left -= amount
            return bucket.standing()

    def charge(self, key_id: str | None, name: str, amount: float) -> None:
        """Take so much of what has happened already: what it goes below zero must fill up before anything else."""
        policy = self._policies.get(name)
        if key_id is not None and policy is not None:
            with self._lock:
                self._bucket(key_id, policy).left -= amount

    def _bucket(self, key_id: str, policy: Policy) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get((key_id, policy.name))
        if bucket is None:
            self._forget_full(now)
            bucket = self._buckets[key_id, policy.name] = _Bucket(policy, now)
        bucket.fill(now)
        return bucket

    def _forget_full(self, now: float) -> None:
        """A full bucket and none are the same."""
        if len(self._buckets) >= _MOST_BUCKETS:
            for bucket in self._buckets.values():
                bucket.fill(now)
            self._buckets = {each: one for each, one in self._buckets.items() if one.left < one.policy.quota}


class Tabs:
    """Folders that a key submitted and of which nobody knows yet how many files they hold: charged once they are
    walked, when that key submits again."""

    def __init__(self, quotas: Quotas, ledger: Ledger) -> None:
        self._quotas, self._ledger = quotas, ledger
        self._lock = threading.Lock()
        self._open: dict[str, dict[str, int]] = {}

    def open(self, key_id: str | None, job_id: str) -> None:
        """This job's files are to be charged."""
        if key_id is not None:
            with self._lock:
                self._open.setdefault(key_id, {}).setdefault(job_id, 0)

    def settle(self, key_id: str | None) -> None:
        """Charge what was found of this key's folders since it was asked last."""
        if key_id is None:
            return
        with self._lock:
            tab = dict(list(self._open.get(key_id, {}).items())[:_TABS_AT_ONCE])
        for job_id, charged in tab.items():
            try:
                job = self._ledger.job(job_id)
            except NotFound:
                submitted, over = charged, True
            else:
                submitted, over = job.counts.submitted, job.state is not JobState.SCANNING
            self._quotas.charge(key_id, FILES, submitted - charged)
            with self._lock:
                self._open[key_id][job_id] = submitted
                if over:
                    del self._open[key_id][job_id]


def _too_many(bucket: _Bucket, amount: float) -> Problem:
    standing = bucket.standing()
    wait_s = max(1, math.ceil(bucket.wait_s(amount)))
    policy = bucket.policy
    return Problem(
        429,
        "too_many_" + policy.name,
        f"This key may ask for {policy.quota:.0f} {_SAID[policy.name]}; come back in {wait_s} s.",
        headers={"Retry-After": str(wait_s), **standing.headers()},
        limit=round(policy.quota),
        window_s=policy.window_s,
    )


async def metered(request: Request, quotas: Quotas, key_id: str | None) -> AsyncIterator[bytes]:
    """A request's body while what it weighs is taken from its key's bytes: before it comes in where it says so."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal():
        quotas.take(key_id, UPLOADS, int(declared[:20]))
    async for data in request.stream():
        if not declared.isdecimal():
            quotas.take(key_id, UPLOADS, len(data))
        yield data


def remember(scope: Scope, standing: Standing | None) -> None:
    """Have the answer to this request say how its key stands."""
    if standing is not None:
        scope.setdefault("state", {})[_STANDING] = standing


class RateHeaders:
    """ASGI middleware: put `RateLimit` and `RateLimit-Policy` on every answer to a key."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def marked(message: Message) -> None:
            standing: Standing | None = state.get(_STANDING)
            if message["type"] == "http.response.start" and standing is not None:
                headers = MutableHeaders(scope=message)
                for name, value in standing.headers().items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, marked)
