"""What is below a root and still not everybody's: other people's uploads, and this cluster's own folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from api.security import Caller
from config.settings import Settings
from workers.errors import OutsideRoot

UPLOADS: Final = "uploads"
"""The built-in root: ``<first two of the hash>/<hash>/<name>``."""
_OWNERS: Final = ".owners"
"""Beside the uploads: ``.owners/<owner>/<hash>/<name>``, an empty file for each upload of each owner. A walk never
enters a folder with a leading dot."""


class Belongings:
    """Whose an upload is. Equal content of several owners lies in one place, and only this says who sent it."""

    def __init__(self, uploads: Path) -> None:
        self._folder = uploads / _OWNERS

    def add(self, owner: str, sha256: str, name: str) -> None:
        """`owner` sent this content under this name. `OSError` where that cannot be written."""
        mark = self._of(owner) / sha256 / name
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()

    def sent(self, owner: str, sha256: str) -> bool:
        """Whether `owner` sent this content, under whatever name."""
        return os.path.isdir(self._of(owner) / sha256)

    def owns(self, owner: str, path: str) -> bool:
        """Whether `path` below the root `uploads` is a file that `owner` sent under that name."""
        first, _, rest = path.partition("/")
        sha256, _, name = rest.partition("/")
        return bool(name) and sha256[:2] == first and os.path.isfile(self._of(owner) / sha256 / name)

    def _of(self, owner: str) -> Path:
        # An owner's name may hold any character, a folder's may not.
        return self._folder / hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Fence:
    """Keeps callers out of what lies below a root and is not for them."""

    def __init__(self, settings: Settings) -> None:
        self._belongings = Belongings(settings.uploads_dir)
        self._inside = {
            name: inside for name, root in settings.folders.items() if (inside := _below(settings.data_dir, root))
        }

    def check(self, who: Caller, root: str, path: str) -> None:
        """`path`, which leads down from `root`, is for this caller.

        Raises
        ------
        OutsideRoot
            It is in the cluster's data folder, or an upload of somebody else, or a folder of everybody's uploads,
            asked for by somebody who may not see everybody's.
        """
        inside = self._inside.get(root)
        if inside is not None and f"{path}/".startswith(inside):
            raise OutsideRoot("The cluster's own data folder is no library.")
        if root == UPLOADS and who.sees is not None and not self._belongings.owns(who.owner, path):
            raise OutsideRoot("What is uploaded is private: name a file that you uploaded.")


def _below(data_dir: Path, root: Path) -> str | None:
    """The data folder as a path from `root` that ends with a slash; ``None`` where it is not below it."""
    folder, top = os.path.realpath(data_dir), os.path.realpath(root)
    if not folder.startswith(top.rstrip("/") + "/"):
        return None
    return os.path.relpath(folder, top) + "/"
