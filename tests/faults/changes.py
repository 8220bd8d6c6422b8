"""Changes to the product, by name: what the hook makes of its modules in the processes of a plant.

Imported by every process of a plant before anything else, so it imports nothing but the standard library.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

Change = Callable[[ModuleType], None]

FOLDER = "FAULT_FOLDER"
"""Names the folder in which the harness says what is to happen now."""
HOOK = Path(__file__).with_name("hook")

_changes: dict[str, list[tuple[str, Change]]] = {}


def changing(name: str, *modules: str) -> Callable[[Change], Change]:
    """Register a change under the name of the patch it is part of, for each module that it changes."""

    def register(change: Change) -> Change:
        _changes.setdefault(name, []).extend((module, change) for module in modules)
        return change

    return register


def changes_of(names: str) -> dict[str, list[Change]]:
    """The changes of some patches, by module; with them the one that hands the patches on to child processes."""
    from tests.faults import off, patches  # noqa: F401 - they register theirs

    found: dict[str, list[Change]] = {}
    for name in ("handed_on", *names.split(",")):
        for module, change in _changes[name]:
            found.setdefault(module, []).append(change)
    return found


def hooked(folder: Path, *names: str) -> dict[str, str]:
    """The environment in which a process, and all that it starts, is changed by these patches."""
    path = os.pathsep.join((str(HOOK), str(HOOK.parents[2])))
    return {"PYTHONPATH": path, "FAULT_PATCHES": ",".join(names), FOLDER: str(folder)}


def told(name: str) -> str:
    """What the harness says under a name now; nothing where it says nothing."""
    try:
        return (Path(os.environ[FOLDER]) / name).read_text()
    except FileNotFoundError:
        return ""


def is_off(safeguard: str) -> bool:
    """Whether the harness says that a safeguard is switched off now."""
    return (Path(os.environ[FOLDER]) / f"off-{safeguard}").exists()
