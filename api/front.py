"""The gateway's own two pages. Everything is in them: no request to anybody else, and a CSP that allows none."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

_PAGES: Final = Path(__file__).parent / "pages"
_INLINE: Final = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)
_NONE: Final = "'none'"
_METHODS: Final = ("get", "post", "delete", "put", "patch", "head")


def front_page(flower_url: str, origin: str, root: str) -> HTMLResponse:
    """Parts, jobs and counts, alive; links to Flower and the API; the first command."""
    flower = flower_url if urlsplit(flower_url).scheme in ("http", "https") else "/"
    page = _text("front.html")
    for name, value in {"flower": flower, "origin": origin, "root": root}.items():
        page = page.replace("{{" + name + "}}", escape(value))
    return guarded(page)


def docs_page(schema: Mapping[str, Any]) -> HTMLResponse:
    """The description of the API as a plain page, made from its OpenAPI schema."""
    sections: dict[str, list[str]] = {}
    for path, operations in schema["paths"].items():
        for method in _METHODS:
            if method in operations:
                said = operations[method]
                sections.setdefault(said.get("tags", ["more"])[0], []).append(_operation(schema, method, path, said))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(rows)}" for tag, rows in sections.items())
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    return guarded(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_text("docs.css")}</style></head>'
        f'<body><p><a href="/">SampleMind</a> · <a href="/openapi.json">openapi.json</a></p><h1>{title}</h1>'
        f"<p>{escape(schema['info'].get('description', ''))}</p>{body}</body></html>"
    )


def _operation(schema: Mapping[str, Any], method: str, path: str, said: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td class=soft>{escape(one['in'])}</td>"
        f"<td>{escape(one.get('description') or one.get('schema', {}).get('description') or '')}</td></tr>"
        for one in said.get("parameters", ())
    )
    return (
        f'<details><summary><b class="m {method.upper()}">{method.upper()}</b> <code>{escape(path)}</code> '
        f"<span class=soft>{escape(said.get('summary', ''))}</span></summary>"
        f"<p>{escape(said.get('description', ''))}</p>{f'<table>{rows}</table>' if rows else ''}"
        f"{_example('Request', said.get('requestBody', {}), schema)}"
        f"{''.join(_example(status, answer, schema) for status, answer in said.get('responses', {}).items())}</details>"
    )


def _example(title: str, said: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The body of a request or an answer by example, in each of its media types."""
    parts = []
    for kind, content in said.get("content", {}).items():
        shown = content.get("example") or _sketch(content.get("schema", {}), schema)
        text = shown if isinstance(shown, str) else json.dumps(shown, indent=1, ensure_ascii=False)
        parts.append(f"<p class=soft>{escape(title)} · {escape(kind)}</p><pre>{escape(text)}</pre>")
    return "".join(parts)


def _sketch(shape: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of this shape: its example where there is one, else one made of the names of its types."""
    if "$ref" in shape:
        shape = schema.get("components", {}).get("schemas", {}).get(shape["$ref"].rsplit("/", 1)[-1], {})
    if shape.get("examples"):
        return shape["examples"][0]
    for choice in shape.get("anyOf", ()):
        return _sketch(choice, schema, depth)
    if depth > 4:
        return "…"
    if "properties" in shape:
        return {name: _sketch(inner, schema, depth + 1) for name, inner in shape["properties"].items()}
    if shape.get("type") == "array":
        return [_sketch(shape.get("items", {}), schema, depth + 1)]
    return shape.get("enum", [shape.get("const", shape.get("type", "object"))])[0]


def guarded(html: str) -> HTMLResponse:
    """A page under a CSP that allows what is in it and nothing else."""
    return HTMLResponse(html, headers={"Content-Security-Policy": _policy(html), "Cache-Control": "no-cache"})


def _policy(html: str) -> str:
    """A CSP under which exactly the scripts and styles in this page run, by their hashes."""
    allowed: dict[str, list[str]] = {"style": [], "script": []}
    for kind, text in _INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        allowed[kind].append(f"'sha256-{digest}'")
    sources = "; ".join(f"{kind}-src {' '.join(hashes or [_NONE])}" for kind, hashes in allowed.items())
    return (
        "default-src 'none'; connect-src 'self'; img-src 'self' data:; media-src blob:; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors 'none'; {sources}"
    )


@cache
def _text(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")
