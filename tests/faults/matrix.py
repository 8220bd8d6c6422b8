"""Every scenario there is. Importing them is what puts them into the matrix."""

from __future__ import annotations

from tests.faults import (
    cache_faults,
    clock_faults,
    deploy_faults,
    disk_faults,
    link_faults,
    load_faults,
    many_kills,
    memory_faults,
    process_faults,
    reconciler_faults,
    request_faults,
)
from tests.faults.scenario import SCENARIOS

__all__ = [
    "SCENARIOS",
    "cache_faults",
    "clock_faults",
    "deploy_faults",
    "disk_faults",
    "link_faults",
    "load_faults",
    "many_kills",
    "memory_faults",
    "process_faults",
    "reconciler_faults",
    "request_faults",
]
