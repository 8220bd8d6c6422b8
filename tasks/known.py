"""Whether what is known of a content is what this process would find."""

from __future__ import annotations

from stores.identity import of_version
from workers.model import ANALYZER_VERSION


def is_current(sample_id: str) -> bool:
    """Whether the analyser of this process made it."""
    return of_version(sample_id, ANALYZER_VERSION) == sample_id
