"""What may be asked of a worker through the broker: how it is. Not to stop, to do something else, or to dump itself.

Flower needs no more, and whoever gets hold of Flower, or of its password for the broker, can do no more. Jobs are
cancelled at the gateway, workers stopped by who started them.
"""

from __future__ import annotations

from typing import Final

from celery.worker.control import Panel

ANSWERED: Final = frozenset(
    {
        "active",
        "active_queues",
        "clock",
        "conf",
        "dump_active",
        "dump_reserved",
        "dump_revoked",
        "dump_schedule",
        "heartbeat",
        "hello",
        "ping",
        "query_task",
        "registered",
        "report",
        "reserved",
        "revoked",
        "scheduled",
        "stats",
    }
)
"""Remote commands that a worker of ours answers."""


def only_look() -> None:
    """Forget every other remote command in this process; one that is unknown is logged and has no effect."""
    for name in set(Panel.data) - ANSWERED:
        del Panel.data[name]
