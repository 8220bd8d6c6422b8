"""The reference page of the API, from its own description: ``python -m api.reference > docs/api.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.describe import description

HEAD = """# The API

Every request that a gateway answers. Made by `python -m api.reference > docs/api.md`, do not edit. A running gateway
has the same with the shape of every answer at `/docs`, and for programs at `/openapi.json`.

Where a key exists every request under `/v1` needs one: `X-API-Key: sm_...` ([who may do what](howto/secure.md)). Errors
are `application/problem+json` (RFC 9457) with a `code` to rely on. Lists come in pages: `next` of one is `cursor` of
the next, `null` at the end.
"""

Operation = Mapping[str, Any]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """(tag, ``GET /path``, operation), in the order of the tags' first paths."""
    found = [
        (str(operation["tags"][0]), f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    order = list(dict.fromkeys(tag for tag, _, _ in found))
    yield from sorted(found, key=lambda each: order.index(each[0]))


def section(name: str, operation: Operation) -> str:
    """One request."""
    lines = [f"### {name}", "", f"{operation['summary']}. {operation.get('description', '')}".strip()]
    sent = (operation.get("requestBody") or {}).get("content", {})
    if sent:
        lines += ["", "Body: " + ", ".join(f"`{kind}`{_shape(content)}" for kind, content in sent.items()) + "."]
    rows = [_row(each) for each in operation.get("parameters", ())]
    if rows:
        lines += ["", "| parameter | where | meaning |", "|---|---|---|", *rows]
    answers = ", ".join(_answer(code, said) for code, said in operation["responses"].items() if code != "default")
    return "\n".join([*lines, "", f"Answers {answers}."])


def _row(parameter: Mapping[str, Any]) -> str:
    needed = " (needed)" if parameter.get("required") and parameter["in"] != "path" else ""
    cells = (f"`{parameter['name']}`", parameter["in"] + needed, " ".join(parameter.get("description", "").split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _answer(code: str, said: Mapping[str, Any]) -> str:
    shapes = [_shape(content) for content in said.get("content", {}).values()]
    return f"{code}{shapes[0] if shapes else ''}"


def _shape(content: Mapping[str, Any]) -> str:
    name = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    return f" ({name})" if name else ""


def markdown() -> str:
    """The page."""
    parts, last = [HEAD.strip()], ""
    for tag, name, operation in operations(description()):
        if tag != last:
            parts.append(f"## {tag.capitalize()}")
            last = tag
        parts.append(section(name, operation))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
