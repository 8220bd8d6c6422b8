"""What goes with a sound: by key, by tempo, by what its spectrum leaves free."""

from __future__ import annotations

from typing import Any

import pytest

from api.fitting import Tones, relate, stretched
from tests.api.gateway import Gateway, vector
from workers.model import TONICS, Key, Kind, Mode, Pitch, Tempo, camelot

NO_KEY = Key(None, None, None, None, 0.0, None, "no tonality")
NO_TEMPO = Tempo(None, 0.0, None, (), "a single sound has no tempo")


def key(tonic: str, mode: Mode) -> Key:
    return Key(tonic, mode, f"{tonic} {mode}", camelot(tonic, mode), 0.9, 0.0, None)


def tempo(bpm: float) -> Tempo:
    return Tempo(bpm, 0.9, 16, (), None)


def tones(text: str) -> Tones:
    tonic, _, mode = text.partition(" ")
    return Tones(TONICS.index(tonic), mode or None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "other", "most", "relation"),
    [
        ("C minor", "C minor", 0, ("same", 0)),
        ("C minor", "D# major", 0, ("relative", 0)),
        ("C minor", "G minor", 0, ("neighbour", 0)),
        ("C minor", "F minor", 0, ("neighbour", 0)),
        ("C minor", "C major", 0, None),
        ("C minor", "C# minor", 0, None),
        ("C minor", "C# minor", 1, ("same", -1)),
        ("C minor", "B minor", 1, ("same", 1)),
        ("A minor", "D# minor", 1, ("neighbour", 1)),
        ("C minor", "G#", 0, ("in scale", 0)),
        ("C minor", "A", 0, None),
        ("C minor", "A", 1, ("in scale", 1)),
        ("E", "C major", 0, ("in scale", 0)),
        ("E", "E", 0, ("same note", 0)),
        ("E", "B", 0, ("fifth", 0)),
        ("E", "F", 0, None),
    ],
)
def test_keys_and_notes_stand_to_each_other_by_the_fewest_semitones(
    source: str, other: str, most: int, relation: tuple[str, int] | None
) -> None:
    assert relate(tones(source), tones(other), most) == relation


@pytest.mark.parametrize(
    ("source", "other", "percent", "times"),
    [(120, 120, 0, 1), (120, 60, 0, 0.5), (120, 240, 0, 2), (126, 120, 5, 1), (120, 125, -4, 1), (174, 84, 3.571, 0.5)],
)
def test_a_tempo_is_stretched_the_least_also_at_half_and_double_time(
    source: float, other: float, percent: float, times: float
) -> None:
    found, at = stretched(source, other)
    assert (found, at) == (pytest.approx(percent, abs=1e-3), times)


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    def loop(name: str, bpm: float, tonic: str, mode: Mode, *spectrum: float) -> None:
        gateway.sample(name, tempo=tempo(bpm), key=key(tonic, mode), vector=vector(spectrum=spectrum, timbre=[1]))

    loop("here.wav", 120, "C", "minor", 1, 0)
    loop("same.wav", 120, "C", "minor", 1, 0)
    loop("fills.wav", 120, "C", "minor", -1, 0)
    loop("beside.wav", 63, "G", "minor", 0, 1)
    loop("up two.wav", 118, "A#", "minor", 0, 1)
    loop("too fast.wav", 135, "C", "minor", -1, 0)
    loop("far.wav", 120, "F#", "minor", -1, 0)
    drum = vector(spectrum=[-1, 1])
    gateway.sample("drum.wav", kind=Kind("one-shot", 0.9), tempo=NO_TEMPO, key=NO_KEY, vector=drum)
    note = Pitch("D#2", 39, 77.8, 0.0, 0.9, None)
    bass = vector(spectrum=[0, -1])
    gateway.sample("bass.wav", kind=Kind("one-shot", 0.9), tempo=NO_TEMPO, key=NO_KEY, pitch=note, vector=bass)
    gateway.index()
    return gateway


