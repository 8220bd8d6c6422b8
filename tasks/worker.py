"""Run one worker: ``python -m tasks.worker``. One process on one core, and its parent.

It becomes ``celery worker`` by ``exec``, so that the thread caps, SIGTERM's meaning and the core are in the
environment before any library looks.
"""

from __future__ import annotations

import os
import sys

from config.environment import THREAD_CAPS, child_environment
from config.settings import Settings, get_settings
from tasks.names import QueueName


def command(settings: Settings) -> list[str]:
    """The worker's command line."""
    return [
        *(sys.executable, "-m", "celery", "--quiet", "--app", "tasks.app", "worker"),
        *("--hostname", settings.worker.name or "worker@%h"),
        *("--queues", ",".join(name.value for name in QueueName)),
        *("--pool", "prefork", "--concurrency", "1"),
        # Workers need not know of each other: gossip is a message from each to each.
        *("--without-gossip", "--without-mingle"),
        *("--loglevel", settings.log.level),
    ]


def environment() -> dict[str, str]:
    """What the worker sees: our settings, one thread a library, and SIGTERM as "finish your chunk"."""
    return child_environment(None, REMAP_SIGTERM="SIGQUIT", **THREAD_CAPS)


def main() -> None:
    """Become a Celery worker."""
    settings = get_settings()
    line = command(settings)
    # On a machine that does everything, who asks must not wait until who analyses has had its time slice.
    os.nice(settings.worker.nice)
    os.execve(line[0], line, environment())


if __name__ == "__main__":
    main()
