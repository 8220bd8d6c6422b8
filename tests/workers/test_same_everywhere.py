"""Workers of a fleet have different processors; what they say of a file has to be the same.

The kernels are compiled for the oldest processor of this architecture and for this one, and both are asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.warm import OLDEST
from tests.workers.analysis.sounds import as_frames, cadence, drum_loop, tone
from tests.workers.test_bad_input import analyze, rows, write

pytestmark = pytest.mark.slow

SHARE = 0.02
"""By how much a number may differ. They are rounded for print: the last digit may tip over."""
CONTRAST_DB = 1.0
"""In bands with nothing in them the contrast is that of rounding errors."""


def differences(here: Any, there: Any, name: str = "") -> list[str]:
    if isinstance(here, dict):
        return [found for key in here for found in differences(here[key], there[key], f"{name}.{key}")]
    if isinstance(here, list):
        assert len(here) == len(there), name
        return [found for one, other in zip(here, there, strict=True) for found in differences(one, other, name)]
    if isinstance(here, float) and isinstance(there, float):
        near = CONTRAST_DB if "contrast" in name else max(0.002, SHARE * abs(here))
        return [] if abs(here - there) <= near else [f"{name}: {here} and {there}"]
    return [] if here == there else [f"{name}: {here} and {there}"]


def test_an_old_processor_and_this_one_say_the_same(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "drums.wav", drum_loop(124, 8)),
        write(tmp_path / "chords.wav", cadence(9, "minor")),
        write(tmp_path / "note.wav", as_frames(tone(57, 1.0))),
    ]
    here, there = rows(analyze(paths, "-j", "1")), rows(analyze(paths, "-j", "1", **OLDEST))
    assert [row["status"] for row in here] == ["done"] * 3
    assert differences(here, there) == []
