"""Key: what a transposed, a tuned and a sung sound have."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workers.analysis.sounds import as_frames, cadence, drum_loop, info_of, tone
from workers.analysis import analyze, key
from workers.analysis.chords import ROOT, SHARP, SMOOTH, TRIADS
from workers.analysis.mono import Mono, to_mono
from workers.audio.hints import Hints
from workers.kernels.triads import weigh_chords
from workers.model import TONICS, camelot, open_key


def _chroma(tonic: int, mode: str) -> key.Chroma:
    return key.measure_chroma(to_mono(cadence(tonic, mode), 44100))


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("up", [1, 5, 11])
def test_a_transposed_cadence_rotates_its_chroma_and_moves_its_tonic(mode: str, up: int) -> None:
    low, high = _chroma(0, mode), _chroma(up, mode)
    turned = np.roll(low.whole, up)
    assert np.corrcoef(turned, high.whole)[0, 1] > 0.98
    here, there = key.estimate_key(low), key.estimate_key(high)
    assert (here.tonic, here.mode) == ("C", mode)
    assert (there.tonic, there.mode) == (TONICS[up], mode)


def test_rotated_chroma_rotates_every_score() -> None:
    chroma = _chroma(4, "minor")
    turned = key.Chroma(
        np.roll(chroma.whole, 3),
        chroma.tuning_cents,
        chroma.tonalness,
        chroma.register,
        np.roll(chroma.frames, 3, axis=0),
        np.roll(chroma.bass, 3, axis=0),
        np.roll(chroma.chords.reshape(-1, 2, 12), 3, axis=2).reshape(-1, 24),
    )
    here, there = key.describe(chroma), key.describe(turned)
    assert there.reshape(2, 12, -1) == pytest.approx(np.roll(here.reshape(2, 12, -1), 3, axis=1))


@pytest.mark.parametrize(
    ("tonic", "mode", "name"),
    [("C", "major", "1d"), ("A", "minor", "1m"), ("C", "minor", "10m"), ("F#", "major", "7d")],
)
def test_open_key_names(tonic: str, mode: str, name: str) -> None:
    assert open_key(tonic, mode) == name  # type: ignore[arg-type]


def test_open_key_and_camelot_turn_together() -> None:
    for mode in ("major", "minor"):
        apart = {(int(camelot(t, mode)[:-1]) - int(open_key(t, mode)[:-1])) % 12 for t in TONICS}  # type: ignore[arg-type]
        assert apart == {7}


def test_the_runner_up_is_another_key_and_the_margin_is_what_it_lacks() -> None:
    found = key.estimate_key(_chroma(9, "minor"))
    assert found.runner_up is not None
    assert found.runner_up != found.label
    assert found.margin is not None
    assert 0 < found.margin <= found.confidence
    assert found.open_key == "1m"


def test_an_even_vote_of_sections_agrees_with_the_whole() -> None:
    scores = np.linspace(0, 3, 24)
    assert key.vote([scores, scores, scores]).argmax() == 23
    one = key.vote([scores])
    assert np.exp(one).sum() == pytest.approx(1.0)
    assert key.vote([scores, scores, scores]) == pytest.approx(2 * one)


def test_halves_are_heard_only_where_they_are_long_enough() -> None:
    long = np.concatenate([cadence(0, "major"), cadence(0, "major")])
    assert len(key.sections(key.measure_chroma(to_mono(long, 44100)))) == 3
    short = Mono(tone(60, 1.0, 22050).astype(np.float32), 1.0)
    assert len(key.sections(key.measure_chroma(short))) == 1


def test_triads_are_told_apart_and_weigh_one() -> None:
    for row in range(24):
        frames = np.repeat(TRIADS[row][:, None], 6, axis=1)
        bass = np.zeros_like(frames)
        bass[row % 12] = 1
        found = weigh_chords(frames, bass, TRIADS, SMOOTH, root=ROOT, sharp=SHARP)
        assert found.shape == (6, 24)
        assert found.sum(axis=1) == pytest.approx(1.0)
        assert (found.argmax(axis=1) == row).all()


def test_the_bass_decides_between_a_minor_chord_and_its_relative() -> None:
    both = (TRIADS[0] + TRIADS[12 + 9])[:, None].repeat(5, axis=1).astype(np.float32)
    for row, root in ((0, 0), (12 + 9, 9)):
        bass = np.zeros_like(both)
        bass[root] = 1
        assert (weigh_chords(both, bass, TRIADS, SMOOTH, root=ROOT, sharp=SHARP).argmax(axis=1) == row).all()


def test_what_has_no_pitch_has_an_empty_chroma() -> None:
    assert key.measure_chroma(Mono(np.zeros(4000, np.float32), 0.0)).empty
    assert not key.measure_chroma(to_mono(drum_loop(120), 44100)).frames.min() < 0


def test_a_written_key_decides_what_is_close_and_never_what_is_clear() -> None:
    clear = _chroma(0, "major")
    for hints in (Hints(name_tonic="F#", name_mode="minor"), Hints(tag_tonic="D", tag_mode="major")):
        assert key.estimate_key(clear, hints).label == "C major"
    near = key.estimate_key(clear)
    named = key.estimate_key(clear, Hints(name_tonic="C", name_mode="major"))
    assert named.confidence >= near.confidence
    assert key.written(Hints(name_tonic="A")).nonzero()[0].tolist() == [9, 21]
    assert not key.written(Hints()).any()
    assert key.written(None).max() == 0


def test_the_evidence_says_who_said_which_key() -> None:
    clear = _chroma(0, "major")
    (alone,) = key.estimate_key(clear).evidence
    assert (alone.source, alone.key, alone.weight) == ("chroma", "C major", 1.0)
    said = key.estimate_key(clear, Hints(name_tonic="F#", tag_tonic="A", tag_mode="minor")).evidence
    assert [(e.source, e.key) for e in said] == [("chroma", "C major"), ("name", "F#"), ("tag", "A minor")]
    assert sum(e.weight for e in said) == pytest.approx(1.0, abs=0.002)
    assert said[1].weight > said[2].weight


def test_a_fifth_alone_is_no_key() -> None:
    fifth = as_frames(np.mean([tone(midi, 2.0, harmonics=2) for midi in (48, 55, 60)], axis=0))
    assert analyze(fifth, info_of(fifth), Hints()).key.label is None
    assert key.single(key.measure_chroma(to_mono(fifth, 44100)))
    assert not key.single(_chroma(0, "major"))


def test_drums_get_no_key_by_their_name() -> None:
    drums = drum_loop(120)
    hints = Hints(name_tonic="C", name_mode="minor", name_bpm=120.0)
    assert analyze(drums, info_of(drums), hints).key.tonic is None
