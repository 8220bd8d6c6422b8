"""OpenTelemetry traces, one a job: from the request that submitted it to its vectors in the index.

The id of a job's trace, and that of its first span, follow from the job's id, which every message and every row of the
ledger has anyway: nothing is passed on for it, and what was lost and is published again joins the same trace. Where
`tracing.endpoint` is not set a span is one comparison, and what makes and sends them is never loaded.
"""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from config.settings import TracingSettings

if TYPE_CHECKING:
    from config.spans import Spans

Said = str | int | float | bool
"""What a span's attribute may be."""

_EXPORT_S: Final = 5.0
"""Longest that a process waits for the collector, at its end too."""
_PARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")

asked: ContextVar[tuple[int, str]] = ContextVar("asked", default=(0, ""))
"""When the request that is being answered came in, in ns since 1970, and its ``traceparent``."""
_spans: Spans | None = None


def configure_tracing(settings: TracingSettings, part: str) -> None:
    """Send this process's spans to the collector, in the background; does nothing where there is none.

    After a fork: the thread that sends does not survive one.
    """
    global _spans
    if settings.endpoint is None:
        return
    from config.spans import Spans

    about = {
        "service.namespace": "samplemind",
        "service.name": part,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
    }
    _spans = Spans(settings.endpoint, about, settings.ratio, _EXPORT_S)


def close_tracing() -> None:
    """Send what is left, for at most some seconds."""
    global _spans
    if _spans is not None:
        _spans.close()
        _spans = None


def is_tracing() -> bool:
    """Whether spans go anywhere."""
    return _spans is not None


def span(job_id: str, name: str, **said: Said) -> AbstractContextManager[None]:
    """What is done for a job while the block lasts: a child of the job's first span."""
    return nullcontext() if _spans is None else _spans.of_job(job_id, name, said)


def step(name: str, **said: Said) -> AbstractContextManager[None]:
    """A step of the span that is open in this thread; nothing where none is."""
    return nullcontext() if _spans is None else _spans.step(name, said)


def submitted(job_id: str, **said: Said) -> None:
    """A job's first span, over now, from when its request came in; a client's own trace is linked to it."""
    if _spans is not None:
        began_ns, parent = asked.get()
        _spans.first(job_id, "submit", began_ns or time.time_ns(), said, _PARENT.fullmatch(parent))


def happened(job_id: str, name: str, began_s: float, **said: Said) -> None:
    """Something of a job that is over now, and began so many seconds after 1970."""
    if _spans is not None:
        _spans.over(job_id, name, round(began_s * 1e9), said)
