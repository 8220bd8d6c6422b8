from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.workers.analysis.sounds import SR, click_track, drum_loop, info_of
from workers.analysis import analyze, metre, tempo
from workers.analysis.learned import softmax
from workers.analysis.mono import SR as MONO_SR
from workers.analysis.mono import Mono
from workers.analysis.network import CLIP, Network, load_network
from workers.analysis.onsets import RATE
from workers.analysis.overview import Overview, measure
from workers.analysis.periodicity import candidates
from workers.audio.hints import Hints

NO_HINTS = Hints()


def said_of(y, hints=NO_HINTS):
    return analyze(y, info_of(y), hints).tempo


def overview_of(y) -> tuple[Overview, float]:
    """As the analysis sees a signal, at half the rate, which for these is every other sample."""
    mono = np.ascontiguousarray(y[::2, 0])
    return measure(Mono(mono / np.abs(mono).max(), 1.0), len(mono) / MONO_SR), len(mono) / MONO_SR


@pytest.mark.parametrize("bpm", [86, 120, 174])
def test_the_right_tempo_is_among_the_candidates(bpm):
    seen, duration_s = overview_of(drum_loop(bpm))
    found = candidates(seen.periodicity, duration_s, ())
    assert np.abs(found / bpm - 1).min() < 0.001


def test_hinted_tempi_are_candidates_too():
    seen, duration_s = overview_of(click_track(100))
    assert np.abs(candidates(seen.periodicity, duration_s, (137.0,)) / 137 - 1).min() < 0.006


def test_every_candidate_is_described_by_the_same_finite_numbers():
    seen, duration_s = overview_of(drum_loop(100))
    X = metre.describe(seen.periodicity, seen.onsets, seen.chroma, np.array([50.0, 100.0, 200.0]), duration_s)
    assert X.shape == (3, len(metre.INPUTS))
    assert np.isfinite(X).all()
    assert len(set(metre.INPUTS)) == len(metre.INPUTS)


def test_what_describes_a_candidate_is_deaf_to_gain():
    y = drum_loop(100)
    described = []
    for gain in (1.0, 0.25):
        seen, duration_s = overview_of(y * np.float32(gain))
        described.append(metre.describe(seen.periodicity, seen.onsets, seen.chroma, np.array([100.0]), duration_s))
    np.testing.assert_allclose(described[0], described[1], atol=1e-3)


def column(X, name):
    return X[:, metre.INPUTS.index(name)]


def test_a_beat_is_louder_at_its_own_rate_than_at_a_third_of_it():
    seen, duration_s = overview_of(click_track(120))
    X = metre.describe(seen.periodicity, seen.onsets, seen.chroma, np.array([120.0]), duration_s)
    assert column(X, "full at rate 1") > 0.8
    assert column(X, "full at rate 1/3") < 0.1
    assert column(X, "notes of 1.00") > 0.8
    assert column(X, "notes of 0.50") < 0.1


def test_kick_and_snare_alternate_at_half_the_rate_of_the_beat():
    seen, duration_s = overview_of(drum_loop(100))
    period = round(60 * RATE / 100)
    low, mid = np.zeros((2, 16 * period))
    low[:: 2 * period] = mid[period :: 2 * period] = 1
    both = low + mid
    onsets = replace(seen.onsets, envelopes=np.stack([both, low, mid, both, both]))
    X = metre.describe(seen.periodicity, onsets, seen.chroma, np.array([60 * RATE / period]), duration_s)
    assert column(X, "low with mid at 6/12") < -0.9
    assert column(X, "low with mid at 12/12") > 0.9


def test_only_the_inputs_about_length_change_with_the_length():
    seen, _ = overview_of(drum_loop(100))
    bpm = np.array([100.0])
    one, other = (metre.describe(seen.periodicity, seen.onsets, seen.chroma, bpm, s) for s in (9.6, 9.0))
    changed = {metre.INPUTS[i] for i in np.flatnonzero(np.abs(one - other)[0] > 0.2)}
    assert changed
    assert changed <= {metre.INPUTS[i] for i in metre.LENGTH_INPUTS} | {"duration"}


def test_the_network_is_what_its_docstring_says():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(shape) for shape in (3, 3, (3, 2), 2, 2, 3)]
    net = Network(*parts, odds={})
    net.spread[:] = [0.5, 1.0, 1e-3]
    x = np.array([0.3, -2.0, 100.0])
    z = [max(-CLIP, min(CLIP, (x[i] - net.mean[i]) / net.spread[i])) for i in range(3)]
    hidden = [max(0.0, sum(z[i] * net.hidden[i, j] for i in range(3)) + net.bias[j]) for j in range(2)]
    expected = sum(h * o for h, o in zip(hidden, net.out, strict=True)) + sum(
        a * b for a, b in zip(z, net.straight, strict=True)
    )
    assert net.scores(x[None])[0] == pytest.approx(expected)


