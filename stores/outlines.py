"""As much of a sample as a map shows. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stores.records import FileRef, Outline


def outline(
    sample_id: str, file: FileRef | None, analysis: Mapping[str, Any], vector: bytes, space: int | None
) -> Outline:
    """As much of an analysis as a map shows; it may be no more than that."""
    return Outline(
        id=sample_id,
        name="" if file is None else file.path.rsplit("/", 1)[-1],
        kind=analysis["kind"]["label"],
        bpm=analysis.get("tempo", {}).get("bpm"),
        key=analysis.get("key", {}).get("label"),
        vector=vector,
        space=space,
    )
