"""A worker process: its core, its thread caps, its warm kernels.

One process on one core: so nothing here starts a thread, and numpy and numba are imported only after their caps stand.
"""

from __future__ import annotations

import fcntl
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from config.environment import cap_threads, threads_capped, use_kernel_cache
from config.logging import get_logger
from config.settings import WorkerSettings
from workers.errors import ParameterError

_ROOT = Path("/")
_leases: list[int] = []
"""Descriptors of the cores that this process holds: the kernel lets go of them when it ends, however it ends."""
log = get_logger(__name__)


def prepare(worker: WorkerSettings) -> float:
    """Make this process a worker: thread caps, core, kernel cache, compiled kernels.

    Call first thing in the process, before anything imports numpy: its thread pool is as large as the caps say then.

    Returns
    -------
    seconds : float
        How long the kernels took to compile or to load.
    """
    if not threads_capped() and "numpy" in sys.modules:
        log.warning("thread_caps_too_late", hint="numpy was imported before the caps: it may use more than one core")
    cap_threads()
    use_kernel_cache()
    core = worker.core if worker.core is not None or worker.cores_dir is None else lease_core(worker.cores_dir)
    if core is not None:
        pin(core)
    from workers.kernels import warm  # imports numpy and numba: not before the caps

    return warm()


def pin(core: int) -> bool:
    """Bind this process, and the children it will have, to one core.

    Returns
    -------
    pinned : bool
        False, with a line in the log, where the system cannot (macOS) or `core` is not ours to use: a worker on any
        core is better than none.
    """
    if not hasattr(os, "sched_setaffinity"):
        log.warning("not_pinned", core=core, hint="this system cannot bind a process to a core")
        return False
    try:
        os.sched_setaffinity(0, {core})
    except (OSError, OverflowError, ValueError) as error:
        log.warning("not_pinned", core=core, hint=str(error), allowed=sorted(os.sched_getaffinity(0)))
        return False
    return True


def lease_core(folder: Path) -> int | None:
    """Take a core that no other process has which asks in the same folder, for as long as this process lives.

    So workers that know nothing of each other, containers of one machine, are each on a core of their own. A lock on a
    file, not its content, so that nothing is left behind by a process that is killed.

    Returns
    -------
    core : int or None
        The best that is free; ``None``, with a line in the log, where each has its worker or the folder is no use.
    """
    for core in allowed_cores():
        try:
            held = os.open(folder / f"core-{core}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.warning("no_core_leased", folder=str(folder), hint=str(error))
            return None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            continue
        _leases.append(held)
        return core
    log.warning("no_core_leased", hint="each core has its worker already: more workers than cores are no faster")
    return None


def choose_core(index: int) -> int:
    """The core for worker number `index` on this machine; more workers than cores go round again.

    Raises
    ------
    ParameterError
        If ``index < 0``.
    """
    if index < 0:
        raise ParameterError(f"a worker's number is 0 or more, not {index}")
    cores = physical_cores()
    return cores[index % len(cores)]


def physical_cores(root: Path = _ROOT) -> tuple[int, ...]:
    """The cores that are worth a worker each, best first.

    A container's CPU quota shortens the list: two workers' worth of time on sixteen cores are two cores.

    Parameters
    ----------
    root : Path
        Where ``/proc`` and ``/sys`` are, for tests.

    Returns
    -------
    cores : tuple of int
        At least one, as the kernel numbers them.
    """
    cores, quota = allowed_cores(root), cpu_quota(root)
    return cores[: max(1, math.ceil(quota))] if quota is not None else cores


def allowed_cores(root: Path = _ROOT) -> tuple[int, ...]:
    """Every core this process may run on: one thread of each physical core, then their siblings."""
    allowed = _allowed()
    first: list[int] = []
    siblings: list[int] = []
    seen: set[int] = set()
    for core in allowed:
        (siblings if core in seen else first).append(core)
        seen |= _siblings(core, root)
    return tuple(first + siblings)


def cpu_quota(root: Path = _ROOT) -> float | None:
    """How many cores' time this process's control group allows; ``None`` where it is not limited."""
    limits = [limit for limit in (*_quotas_v2(root), *_quotas_v1(root)) if limit is not None]
    return min(limits, default=None)


def _allowed() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _siblings(core: int, root: Path) -> set[int]:
    """The threads of the physical core that `core` is one of."""
    said = _text(root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    return _numbers(said) or {core}


def _numbers(said: str) -> set[int]:
    """Read a kernel's list: ``0-3,8,10-11``."""
    found: set[int] = set()
    for part in filter(None, said.strip().split(",")):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return found


def _quotas_v2(root: Path) -> Iterator[float | None]:
    """Limits of this group and of each above it, control groups version 2: ``max 100000`` or ``150000 100000``."""
    for base in (root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"):
        for folder in _groups(base, _group_path(root, "")):
            quota, _, period = _text(folder / "cpu.max").partition(" ")
            yield _cores(quota, period)


def _quotas_v1(root: Path) -> Iterator[float | None]:
    for base in (root / "sys/fs/cgroup/cpu", root / "sys/fs/cgroup/cpu,cpuacct"):
        for folder in _groups(base, _group_path(root, "cpu")):
            yield _cores(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _cores(quota: str, period: str) -> float | None:
    try:
        time, each = int(quota), int(period)
    except ValueError:  # "max", or no such file
        return None
    return time / each if time > 0 and each > 0 else None


def _groups(base: Path, path: str) -> Iterator[Path]:
    """The group's folder and those above it. In a container its own path may lead nowhere: then only `base` counts."""
    folder = base / path.strip("/")
    while folder != base:
        yield folder
        folder = folder.parent
    yield base


def _group_path(root: Path, controller: str) -> str:
    """The path of this process's group, from ``/proc/self/cgroup``."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
