"""Processes of a second analyser: the same code, which calls itself newer and its vectors of another space."""

from __future__ import annotations

import os
from pathlib import Path

from tests.servers import PROJECT

NEWER = "9.0.0"
SPACE = 99
_HOOK = f"""
import os
try:
    import config.environment, workers.model
except ImportError:
    pass
else:
    config.environment._PROJECT = os.environ["PYTHONPATH"]  # what it hands on to its children
    workers.model.ANALYZER_VERSION = {NEWER!r}
    workers.model.VECTOR_VERSION = {SPACE}
    workers.model.sample_id.__defaults__ = ("0", {NEWER!r})
"""


def python_path(folder: Path) -> str:
    """The PYTHONPATH of a process that is to be of the second version; `folder` must stay while it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_HOOK)
    return os.pathsep.join((str(folder), str(PROJECT)))
