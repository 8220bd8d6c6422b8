"""Who asks, and what they may: API keys, scopes, owners; and a key-free door for people at this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from starlette.requests import HTTPConnection

from api.errors import Problem
from api.shared import Shared
from stores.doors import Keys

LOCAL_OWNER: Final = "local"
SCOPES: Final = ("read", "write", "admin")
_IMPLIED: Final[Mapping[str, frozenset[str]]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "admin": frozenset(SCOPES),
}
"""A wider scope holds the narrower ones."""

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXY_HEADERS: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_KNOWN_FOR_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    owner: str
    scopes: frozenset[str]
    key_id: str | None = None

    @property
    def name(self) -> str:
        """By what their open streams are counted: their key, or nobody's."""
        return self.key_id or self.owner

    @property
    def sees(self) -> str | None:
        """Whose jobs and samples they see: their own, or everybody's (``None``) with the admin scope."""
        return None if "admin" in self.scopes else self.owner


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    bare = host.strip("[]").split("%", 1)[0].lower()
    if bare in _LOOPBACK_NAMES:
        return True
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False


def secret_of(headers: Mapping[str, str]) -> str | None:
    """The key a request carries: `Authorization: Bearer sm_...` or `X-API-Key: sm_...`."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    return headers.get("x-api-key") or None


class Gate:
    """Lets callers in. Whether any key exists is remembered for about a second: asked for with every request.

    Parameters
    ----------
    keys : Keys
        The keys' door.
    host : str
        Where the gateway listens: only on loopback may anybody come in without a key.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, keys: Keys, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._loopback = is_loopback(host)
        self._clock = clock
        self._lock = threading.Lock()
        self._asking: Shared[bool] = Shared()
        self._exists = False
        self._asked_at = float("-inf")

    def keys_exist(self) -> bool:
        """Whether any key exists, at most a second old. `StoreUnavailable` where the ledger does not answer."""
        with self._lock:
            if self._clock() - self._asked_at < _KNOWN_FOR_S:
                return self._exists
        return self._asking.get("keys", self._ask)

    def _ask(self) -> bool:
        exists = self._keys.any()
        with self._lock:
            self._exists, self._asked_at = exists, self._clock()
        return exists

    def forget(self) -> None:
        """A key was made or revoked here: ask again."""
        with self._lock:
            self._asked_at = float("-inf")

    def admit(self, connection: HTTPConnection) -> Caller:
        """Who this request comes from.

        Raises
        ------
        Problem
            401 where a key is needed and none, or a wrong one, was sent.
        """
        secret = secret_of(connection.headers)
        if secret is None:
            if self._is_at_this_machine(connection) and not self.keys_exist():
                return Caller(LOCAL_OWNER, frozenset(SCOPES))
            raise _unauthorised("Send an API key: 'Authorization: Bearer sm_...' or 'X-API-Key: sm_...'.")
        key = self._keys.check(secret) if len(secret) <= 512 else None
        if key is None:
            raise _unauthorised("This API key is unknown, revoked or expired.")
        scopes = frozenset().union(*(_IMPLIED.get(scope, frozenset()) for scope in key.scopes))
        return Caller(key.owner, scopes, key.id)

    def _is_at_this_machine(self, connection: HTTPConnection) -> bool:
        """A request that a proxy on this machine passed on comes from loopback too, but not from here."""
        client = connection.client
        if not self._loopback or client is None or not is_loopback(client.host):
            return False
        return not any(name in connection.headers for name in _PROXY_HEADERS)


def demand(caller: Caller, scope: str) -> Caller:
    """The caller, if they have the scope; else a 403."""
    if scope not in caller.scopes:
        raise Problem(403, "missing_scope", f"This API key lacks the scope {scope!r}.", needed=scope)
    return caller


def _unauthorised(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="samplemind"'})
