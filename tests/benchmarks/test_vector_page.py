"""The page about the vector says what the code does."""

from __future__ import annotations

from benchmarks.vector_page import PAGE, page, what
from workers.analysis.embedding import DIMENSIONS


def test_the_page_is_what_would_be_generated_now() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m benchmarks.vector_page"


def test_every_dimension_is_explained() -> None:
    assert all(what(dimension) for dimension in DIMENSIONS)
