"""Walk a bucket as a folder is walked: every object once, in one order, from wherever the last walk stopped.

A store lists keys by their bytes, a thousand at a time, so ten million need no more memory than one page. Its "folders"
are what stands before a slash in a key: not given are, as on a disk, names with a leading dot and what a system leaves
behind, also where a folder is called so; and the empty objects that end in a slash, with which some programs make a
folder. A key may hold what no disk allows (``a//b.wav``): it is taken as it is.
"""

from __future__ import annotations

from typing import Final

from stores.buckets import Bucket, Thing
from stores.records import FileRef, FolderSource
from tasks.pattern import Pattern, States
from tasks.walk import Entries, raw_path, submitted
from workers.errors import NotFound
from workers.naming import named

_NONE: Final[States] = frozenset()


def listed(root: str, bucket: Bucket, source: FolderSource, pattern: Pattern, after: FileRef | None) -> Entries:
    """Every object of a source behind `after`, in order, and ``None`` now and then: a moment to look at the clock.

    Raises
    ------
    NotFound
        There is no object below the source's folder.
    BucketMissing, AccessRefused, Unreadable, BucketAway
        The bucket cannot be listed.
    """
    folder = source.path.strip("/")
    below = len(folder) + 1 if folder else 0
    names = _Names(pattern)
    empty = after is None
    for page in bucket.pages(folder, None if after is None else raw_path(after).decode()):
        if page is None:
            yield None
            continue
        empty = empty and not page
        if empty and folder:
            raise NotFound("The folder is not there: no object of the bucket lies below it.")
        for thing in page:
            if names.accept(thing.path[below:]) and (thing.size or not thing.path.endswith("/")):
                yield _file(root, thing)


class _Names:
    """Which objects are meant. The folder of the last one is remembered: its neighbours lie there too."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._folder: str | None = None
        self._states: States = _NONE

    def accept(self, path: str) -> bool:
        """Whether the object at `path` below the source is meant and no file of a system's."""
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._folder, self._states = folder, self._into(folder)
        if not self._states or not submitted(name.encode()):
            return False
        return self._pattern.accepts(self._pattern.step(self._states, name))

    def _into(self, folder: str) -> States:
        states = self._pattern.start()
        for name in folder.split("/") if folder else ():
            states = self._pattern.step(states, name) if submitted(name.encode()) else _NONE
        return states


def _file(root: str, thing: Thing) -> FileRef:
    return FileRef(root, *named(thing.path.encode()), thing.size, thing.mtime_ns, etag=thing.etag)
