"""What a user names, as a place below a library root: ``root:path``, or a path on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cli.errors import UsageError
from cli.found import Cluster
from config.buckets import SCHEME


@dataclass(frozen=True)
class Place:
    """A folder (or, by its pattern, a file) below a root."""

    root: str
    path: str
    pattern: str = "**/*"


_NAMED = re.compile(r"([A-Za-z0-9_-]{2,}):(.*)", re.DOTALL)


def place_of(given: str, cluster: Cluster, names: list[str], root: str | None = None) -> Place:
    """The place that `given` means.

    Parameters
    ----------
    given : str
        ``root:path``, a path on this machine below one of the roots of a cluster that runs here, or ``s3://...`` below
        one of its buckets.
    names : list of str
        The cluster's roots.
    root : str, optional
        With it `given` is a path below that root (absolute ones are taken as local).

    Raises
    ------
    UsageError
        It is below no root; the message says how to offer it.
    """
    if root is not None:
        _known(root, names)
        if not Path(given).is_absolute():
            return Place(root, _inside(given))
    elif given.startswith(SCHEME):
        return _in_bucket(given, cluster)
    elif (named := _NAMED.fullmatch(given)) and not Path(given).exists():
        _known(named[1], names)
        return Place(named[1], _inside(named[2]))
    local = Path(given).expanduser()
    if not local.exists():
        raise UsageError(
            f"{given} does not exist here; to name a folder of the server write ROOT:PATH ({_listed(names)})."
        )
    return _local(local.resolve(), cluster, names, root)


def _in_bucket(given: str, cluster: Cluster) -> Place:
    for name, where in cluster.buckets.items():
        if f"{given}/".startswith(f"{where}/"):
            return Place(name, _inside(given.removeprefix(where)))
    said = ", ".join(f"{name}={where}" for name, where in sorted(cluster.buckets.items()))
    raise UsageError(
        f"{given} is below no bucket of the cluster ({said or 'it has none'}). Start it with --root NAME={given} to "
        "offer it, or write ROOT:PATH."
    )


def _local(path: Path, cluster: Cluster, names: list[str], root: str | None) -> Place:
    if cluster.roots is None:
        raise UsageError(
            f"The cluster at {cluster.url} does not run on this data folder, so nobody knows where {path} is there; "
            f"write ROOT:PATH ({_listed(names)})."
        )
    offered = {name: folder.resolve() for name, folder in cluster.roots.items() if root in (None, name)}
    holding = [name for name, folder in offered.items() if path.is_relative_to(folder)]
    if not holding:
        raise UsageError(
            f"{path} is below no library root of the cluster ({_listed(names)}). Start it with "
            f"--root NAME=PATH to offer it: ./samplemind up --root library={path if path.is_dir() else path.parent}"
        )
    nearest = max(holding, key=lambda name: len(offered[name].parts))
    below = path.relative_to(offered[nearest])
    if path.is_dir():
        return Place(nearest, _inside(below.as_posix()))
    return Place(nearest, _inside(below.parent.as_posix()), literal(below.name))


def literal(name: str) -> str:
    """A pattern that matches exactly this name."""
    return "".join(f"[{letter}]" if letter in "*?[{}" else letter for letter in name)


def _inside(path: str) -> str:
    clean = path.strip("/")
    return "" if clean == "." else clean


def _known(root: str, names: list[str]) -> None:
    if root not in names:
        raise UsageError(f"The cluster has no library root {root!r} ({_listed(names)}).")


def _listed(names: list[str]) -> str:
    return "its roots: " + ", ".join(sorted(names)) if names else "it has no roots yet"