def test_the_learned_network_has_one_weight_for_each_input():
    net = load_network("tempo")
    assert net.hidden.shape == (len(metre.INPUTS), len(net.bias))
    assert len(net.mean) == len(net.spread) == len(net.straight) == len(metre.INPUTS)
    assert {"heard", "name", "acid", "acid beats", "tag"} <= set(net.odds)


def test_a_hint_speaks_for_its_own_tempo_more_than_for_the_octaves_of_it():
    odds = load_network("tempo").odds
    assert odds["name"] > odds["tag"] > 0
    assert all(odds[source] > max(0, odds[f"{source} octave"]) for source in ("name", "acid", "acid beats", "tag"))


def test_two_measures_of_one_tempo_stand_together():
    bpm = np.array([120.0, 120.9, 60.0])
    best, sure = tempo.choose(np.array([0.3, 0.28, 0.42]), bpm)
    assert bpm[best] == 120
    assert sure == pytest.approx(0.58)


def test_agreement_is_about_a_percent_wide():
    same, octave = tempo.agreement(np.array([120.0, 121.0, 125.0, 60.0, 240.0]), 120.0)
    assert same[0] == 1
    assert 0.3 < same[1] < 1
    assert same[2] < 1e-3
    assert octave[3] == octave[4] == 1
    assert octave[0] < 1e-3


def test_all_kinds_of_hints_are_heard():
    hints = Hints(name_bpm=100.0, acid_bpm=120.0, acid_beats=8, tag_bpm=101.0)
    assert tempo.hinted(hints, 4.0) == [("name", 100.0), ("acid", 120.0), ("tag", 101.0), ("acid beats", 120.0)]
    assert tempo.hinted(NO_HINTS, 4.0) == []


@pytest.mark.parametrize("hints", [Hints(name_bpm=97.0), Hints(acid_bpm=97.0), Hints(tag_bpm=97.0)])
def test_no_hint_overrides_what_is_heard(hints):
    y = drum_loop(120)
    assert said_of(y, hints).bpm == said_of(y).bpm


def test_a_hint_that_agrees_makes_the_answer_surer():
    y = drum_loop(120)
    alone = said_of(y)
    with_name = said_of(y, Hints(name_bpm=alone.bpm))
    assert with_name.bpm == alone.bpm
    assert with_name.confidence >= alone.confidence


def test_evidence_names_its_sources_and_its_weights_sum_to_one():
    found = said_of(drum_loop(100), Hints(name_bpm=100.0, acid_bpm=120.0, acid_beats=16, tag_bpm=99.0))
    assert [evidence.source for evidence in found.evidence] == ["pulse", "length", "name", "acid", "tag", "acid beats"]
    assert sum(evidence.weight for evidence in found.evidence) == pytest.approx(1, abs=0.01)
    assert all(evidence.weight > 0 for evidence in found.evidence)


@pytest.mark.parametrize(
    ("bpm", "duration_s", "tolerance", "said"),
    [
        (119.98, 30.3, 0.001, (120.0, None)),  # a whole number, as programmed music has
        (119.9, 30.3, 0.001, (119.9, None)),  # too far from one
        (136.884, 41.0, 0.001, (136.88, None)),
        (126.34, 60 * 16 / 126.34, 0.001, (126.34, 16)),  # the length of the loop
        (139.9, 60 * 4 / 139.9, 0.001, (140.0, 4)),  # cut 1.2 ms late
        (139.5, 60 * 4 / 139.5, 0.001, (139.5, 4)),
    ],
)
def test_tempi_are_settled_to_a_hundredth(bpm, duration_s, tolerance, said):
    assert tempo._settled(bpm, duration_s, tolerance) == said


@pytest.mark.parametrize(("beats", "said"), [(8, 8), (5, None), (128, None)])
def test_only_musical_numbers_of_beats_are_a_loop(beats, said):
    assert tempo.beats_long(240.0, beats / 4, 0.001) == said


def test_the_length_is_evidence_of_a_loop_and_says_how_much():
    found = said_of(drum_loop(126.34))
    assert found.beats == 16
    assert next(e for e in found.evidence if e.source == "length").weight > 0.02


def test_probabilities_of_candidates_are_the_confidence():
    y = drum_loop(110)
    found = said_of(y)
    assert 0 < found.confidence <= 1
    assert softmax(np.array([0.0, 0.0])).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("seconds", [0.02, 0.3])
def test_what_is_too_short_has_no_tempo_and_says_so(seconds):
    found = said_of(drum_loop(120)[: round(seconds * SR)])
    assert found.bpm is None
    assert found.reason
