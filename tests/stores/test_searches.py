"""Contract of the saved searches: questions kept by a name. On the twin and on a real server."""

from __future__ import annotations

import pytest

from stores import searches as searches_module
from stores.memory import searches as memory_searches_module
from tests.stores.conftest import Bench
from workers.errors import NotFound, TooManySearches

LOUD = {"query": {"range": ["loudness.integrated_lufs:-20..-10"]}}
LIKE = {"search": {"like": {"sample": "a"}, "where": {"range": {"loudness.integrated_lufs": [-20, None], "$x": "é"}}}}


def test_a_question_comes_back_as_it_was_and_the_last_of_a_name_counts(bench: Bench) -> None:
    searches = bench.stores.searches
    searches.put("ada", "night drives", LOUD)
    kept = searches.put("ada", "night drives", LIKE)
    found = searches.get("ada", "night drives")
    assert (found.name, found.asked) == (kept.name, kept.asked) == ("night drives", LIKE)
    searches.put("ada", "Z", LOUD)
    assert [each.name for each in searches.list("ada")] == ["Z", "night drives"]
    searches.remove("ada", "Z")
    assert [each.name for each in searches.list("ada")] == ["night drives"]
    with pytest.raises(NotFound):
        searches.remove("ada", "Z")


def test_an_owner_has_none_of_anothers(bench: Bench) -> None:
    searches = bench.stores.searches
    searches.put("ada", '", "b', LOUD)
    searches.put('ada", "', "b", LIKE)
    assert searches.get("ada", '", "b').asked == LOUD
    assert searches.list("bob") == []
    for ask in (searches.get, searches.remove):
        with pytest.raises(NotFound):
            ask("bob", "b")


def test_they_have_a_bound(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (searches_module, memory_searches_module):
        monkeypatch.setattr(module, "MOST", 2)
    searches = bench.stores.searches
    for name in ("a", "b", "b"):
        searches.put("ada", name, LOUD)
    with pytest.raises(TooManySearches):
        searches.put("ada", "c", LOUD)
    searches.put("bob", "c", LOUD)
