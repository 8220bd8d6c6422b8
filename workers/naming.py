"""Names of files as text. A name is bytes; text shows it, and where the two differ the bytes are kept beside it."""

from __future__ import annotations

import base64
import re

_LOOKS_ESCAPED = re.compile(r"(\\+)(?=x[89a-f][0-9a-f]|[\udc80-\udcff])")

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What moves the cursor, ends a line or turns the direction of writing."""


def shown(name: bytes) -> str:
    """A name as text. Bytes that are no UTF-8 are written ``\\xNN``.

    Backslashes of its own in front of such letters are doubled: no two names are shown alike.
    """
    text = name.decode("utf-8", "surrogateescape")
    if "\\" in text:
        text = _LOOKS_ESCAPED.sub(lambda found: found[1] * 2, text)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def named(name: bytes) -> tuple[str, bytes | None]:
    """A name as text, and its bytes where the text is not the name itself."""
    text = shown(name)
    return text, None if text.encode() == name else name


def spelled(name: bytes | None) -> dict[str, str]:
    """What a row says of a name beside its text: ``path_b64``, its bytes, where there are any to say."""
    return {} if name is None else {"path_b64": base64.b64encode(name).decode("ascii")}


def visible(text: str) -> str:
    """A name, or what holds one, for people to read: nothing in it does anything to a terminal or a page."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
