"""What keeps a web page of somebody else's from using the gateway: Host, Origin, headers. CORS stays closed.

On loopback without a key the browser is the only door a stranger has: a page can send requests to 127.0.0.1, and
with DNS rebinding it can even read the answers. So the Host must be ours, and a write from another origin
is refused, as is anything that another site's page embeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem
from api.security import is_loopback
from config.settings import GatewaySettings

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
STRICT_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": STRICT_CSP,
}
HSTS: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Only where this gateway itself serves TLS; a proxy that does says it itself."""


class Hosts:
    """Which Host header values are ours."""

    def __init__(self, host: str, allowed: Iterable[str] = ()) -> None:
        self._names = {name.lower().rstrip(".") for name in (host, *allowed)}
        self._any = "*" in self._names
        self._wildcard = host in ("0.0.0.0", "::", "")

    def knows(self, header: str) -> bool:
        """Whether a Host header is one of ours; the port does not matter.

        An address cannot be rebound, only a name can: listening on every interface, any address will do.
        """
        name = bare_host(header)
        if name is None:
            return False
        if self._any or name in self._names or name == "localhost":
            return True
        if is_loopback(name):
            return True
        return self._wildcard and _is_address(name)


def bare_host(header: str) -> str | None:
    """The host of a Host header, in lower case and without its port; ``None`` where it is no host at all."""
    text = header.strip().lower()
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        port = port.removeprefix(":")
        if not bracket:
            return None
    else:
        name, _, port = text.partition(":")
    if not name or (port and not port.isdecimal()) or any(mark in name for mark in "/@\\ "):
        return None
    return name.rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Browser:
    """ASGI middleware: refuse strange hosts and foreign writes; put the security headers on every answer."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self.app = app
        self.hosts = Hosts(settings.host, settings.allowed_hosts)
        self.headers = {**HEADERS, **(HSTS if settings.tls_cert else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.hosts.knows(hosts[0]):
            return Problem(421, "unknown_host", "This gateway does not go by that name; see gateway.allowed_hosts.")
        if scope["method"] in _SAFE_METHODS:
            if _is_embedded(headers):
                return Problem(403, "foreign_origin", "Another site's page may not use this gateway.")
            return None
        if _is_foreign(headers, hosts[0]):
            return Problem(403, "foreign_origin", "Another site's page may not change anything here.")
        return None


def _is_embedded(headers: Headers) -> bool:
    """Whether another site's page asks for this, rather than a person who follows a link to it.

    It could not read the answer, but hear a sound play, measure how long it took, or open streams until none is left.
    """
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) != ("navigate", "document")


def _is_foreign(headers: Headers, host: str) -> bool:
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    _, scheme_mark, authority = origin.partition("://")
    return not scheme_mark or authority.lower() != host.strip().lower()
