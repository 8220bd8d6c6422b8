"""``ROOT:PATH``: a file as the cluster names it, found on this machine."""

from __future__ import annotations

import os
import re

from cli.errors import UsageError

_NAMED = re.compile(r"([A-Za-z0-9_-]{2,}):(.+)", re.DOTALL)


def local_path(name: str) -> str:
    """The path that `name` means here: its own, unless there is none, and a library root of that name is known.

    Raises
    ------
    UsageError
        It lies in a bucket: no program of this machine opens or changes it there.
    """
    named = None if os.path.lexists(name) else _NAMED.fullmatch(name)
    if named:
        _refuse_bucket(named[1])
    folder = _roots().get(named[1]) if named else None
    return name if named is None or folder is None else os.path.join(folder, named[2].lstrip("/"))


def _refuse_bucket(root: str) -> None:
    from cli.found import find_cluster

    where = "s3://" if root == "s3" else find_cluster().buckets.get(root)
    if where:
        raise UsageError(
            f"{root} is in a bucket ({where}): nothing is written there, and files are opened there by the cluster "
            "only. Submit it with ./samplemind submit, or copy the files here first."
        )


def _roots() -> dict[str, str]:
    """The roots in the settings, and those of the cluster that runs on the data folder."""
    from cli.found import find_cluster, load_settings

    known = {name: str(path) for name, path in load_settings().all_roots.items()}
    return known | {name: str(path) for name, path in (find_cluster().roots or {}).items()}
