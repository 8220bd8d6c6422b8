"""Names that travel: of tasks and of queues. Imports nothing, so that the gateway can send by name."""

from __future__ import annotations

from enum import StrEnum


class TaskName(StrEnum):
    """Every task there is."""

    SCAN = "samplemind.scan"
    """(job_id): walk a job's source for a slice of time."""
    ANALYZE = "samplemind.analyze"
    """(chunk_id): analyse the files of one chunk."""


class QueueName(StrEnum):
    """Every queue, in the order in which a worker looks at them."""

    INTERACTIVE = "interactive"
    SCAN = "scan"
    NORMAL = "normal"
    BULK = "bulk"
