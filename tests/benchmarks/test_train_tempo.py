"""That the tempo's lesson learns what is there to be learned."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.train import network
from benchmarks.train.hints import made_up
from benchmarks.train.network import Member, Question

MEMBER = Member(slice(None), hidden=16, epochs=150, drop=0.0)


def questions(count: int, *, seed: int = 0) -> list[Question]:
    """The right answer is the one whose second input is nearest to 0, which no straight line tells."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        X = rng.standard_normal((int(rng.integers(3, 7)), 4)).astype(np.float32)
        nearest = np.abs(X[:, 1])
        found.append(Question(X, nearest == nearest.min(), 1.0, f"piece {i // 3}"))
    return found


def share_right(asked: list[Question], scores: list[np.ndarray]) -> float:
    return float(np.mean([q.right[int(z.argmax())] for q, z in zip(asked, scores, strict=True)]))


def test_a_network_learns_what_no_straight_line_tells():
    asked = questions(600)
    scale = network.scale_of(asked)
    assert share_right(asked, network.held_out(asked, [q.X for q in asked], scale, [MEMBER])) > 0.8


def test_held_out_figures_do_not_know_what_was_told_at_random():
    rng = np.random.default_rng(3)
    asked = []
    for i in range(120):
        X = rng.standard_normal((5, 4)).astype(np.float32)
        asked.append(Question(X, np.arange(5) == rng.integers(5), 1.0, f"piece {i // 3}"))
    scale = network.scale_of(asked)
    assert share_right(asked, network.held_out(asked, [q.X for q in asked], scale, [MEMBER])) < 0.4


def test_the_slope_is_the_derivative_of_the_loss():
    asked = questions(6)
    data = network.padded(asked, network.scale_of(asked))
    layers = network.train(data, Member(slice(None), hidden=3, epochs=1, drop=0.0), 0)

    def loss() -> float:
        total = 0.0
        for i in range(len(asked)):
            z = network.scores(layers, data.X[i, data.there[i]])
            p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
            total -= float(np.log(p[data.right[i, data.there[i]]].sum()))
        return total / len(asked)

    slope = network._slope(layers, data, 0.0, np.random.default_rng(0))
    for name, at in (("hidden", (1, 2)), ("bias", (0,)), ("out", (1,)), ("straight", (3,))):
        before = layers[name][at]
        layers[name][at] = before + 1e-2
        higher = loss()
        layers[name][at] = before - 1e-2
        lower = loss()
        layers[name][at] = before
        assert slope[name][at] == pytest.approx((higher - lower) / 2e-2, abs=2e-3)


def test_an_ensemble_is_the_mean_of_its_members():
    asked = questions(40)
    data = network.padded(asked, network.scale_of(asked))
    members = [Member(slice(0, 2), hidden=3, epochs=2, drop=0.0), Member(slice(None), hidden=4, epochs=2, drop=0.2)]
    together = network.scores(network.ensemble(data, members), data.X[0])
    alone = [
        network.scores(network.train(data.of(m.inputs), m, seed), data.of(m.inputs).X[0])
        for seed, m in enumerate(members)
    ]
    np.testing.assert_allclose(together, np.mean(alone, axis=0), atol=1e-5)


def test_names_made_up_are_mostly_right():
    rng = np.random.default_rng(0)
    names = [hints.name_bpm for hints in (made_up(93.4, 8.0, rng) for _ in range(4000)) if hints.name_bpm]
    assert 1400 < len(names) < 1800
    assert 0.93 < np.mean(np.array(names) == 93) < 0.97


def test_chunks_made_up_are_often_a_default():
    rng = np.random.default_rng(0)
    tempi = [hints.acid_bpm for hints in (made_up(93.4, 8.0, rng) for _ in range(4000)) if hints.acid_bpm]
    assert 0.1 < np.mean(np.array(tempi) == 120) < 0.2
