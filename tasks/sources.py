"""What a job's source gives: the files of a folder, or those of samples that an older analyser made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from stores.buckets import Bucket
from stores.doors import Samples
from stores.records import FileRef, FolderSource, Sample, SamplesSource, Source
from tasks.listing import listed
from tasks.pattern import compile_pattern
from tasks.walk import Entries, identity, raw_path, walk
from workers.errors import NotFound

_PAGE: Final = 200


def entries(
    source: Source,
    roots: Mapping[str, Path],
    buckets: Mapping[str, Bucket],
    samples: Samples,
    after: FileRef | None,
) -> Entries:
    """Every file of a source behind `after`, in one order, and ``None`` now and then: a moment to look at the clock.

    Raises
    ------
    NotFound, OutsideRoot, Unreadable, BadPattern, BucketMissing, AccessRefused
        The folder itself cannot be walked.
    BucketAway
        The bucket it is in cannot be listed now.
    """
    if isinstance(source, SamplesSource):
        return _remade(source, roots, buckets, samples, after)
    if source.root in buckets:
        return listed(source.root, buckets[source.root], source, compile_pattern(source.pattern), after)
    return _walked(source, roots, after)


def _walked(source: FolderSource, roots: Mapping[str, Path], after: FileRef | None) -> Entries:
    if source.root not in roots:
        raise NotFound(f"There is no library root {source.root!r} here.")
    # The data folder may lie below a root: everybody's uploads and the cluster's secrets are no library.
    skip = identity(roots["uploads"].parent) if "uploads" in roots else frozenset()
    yield from walk(source.root, roots[source.root], source, compile_pattern(source.pattern), after, skip)


def _remade(
    source: SamplesSource,
    roots: Mapping[str, Path],
    buckets: Mapping[str, Bucket],
    samples: Samples,
    after: FileRef | None,
) -> Entries:
    last = (after.known if after else None) or ""
    while True:
        yield None
        page = samples.outdated(source.analyzer, owner=source.owner, after=last, limit=_PAGE)
        for sample in page:
            if sample.files:
                yield replace(_best_place(sample, roots, buckets), known=sample.id)
        if len(page) < _PAGE:
            return
        last = page[-1].id


def _best_place(sample: Sample, roots: Mapping[str, Path], buckets: Mapping[str, Bucket]) -> FileRef:
    """Where the content most likely still is: one of its places that is there, and as long as it was."""
    # A bucket is not asked of each: whoever fetches the object finds out.
    seen = [file if file.root in buckets else _seen(file, roots) for file in sample.files]
    there = [found for found in seen if found is not None]
    sizes = {file.size for file in sample.files if file.size >= 0}
    return next((file for file in there if file.size in sizes), there[0] if there else sample.files[0])


def _seen(file: FileRef, roots: Mapping[str, Path]) -> FileRef | None:
    """The file as it is now; whether it may be opened is found out by whoever opens it."""
    if file.root not in roots:
        return None
    try:
        now = os.stat(os.path.join(os.fsencode(roots[file.root]), raw_path(file)))
    except OSError:
        return None
    return replace(file, size=now.st_size, mtime_ns=now.st_mtime_ns)
