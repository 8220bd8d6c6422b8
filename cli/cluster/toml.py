"""Settings as a TOML file: the standard library only reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from cli.errors import CommandError
from config.buckets import BucketUrl


def plain(value: Any) -> Any:
    """A settings value as TOML can say it, secrets in clear; a part that is ``None`` is left out."""
    if isinstance(value, BucketUrl):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: plain(part) for name, part in value if part is not None}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def dumps(values: Mapping[str, Any]) -> str:
    """TOML text; tables after plain values."""
    lines = [f"{_word(name)} = {_scalar(value)}" for name, value in values.items() if not isinstance(value, dict)]
    for name, table in values.items():
        if isinstance(table, dict):
            lines += ["", f"[{_word(name)}]"]
            lines += [f"{_word(key)} = {_scalar(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _word(name: str) -> str:
    return _scalar(name)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(part) for part in value) + "]"
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        shown = text.encode("utf-8", "backslashreplace").decode()
        raise CommandError(f"{shown!r} is not valid UTF-8; rename that folder or link to it.") from error
    # JSON's escapes are TOML's, but for DEL; \u pairs for emoji are not, so those stay as they are
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
