"""Linux's Landlock: from here on this process opens only what lies in these folders, and only for reading.

Descriptors that are open already, or come over a socket later, are not touched by it. Needs no privilege and a kernel
from 5.13 on; newer ones also take away TCP (6.7), and signals and abstract sockets to other processes (6.12).
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION: Final = 1
_BENEATH: Final = 1

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_OF_FILES: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files each version knows; later ones as many as the last here."""
_TCP: Final = 0b11
"""Binding and connecting, from version 4 on."""
_SCOPES: Final = 0b11
"""Abstract sockets and signals, from version 6 on."""


def read_only_below(folders: Iterable[str]) -> int:
    """Restrict this process to reading below `folders`, for good.

    Returns
    -------
    version : int
        Of the interface that holds now; 0 where this system has none. Needs ``no_new_privs``.
    """
    call = ctypes.CDLL(None).syscall
    version = int(call(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION))
    if version < 1:
        return 0
    rights = (1 << _OF_FILES.get(version, 16)) - 1
    said = struct.pack("=QQQ", rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = int(call(_CREATE, said, ctypes.c_size_t(size), 0))
    if rules < 0:
        return 0
    try:
        for folder in folders:
            with suppress(FileNotFoundError):
                _allow(call, rules, folder)
        return version if call(_RESTRICT, rules, 0) == 0 else 0
    finally:
        os.close(rules)


def _allow(call: ctypes._NamedFuncPointer, rules: int, folder: str) -> None:
    place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _READ_FILE | (_READ_FOLDER if os.path.isdir(folder) else 0)
        call(_ADD_RULE, rules, _BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
