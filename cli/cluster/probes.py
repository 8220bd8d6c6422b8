"""Asking a part whether it is ready. Each answers at once: a part that is starting refuses the connection."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

Probe = Callable[[], bool]

_TIMEOUT_S = 2.0
_OP_MSG = 2013
# {hello: 1, $db: "admin"} in BSON; pymongo would bring threads into the supervisor and 30 MB
_HELLO = b"\x10hello\x00\x01\x00\x00\x00" + b"\x02$db\x00\x06\x00\x00\x00admin\x00"
_PRIMARY = b"\x08isWritablePrimary\x00\x01"
# {find: "meta", limit: 1, $db: "samplemind"}: storage that gave up on a full disk still answers hello. A short one.
_FIND = b"\x02find\x00\x05\x00\x00\x00meta\x00\x10limit\x00\x01\x00\x00\x00\x02$db\x00\x0b\x00\x00\x00samplemind\x00"
_OK = b"\x01ok\x00\x00\x00\x00\x00\x00\x00\xf0\x3f"


def redis_ready(port: int, password: str) -> Probe:
    """PING answered, with the password, by a server that has loaded its data."""

    def probe() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as sock:
                sock.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2 and (more := sock.recv(512)):
                    reply += more
        except OSError:
            return False
        return reply == b"+OK\r\n+PONG\r\n"

    return probe


def mongo_ready(port: int) -> Probe:
    """``hello`` answered by a server that takes writes, and a query by its storage."""

    def probe() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as sock:
                return _PRIMARY in _answer(sock, _HELLO) and _OK in _answer(sock, _FIND)
        except OSError:
            return False

    return probe


def _answer(sock: socket.socket, fields: bytes) -> bytes:
    """The reply to a command, given as the fields of a BSON document; what came of it where the server hung up."""
    document = struct.pack("<i", len(fields) + 5) + fields + b"\x00"
    body = struct.pack("<iB", 0, 0) + document
    sock.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, _OP_MSG) + body)
    reply = b""
    while len(reply) < 4 or len(reply) < struct.unpack_from("<i", reply)[0]:
        more = sock.recv(4096)
        if not more:
            break
        reply += more
    return reply


def chroma_ready(port: int) -> Probe:
    """A write that changes nothing is answered, by a database that nobody holds locked.

    A disk that fills while Chroma compacts leaves its database locked until it is started again: it greets, counts and
    finds, and refuses each write at once. A full disk itself is waited for: starting Chroma again makes no room.
    """

    def probe() -> bool:
        there = json.dumps({"name": "default_tenant"}).encode()  # it is there already: refused, and only then
        answer = http_answer("127.0.0.1", port, "/api/v2/tenants", there)
        return answer is not None and b"database is locked" not in answer[1]

    return probe


def http_answer(host: str, port: int, path: str, posted: bytes | None = None) -> tuple[int, bytes] | None:
    """Status and body of a GET, or of a POST of some JSON; ``None`` where nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        if posted is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, posted, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(65536)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def http_ready(host: str, port: int, path: str, below: int = 300) -> Probe:
    """GET answers with a status under `below`."""

    def probe() -> bool:
        answer = http_answer(host, port, path)
        return answer is not None and answer[0] < below

    return probe


def why_not_ready(host: str, port: int) -> str:
    """What ``GET /ready`` says is missing, in a few words; empty when it answers 200."""
    answer = http_answer(host, port, "/ready")
    if answer is None:
        return "the gateway does not answer"
    status, body = answer
    if status == 200:
        return ""
    try:
        return _missing(json.loads(body)) or f"the gateway answers {status}"
    except ValueError:
        return f"the gateway answers {status}"


def _missing(said: Any) -> str:
    parts = said.get("parts") if isinstance(said, dict) else None
    if not isinstance(parts, dict):
        return str(said.get("detail") or "") if isinstance(said, dict) else ""
    waiting = {name: state for name, state in parts.items() if isinstance(state, dict) and not state.get("ok")}
    return "; ".join(f"{name}: {state.get('detail', 'not ready')}" for name, state in waiting.items())
