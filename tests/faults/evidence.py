"""What is kept of a plant in which something went wrong: all logs, and what the ledger and the queues hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from redis import Redis

from tests.faults.plant import Plant

_ALL_BUT = {"files": 0, "rows": 0}
"""What makes a chunk large and says nothing of its state."""
_LONGEST_S = 5000


def keep(plant: Plant, folder: Path) -> None:
    """Copy the logs of a plant, and write down its jobs, open chunks and messages, before it is taken down."""
    folder.mkdir(parents=True, exist_ok=True)
    for log in plant.folder.rglob("*.log"):
        shutil.copy(log, folder / "-".join(log.relative_to(plant.folder).parts))
    state = {"ledger": _ledger(plant.servers["mongo"].url), "redis": _redis(plant.servers["redis"].url)}
    (folder / "state.json").write_text(json.dumps(state, indent=1, default=str))


def _ledger(url: str) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](url, socketTimeoutMS=_LONGEST_S, serverSelectionTimeoutMS=_LONGEST_S) as client:
        kept = client["samplemind"]
        return {
            "jobs": list(kept["jobs"].find({})),
            "open": list(kept["chunks"].find({"state": {"$ne": "done"}}, _ALL_BUT).limit(500)),
            "meta": list(kept["meta"].find({})),
            "parts": list(kept["parts"].find({})),
        }


def _redis(url: str) -> dict[str, Any]:
    with Redis.from_url(url, socket_timeout=_LONGEST_S / 1000, decode_responses=True) as redis:
        read = {"list": redis.llen, "hash": redis.hgetall, "zset": redis.zcard, "set": redis.smembers}
        return {key: read.get(redis.type(key), redis.type)(key) for key in redis.keys("*")}
