from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.found import Cluster
from cli.place import Place, literal, place_of
from tasks.pattern import compile_pattern


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "library" / "drums" / "kicks").mkdir(parents=True)
    (tmp_path / "library" / "drums" / "a [1] {x}?.wav").touch()
    return tmp_path / "library"


@pytest.fixture
def here(library: Path) -> Cluster:
    return Cluster("http://127.0.0.1:8000", roots={"library": library, "kicks": library / "drums" / "kicks"})


NAMES = ["library", "kicks", "uploads"]


def test_a_local_folder_is_found_below_its_root(here: Cluster, library: Path) -> None:
    assert place_of(str(library / "drums"), here, NAMES) == Place("library", "drums")
    assert place_of(str(library), here, NAMES) == Place("library", "")


def test_the_nearest_root_is_meant(here: Cluster, library: Path) -> None:
    assert place_of(str(library / "drums" / "kicks"), here, NAMES) == Place("kicks", "")
    assert place_of(str(library / "drums" / "kicks"), here, NAMES, "library") == Place("library", "drums/kicks")


def test_a_single_file_becomes_a_pattern_that_matches_it_alone(here: Cluster, library: Path) -> None:
    name = "a [1] {x}?.wav"
    place = place_of(str(library / "drums" / name), here, NAMES)
    assert (place.root, place.path) == ("library", "drums")
    pattern = compile_pattern(place.pattern)
    assert pattern.accepts(pattern.step(pattern.start(), name))
    assert not pattern.accepts(pattern.step(pattern.start(), "a 1 {x}y.wav"))
    assert literal("plain.wav") == "plain.wav"


def test_a_root_and_a_path_of_the_server_need_not_exist_here() -> None:
    far = Cluster("http://studio:8000")
    assert place_of("library:drums/kicks/", far, NAMES) == Place("library", "drums/kicks")
    assert place_of("library:", far, NAMES) == Place("library", "")
    assert place_of("drums", far, NAMES, "library") == Place("library", "drums")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere:drums", "no library root 'nowhere'"),
        ("/no/such/place", "does not exist here"),
        ("/", "--root NAME=PATH"),
    ],
)
def test_a_place_that_cannot_be_meant_is_explained(here: Cluster, given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        place_of(given, here, NAMES)


def test_a_local_path_means_nothing_to_a_cluster_elsewhere(library: Path) -> None:
    with pytest.raises(UsageError, match="ROOT:PATH"):
        place_of(str(library), Cluster("http://studio:8000"), NAMES)
