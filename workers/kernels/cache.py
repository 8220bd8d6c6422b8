"""Where compiled kernels are kept on disk, and what is trusted of it.

numba keeps an index and machine code for each function, and takes what it finds: a file cut short by a full disk ends
the worker that loads it, at its start and at every start after that. So each file begins with the digest of the rest,
and one that does not match is as good as none: the kernel is compiled again and written over it. A folder that
cannot be written to costs the time to compile, no more.

(Whoever may write to that folder runs code in the workers: it belongs to their user alone.)
"""

from __future__ import annotations

import hashlib
import logging
import pickle
from pathlib import Path
from typing import Any, cast

from numba.core.caching import IndexDataCacheFile

log = logging.getLogger(__name__)

_DIGEST = hashlib.sha256
_DIGEST_SIZE = 32


class KernelFiles(cast(type, IndexDataCacheFile)):  # type: ignore[misc]  # numba is untyped
    """The files of one kernel, for one state of its sources."""

    def save(self, key: Any, data: Any) -> None:
        """Keep a compiled signature, if it can be kept."""
        try:
            super().save(key, data)
        except OSError as error:
            log.warning("a compiled kernel cannot be kept: %s", error)

    def load(self, key: Any) -> Any:
        """A compiled signature, or ``None``."""
        name = self._load_index().get(key)
        whole = None if name is None else self._checked(self._data_path(name))
        return None if whole is None else pickle.loads(whole)  # noqa: S301 - our own, and unchanged since

    def _load_index(self) -> dict[Any, str]:
        whole = self._checked(self._index_path)
        if whole is None:
            return {}
        stamp, overloads = pickle.loads(whole)  # noqa: S301 - our own, and unchanged since
        return overloads if stamp == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        with self._open_for_write(self._index_path) as file:
            file.write(_sealed(self._dump(((self._version, self._source_stamp), overloads))))

    def _save_data(self, name: str, data: Any) -> None:
        with self._open_for_write(self._data_path(name)) as file:
            file.write(_sealed(self._dump(data)))

    @staticmethod
    def _checked(path: str) -> bytes | None:
        try:
            found = Path(path).read_bytes()
        except OSError:
            return None
        digest, whole = found[:_DIGEST_SIZE], found[_DIGEST_SIZE:]
        if _DIGEST(whole).digest() != digest:
            log.warning("a kept kernel is damaged and is compiled again: %s", path)
            return None
        return whole


def _sealed(whole: bytes) -> bytes:
    return _DIGEST(whole).digest() + whole