def fits(gateway: Gateway, name: str = "here.wav", **more: Any) -> dict[str, dict[str, Any]]:
    listed = gateway.client.get("/v1/samples?limit=100").json()["items"]
    here = next(item["sample_id"] for item in listed if item["files"][0]["path"] == name)
    answer = gateway.client.post("/v1/search", json={"like": {"sample": here}, "fits": True, **more})
    assert answer.status_code == 200, answer.text
    return {hit["sample"]["files"][0]["path"]: hit for hit in answer.json()["items"]}


def test_what_fits_is_in_key_in_time_and_where_the_spectrum_is_free(library: Gateway) -> None:
    found = fits(library, fits={"transpose": 2})
    assert next(iter(found)) == "fills.wav"
    assert set(found) == {"fills.wav", "same.wav", "beside.wav", "up two.wav", "drum.wav", "bass.wav", "far.wav"}
    assert found["fills.wav"]["fits"] == {
        "key": {"relation": "same", "transpose": 0},
        "tempo": {"stretch_percent": 0.0, "times": 1.0},
        "complement": 1.0,
        "why": "also in C minor; in time; 100 % opposite in spectrum",
    }
    assert found["beside.wav"]["fits"]["key"] == {"relation": "neighbour", "transpose": 0}
    assert found["beside.wav"]["fits"]["tempo"] == {"stretch_percent": -4.76, "times": 0.5}
    assert found["beside.wav"]["fits"]["why"] == (
        "G minor stands beside C minor on the Camelot wheel; at half time if played 4.8 % slower; "
        "50 % opposite in spectrum"
    )
    assert found["bass.wav"]["fits"]["key"] == {"relation": "in scale", "transpose": 0}
    assert found["drum.wav"]["fits"]["why"].startswith("no key to clash; no tempo to keep; ")
    assert found["drum.wav"]["fits"]["tempo"] == {"stretch_percent": None, "times": None}
    assert found["far.wav"]["fits"]["key"]["transpose"] in (-1, 1)


def test_the_score_is_the_sum_of_what_key_tempo_and_spectrum_bring(library: Gateway) -> None:
    found = fits(library)
    assert found["same.wav"]["shares"] == {"key": 0.3333, "tempo": 0.3333, "spectrum": 0.0}
    assert found["drum.wav"]["shares"] == {"spectrum": found["drum.wav"]["score"]}
    for hit in found.values():
        assert hit["score"] == pytest.approx(sum(hit["shares"].values()), abs=1e-12)
    scores = [hit["score"] for hit in found.values()]
    assert scores == sorted(scores, reverse=True)


def test_how_far_a_sound_may_be_bent_can_be_said(library: Gateway) -> None:
    strict = fits(library, fits={"transpose": 0, "stretch_percent": 0})
    assert set(strict) == {"fills.wav", "same.wav", "drum.wav", "bass.wav"}
    loose = fits(library, fits={"transpose": 0, "stretch_percent": 13})
    assert set(loose) == {*strict, "too fast.wav", "beside.wav"}


def test_it_goes_with_filters_and_with_different_ones(library: Gateway) -> None:
    assert set(fits(library, where={"kind": "one-shot"})) == {"drum.wav", "bass.wav"}
    assert set(fits(library, where={"bpm": [119, 121]}, limit=1)) == {"fills.wav"}
    assert len(fits(library, different=True, limit=3)) == 3


def test_corrections_count_in_place_of_what_was_measured(library: Gateway) -> None:
    listed = library.client.get("/v1/samples?limit=100").json()["items"]
    ids = {item["files"][0]["path"]: item["sample_id"] for item in listed}
    library.client.put(f"/v1/samples/{ids['too fast.wav']}/mark", json={"bpm": 60})
    library.client.put(f"/v1/samples/{ids['same.wav']}/mark", json={"key": "F# minor"})
    found = fits(library, fits={"transpose": 0})
    assert "same.wav" not in found
    assert found["too fast.wav"]["fits"]["tempo"] == {"stretch_percent": 0.0, "times": 0.5}
