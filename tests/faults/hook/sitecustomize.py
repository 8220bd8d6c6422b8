"""Read by every Python process of a plant, because this folder is first on its path: lets faults into the product.

``FAULT_PATCHES`` names changes of `tests.faults.patches` and `tests.faults.off`; each is made as soon as its
module was imported.
Without the variable nothing happens. The product knows nothing of it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Change = Callable[[ModuleType], None]


class _Changed(importlib.abc.Loader):
    """Loads a module as its own loader does, and then changes it."""

    def __init__(self, real: importlib.abc.Loader, changes: list[Change]) -> None:
        self._real, self._changes = real, changes

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        for change in self._changes:
            change(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that are to be changed."""

    def __init__(self, changes: dict[str, list[Change]]) -> None:
        self._changes = changes

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self._changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Changed(spec.loader, self._changes[name])
        return spec


if os.environ.get("FAULT_PATCHES"):
    from tests.faults.changes import changes_of

    sys.meta_path.insert(0, _Finder(changes_of(os.environ["FAULT_PATCHES"])))
