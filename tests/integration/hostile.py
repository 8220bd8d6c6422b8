"""Messages that somebody who can write to the broker might leave in a queue."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any
from uuid import uuid4


class _Boom:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


def envelope(task: object, args: object, **changes: Any) -> dict[str, Any]:
    """A message as kombu writes it into Redis, with whatever `changes` says of its body and headers."""
    body = changes.pop("body", None)
    if body is None:
        body = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()
    name = str(uuid4())
    headers = {"lang": "py", "task": task, "id": name, "root_id": name, "parent_id": None, "group": None}
    properties = {
        "correlation_id": name,
        "reply_to": str(uuid4()),
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": "normal"},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
    }
    message = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {**headers, **changes.pop("headers", {})},
        "properties": {**properties, **changes.pop("properties", {})},
    }
    return {**message, **changes}


def messages(trap: Path) -> dict[str, bytes]:
    """What it is -> the bytes. `trap` is made if any of them is unpickled, or loaded as YAML."""
    analyze = "samplemind.analyze"
    pickled = pickle.dumps(_Boom(trap))
    yaml = f"!!python/object/apply:open ['{trap}', 'w']".encode()
    odd: dict[str, Any] = {
        "pickle": envelope(analyze, [], body=pickled, **{"content-type": "application/x-python-serialize"}),
        "pickle said to be data": envelope(
            analyze, [], body=pickled, **{"content-type": "application/data", "content-encoding": "binary"}
        ),
        "pickle said to be JSON": envelope(analyze, [], body=pickled),
        "YAML": envelope(analyze, [], body=yaml, **{"content-type": "application/x-yaml"}),
        "no such content type": envelope(analyze, [], **{"content-type": "application/x-nothing"}),
        "no such encoding": envelope(analyze, ["x"], **{"content-encoding": "no-such-encoding"}),
        "a foreign task": envelope("os.system", ["touch", str(trap)]),
        "one of Celery's own": envelope("celery.backend_cleanup", []),
        "a task with a list for a name": envelope(["samplemind.analyze"], []),
        "a huge argument": envelope(analyze, ["x" * 600_000]),
        "ten thousand arguments": envelope(analyze, list(range(10_000))),
        "no argument": envelope(analyze, []),
        "an operator for an argument": envelope(analyze, [{"$gt": ""}]),
        "a path for a chunk": envelope(analyze, ["../../etc/passwd"]),
        "a scan of an operator": envelope("samplemind.scan", [{"$where": "1"}]),
        "arguments that are a mapping": envelope(analyze, {"a": 1}),
        "a time in the year 9999": envelope(analyze, ["x"], headers={"eta": "9999-01-01T00:00:00"}),
        "a time limit that is a word": envelope(analyze, ["x"], headers={"timelimit": ["a", "b"]}),
        "retries without an end": envelope(analyze, ["x"], headers={"retries": "many"}),
        "an answer wanted elsewhere": envelope(analyze, ["x"], properties={"reply_to": "elsewhere"}),
        "a chain behind it": envelope(
            analyze, [], body=json.dumps([["x"], {}, {"chain": [{"task": "os.system", "args": []}]}]).encode()
        ),
        "a callback behind it": envelope(
            analyze, [], body=json.dumps([["x"], {}, {"callbacks": [{"task": "os.system"}]}]).encode()
        ),
        "a body that is no base64": envelope(analyze, []) | {"body": "!!!"},
        "another body encoding": envelope(analyze, [], properties={"body_encoding": "no-such"}),
        "no properties": {"body": "", "headers": {}},
        "properties without an address": envelope(analyze, []) | {"properties": {}},
        "an empty object": {},
        "a list": [],
        "a number": 1,
        "nothing": None,
    }
    raw = {
        "plain bytes": b"\x00\xff\xfe not a message",
        "plain pickle": pickled,
        "no text": b"",
        "deep JSON": b"[" * 100_000,
        "half of JSON": b'{"body": ',
    }
    return {**{name: json.dumps(said).encode() for name, said in odd.items()}, **raw}
