"""What lies below a root, be it a folder or in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from api.files import Place, locate, root_of, subfolders
from config.settings import Settings
from stores.buckets import Bucket
from stores.records import FileRef, Sample
from workers.errors import BucketAway, FileError, Vanished

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Places:
    """Where files may be: below folders, and in buckets of a store."""

    roots: Mapping[str, Path]
    buckets: Mapping[str, Bucket]

    @classmethod
    def of(cls, settings: Settings) -> Places:
        """Every library root there is."""
        return cls(settings.all_roots, {name: Bucket(where, settings.s3) for name, where in settings.buckets.items()})

    def available(self) -> dict[str, bool]:
        """Whether each root can be looked into now."""
        found = {name: path.is_dir() for name, path in self.roots.items()}
        return found | {name: bucket.available() for name, bucket in self.buckets.items()}

    def locate(self, root: str, path: str) -> Place:
        """Where `path` really is below a root: `api.files.locate`. An object, or a folder of some, is there.

        Raises
        ------
        NotFound
            There is no such root.
        Vanished, BucketAway, ...
        """
        bucket = self.buckets.get(root)
        if bucket is None:
            return locate(root_of(self.roots, root), path)
        if not path:
            return Place("", is_folder=True)
        try:
            bucket.look(path)
        except Vanished:
            if not bucket.is_folder(path):
                raise
            return Place(path, is_folder=True)
        return Place(path, is_folder=False)

    def folders(self, root: str, path: str, limit: int) -> tuple[list[str], bool]:
        """Names of the folders in a folder, sorted, and whether there are more than `limit`."""
        bucket = self.buckets.get(root)
        return subfolders(root_of(self.roots, root), path, limit) if bucket is None else bucket.folders(path, limit)

    def first(
        self, sample: Sample, on_disk: Callable[[Path, FileRef], T], in_bucket: Callable[[Bucket, FileRef], T]
    ) -> T:
        """What is made of the first of a sample's places that can be opened.

        Raises
        ------
        Vanished
            None can be, any more.
        BucketAway
            One of them may be, when its store is back.
        """
        away: BucketAway | None = None
        for file in sample.files:
            try:
                if file.root in self.roots:
                    return on_disk(self.roots[file.root], file)
                if file.root in self.buckets:
                    return in_bucket(self.buckets[file.root], file)
            except BucketAway as error:
                away = error
            except FileError:
                continue
        raise away or Vanished
