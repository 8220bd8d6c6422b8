"""Rendered material is what it says and the same each time, as far as its tools are here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.material import (
    classes,
    finish,
    grooves,
    harmony,
    kits,
    loops,
    midi_files,
    mix,
    one_shots,
    pulseless,
    synth,
)
from benchmarks.material.__main__ import collect, make_kind
from benchmarks.material.fonts import SR, MissingTools
from benchmarks.material.midi import Note, Part, Song, encode


@pytest.fixture(autouse=True)
def _nothing_but_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without fonts and kits."""

    def none(rng: np.random.Generator) -> None:
        raise MissingTools("none")

    monkeypatch.setattr(kits, "kits", lambda: ())
    monkeypatch.setattr("benchmarks.material.fonts.pick", none)


def _first(recipe: object, numbers: range) -> list[object]:
    made = []
    for n in numbers:
        try:
            made.append(recipe(n, np.random.default_rng([1, n]), 1))  # type: ignore[operator]
        except MissingTools:
            continue
    return made


@pytest.mark.parametrize(
    ("recipe", "count"), [(loops.make, 4), (one_shots.make, 6), (pulseless.make, 5), (classes.make, 14)]
)
def test_the_same_seed_makes_the_same_sound_and_the_same_row(recipe: object, count: int) -> None:
    first, second = _first(recipe, range(count)), _first(recipe, range(count))
    assert len(first) > 1
    for a, b in zip(first, second, strict=True):
        assert a.row == b.row
        np.testing.assert_array_equal(a.y, b.y)


def test_most_loops_are_as_long_as_their_beats() -> None:
    made = _first(loops.make, range(12))
    exact = [abs(beats - round(beats)) < 2e-4 for m in made for beats in [len(m.y) / SR * m.row.bpm / 60]]
    assert sum(exact) >= 0.7 * len(exact)


def test_a_midi_file_says_the_tempo_it_was_written_with() -> None:
    notes = [Note(n / 2, 0.4, 60 + n % 12) for n in range(64)]
    found = midi_files.examine("song", encode(Song([Part(notes), Part(notes, drums=True)], 117.0)))
    assert found is not None
    assert found.bpm == pytest.approx(117.0, abs=0.01)
    assert found.drums
    assert found.seconds == pytest.approx(31.5 * 60 / 117, abs=0.01)


def test_a_detuned_song_chooses_the_parameter_before_it_sets_it() -> None:
    data = encode(Song([Part([Note(0, 1, 60)])], 120.0, cents=40))
    order = [data.index(bytes(pair)) for pair in ((0xB0, 101, 0), (0xB0, 100, 1), (0xB0, 6), (0xB0, 38), (0x90, 60))]
    assert order == sorted(order)


def test_a_note_is_as_high_as_it_says() -> None:
    for wave in ("saw", "string", "organ", "sine"):
        patch = synth.Patch(wave, 0.01, 2.0, 0.1, 6.0, 0.0, 8.0, 0.0, 3)
        y = synth.tone(patch, 57, 1.0)
        peak = np.argmax(np.abs(np.fft.rfft(y[:SR]))[:2000])
        assert peak * SR / SR == pytest.approx(220, abs=2)


def test_every_pattern_has_as_many_steps_as_its_groove() -> None:
    for groove in grooves.GROOVES:
        assert groove.steps % groove.per_beat == 0
        for pattern in groove.patterns:
            assert {len(line) for line in pattern.values()} == {groove.steps}, groove.genre
            assert set(pattern) <= set(kits.CLASSES), groove.genre


def test_strokes_fall_where_the_pattern_says() -> None:
    strokes = grooves.hits(grooves.by_genre("trance"), 2, np.random.default_rng(0))
    kicks = {at for at, drum, _ in strokes if drum == "kick"}
    assert kicks == set(range(8))


def test_chords_belong_to_the_key_they_are_said_to_be_in() -> None:
    for mode, third in (("major", 4), ("minor", 3)):
        h = harmony.harmony(np.random.default_rng(0), 4, mode=mode, still=True)
        assert h.chord(0) == (h.tonic, (h.tonic + third) % 12, (h.tonic + 7) % 12)
        dominant = harmony.Harmony(h.tonic, mode, (4,), 4).chord(0)
        assert (h.tonic + 11) % 12 in dominant


def test_drums_are_placed_to_the_sample() -> None:
    click = np.ones((10, 2), np.float32)
    y = mix.drums([(1.0, "kick", 1.0)], {"kick": click}, 120, 2.0)
    assert int(np.flatnonzero(y[:, 0])[0]) == SR // 2


def test_what_is_written_is_as_long_as_the_row_says(tmp_path: Path) -> None:
    make_kind(tmp_path, "pulseless", 0, 5, 7)
    rows = collect(tmp_path, frozenset())
    assert sum(rows.values()) >= 2
    for line in (tmp_path / "labels.csv").read_text("utf-8").splitlines()[1:]:
        path, dur = line.split(",")[0], float(line.split(",")[9])
        assert soundfile.info(tmp_path / path).duration == pytest.approx(dur, abs=0.06)


def test_a_run_that_goes_on_makes_nothing_twice(tmp_path: Path) -> None:
    made = make_kind(tmp_path, "pulseless", 0, 3, 7)
    assert made >= 1
    assert make_kind(tmp_path, "pulseless", 0, 3, 7) == 0


def test_names_of_drums_say_their_role() -> None:
    names = {
        "Kick Long": "kick", "Snare Rimshot": "snare", "Side Stick": "rim", "Hat Open": "open", "Closed HH": "hat",
        "Hand Clap": "clap", "Crash": "crash", "Ride Bell": "ride", "Floor Tom": "tom", "Whistle": None,
    }  # fmt: skip
    assert {name: kits.role_of(name) for name in names} == names


def test_a_fade_ends_at_nothing() -> None:
    assert finish.fade(np.ones((1000, 2), np.float32), SR)[-1].max() == 0
