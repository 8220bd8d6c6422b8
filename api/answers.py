"""JSON as the gateway writes it: ASCII-safe, never NaN, times in UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response


def plain(value: Any) -> Any:
    """`value` as JSON types: what is not finite becomes ``None``, a time its ISO 8601 form in UTC."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return instant(value)
    return value


def instant(when: datetime) -> str:
    """A time in UTC with milliseconds: ``2026-11-22T09:30:00.000Z``. One without a zone is taken as UTC."""
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dump(body: Any) -> bytes:
    """`body` as compact JSON. ASCII only, so that a stray surrogate in a path cannot break an answer."""
    return json.dumps(plain(body), allow_nan=False, separators=(",", ":")).encode("ascii")


class Json(Response):
    """A JSON answer made from plain values."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dump(content)
