"""A filter of system calls that a process puts on itself for good: no new socket, no process, no signal to others.

Plain Linux, with no library and no privilege: a few dozen instructions of BPF handed to ``prctl``. What is refused
fails with EPERM, so that a decoder that only asks by accident goes on. It names what is refused rather than what is
allowed: the interpreter and two decoders are too large for a list of their calls that outlives their next update.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2

_ALLOW: Final = 0x7FFF_0000
_REFUSE: Final = 0x0005_0000
_KILL: Final = 0x8000_0000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16

_ARCHITECTURES: Final = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
_X32_FROM: Final = 0x4000_0000
"""x86-64 has each call a second time from here on, for programs with short pointers: nobody needs them."""

_REFUSED: Final[dict[str, tuple[int, int]]] = {
    # the network, and every other way to another process
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # processes: making them, looking into them, ending them
    "execve": (59, 221),
    "execveat": (322, 281),
    "clone": (56, 220),
    "fork": (57, -1),
    "vfork": (58, -1),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    # the kernel's own doors
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "unshare": (272, 97),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "open_by_handle_at": (304, 265),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "capset": (126, 91),
}
_CLONE3: Final = 435
"""Said not to exist, so that the C library asks for `clone` instead, which is refused."""
_TGKILL: Final = (234, 131)
"""Allowed to oneself only: it is how `abort` says what went wrong."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_calls() -> bool:
    """Put the filter on this process. False where the system or the processor has none; needs ``no_new_privs``."""
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    code = _filter(*known, os.getpid())
    program = _Program(len(code) // 8, code)
    return bool(ctypes.CDLL(None).prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _filter(architecture: int, column: int, pid: int) -> bytes:
    """The instructions. A jump skips as many as it says: ``(code, if so, if not, operand)``."""
    refuse = (_RETURN, 0, 0, _REFUSE | errno.EPERM)
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
        (_EQUAL, 0, 4, _TGKILL[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_EQUAL, 0, 1, pid),
        (_RETURN, 0, 0, _ALLOW),
        refuse,
    ]
    if column == 0:
        code += [(_AT_LEAST, 0, 1, _X32_FROM), refuse]
    for numbers in _REFUSED.values():
        if numbers[column] >= 0:
            code += [(_EQUAL, 0, 1, numbers[column]), refuse]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
