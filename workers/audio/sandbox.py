"""What the decoder helper takes from itself before it reads a stranger's first byte.

Each measure is tried; what a system cannot is left out, and the helper says which hold (``python -m
workers.audio.sandbox`` says it for the machine it runs on). None needs a privilege but the network of its own, which
is a second wall: a container without any capability has the filter of system calls instead.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from workers.audio.landlock import read_only_below
from workers.audio.seccomp import refuse_calls

_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x4000_0000

_FILES = 64
_SPARE_CPU_S = 1
"""Beyond a file's deadline: the worker that waits for it is quicker, unless it was stopped itself."""

_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/proc/cpuinfo", "/sys/devices")


@dataclass(frozen=True, slots=True)
class Confinement:
    """Which measures hold."""

    no_new_privs: bool = False
    """Nothing it runs can gain a right."""
    own_network: bool = False
    """It is in a network of its own, with no interface that is up."""
    refused_calls: bool = False
    """No socket, no process, no signal to another: see `workers.audio.seccomp`."""
    landlock: int = 0
    """Version of Landlock; 0 where it may open what its user may."""

    @property
    def no_network(self) -> bool:
        """Whether it can reach nobody."""
        return self.own_network or self.refused_calls


def confine(address_space: int) -> Confinement:
    """Take from this process, for good, what a decoder does not need.

    Parameters
    ----------
    address_space : int
        Most memory it may map, in bytes.
    """
    if sys.platform != "linux":
        _limit(address_space)
        return Confinement()
    libc = ctypes.CDLL(None)
    own_network = libc.unshare(_CLONE_NEWNET) == 0
    no_new_privs = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    landlock = read_only_below({*_SYSTEM, *_of_python()})
    _limit(address_space)
    return Confinement(no_new_privs, own_network, refuse_calls(), landlock)


def allow_cpu(seconds: float) -> None:
    """Grant this process so much more processor time; then SIGXCPU ends it, even where nobody waits for it any more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime + seconds) + _SPARE_CPU_S
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))


def _limit(address_space: int) -> None:
    """Memory, files, other processes, core dumps."""
    limits = {
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _FILES,
    }
    if sys.platform == "linux":
        limits[resource.RLIMIT_NPROC] = 0
    for which, most in limits.items():
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(which, (most, most))


def _of_python() -> Iterator[str]:
    """Where the interpreter, this project and the two decoders lie; they are loaded when the first file needs them."""
    yield from (sys.prefix, sys.base_prefix, *filter(None, sys.path))
    for name in ("soundfile", "_soundfile_data", "av", "numpy"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            # Where packages are links into a store, the libraries beside them are there too.
            place = os.path.dirname(os.path.realpath(found.origin))
            yield place if found.submodule_search_locations is None else os.path.dirname(place)


def main() -> None:
    """Say which measures hold here, and what becomes of the first thing an intruder would try."""
    # Through a pipe: a confined process can write to no file, and standard output may be one.
    done = subprocess.run([sys.executable, "-c", _TRY], capture_output=True, text=True, check=True)
    print(done.stdout, end="")


_TRY = """
import json, socket
from dataclasses import asdict
from workers.audio.sandbox import confine
held = confine(1 << 31)
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    ended = "success"
except OSError as error:
    ended = error.strerror or str(error)
print(json.dumps({**asdict(held), "no_network": held.no_network, "connecting_ends_in": ended}))
"""


if __name__ == "__main__":
    main()
