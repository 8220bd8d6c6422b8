"""Page cursors: opaque, and good only for the question they were made for. No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from stores.records import Page
from workers.errors import BadCursor


class _Named(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=_Named)
Position = Sequence[str | int]
_LONGEST = 1000


def write(question: object, position: Position) -> str:
    """Where to go on with `question` (anything with a stable `repr`)."""
    text = json.dumps([_mark(question), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(question: object, cursor: str, kinds: Sequence[type]) -> list[str | int]:
    """The position a cursor stands for.

    Raises
    ------
    BadCursor
        We did not make it, or we made it for another question.
    """
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        said = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise BadCursor from None
    if not isinstance(said, list) or len(said) != len(kinds) + 1 or said[0] != _mark(question):
        raise BadCursor
    position = said[1:]
    for value, kind in zip(position, kinds, strict=True):
        if type(value) is not kind or not _sound(value):
            raise BadCursor
    return position


def by_id(
    question: object,
    cursor: str | None,
    limit: int,
    rows: Callable[[str, int], Sequence[Row]],
    shown: Callable[[Row], Shown],
) -> Page[Shown]:
    """The next page of what is listed in the order of its ids: `rows` gives at most so many behind an id.

    Raises
    ------
    BadCursor
        We did not make it, or we made it for another question.
    """
    after = str(read(question, cursor, (str,))[0]) if cursor else ""
    found = rows(after, limit + 1)
    page = tuple(map(shown, found[:limit]))
    return Page(page, write(question, (page[-1].id,)) if len(found) > limit else None)


def _sound(value: object) -> bool:
    """Whether a database can be asked for it: JSON can write half of a surrogate pair."""
    if isinstance(value, int):
        return 0 <= value < 1 << 60
    return isinstance(value, str) and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value)


def _mark(question: object) -> str:
    return hashlib.sha256(repr(question).encode("utf-8", "surrogatepass")).hexdigest()[:8]
