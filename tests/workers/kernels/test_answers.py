"""What learned models say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import answers as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.answers import answer_label, answer_yes

seeds = st.integers(0, 2**32 - 1)


def _table(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.stack([rng.standard_normal(n), 0.2 + rng.random(n), rng.standard_normal(n)])


@quick
@given(seeds, st.integers(1, 8))
def test_yes_is_as_likely_as_the_naive_twin_says(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x, table, products = 2 * rng.standard_normal(10), _table(rng, n), rng.standard_normal((n, n))
    places = rng.integers(0, 10, n)
    found = answer_yes(x, places, table, products, bias=0.3, temperature=1.7)
    expected = naive.yes(x.tolist(), places.tolist(), table.tolist(), products.tolist(), 0.3, 1.7)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    no = answer_yes(x, places, table * [[1], [1], [-1]], -products, bias=-0.3, temperature=1.7)
    assert no == pytest.approx(1 - found, abs=1e-9), "the opposite of a question has the opposite answer"


@quick
@given(seeds, st.integers(1, 5), st.integers(1, 8))
def test_labels_are_as_likely_as_the_naive_twin_says(seed: int, labels: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x, table = rng.standard_normal(n), _table(rng, n)[:2]
    weights, bias = rng.standard_normal((labels, n)), rng.standard_normal(labels)
    found = answer_label(x, table, weights, bias, temperature=0.8)
    assert found == pytest.approx(naive.label(x.tolist(), table.tolist(), weights.tolist(), bias.tolist(), 0.8))
    assert found.sum() == pytest.approx(1)
    assert answer_label(x, table, weights, bias + 5, temperature=0.8) == pytest.approx(found)


def test_an_answer_is_never_beyond_all_doubt() -> None:
    table, none = np.array([[0.0], [1.0], [1.0]]), np.zeros((1, 1))
    assert 0 < answer_yes([-1e9], [0], table, none, bias=0.0, temperature=1.0) < 1e-9
    assert 1 - 1e-9 < answer_yes([1e9], [0], table, none, bias=0.0, temperature=1.0) < 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: answer_yes([1.0], [1], np.ones((3, 1)), np.ones((1, 1)), bias=0.0, temperature=1.0),
        lambda: answer_yes([1.0], [-1], np.ones((3, 1)), np.ones((1, 1)), bias=0.0, temperature=1.0),
        lambda: answer_yes([1.0], [0], np.ones((2, 1)), np.ones((1, 1)), bias=0.0, temperature=1.0),
        lambda: answer_yes([1.0], [0], np.ones((3, 1)), np.ones((2, 1)), bias=0.0, temperature=1.0),
        lambda: answer_label([1.0], np.ones((2, 2)), np.ones((1, 1)), [0.0], temperature=1.0),
        lambda: answer_label([1.0], np.ones((2, 1)), np.ones((2, 1)), [0.0], temperature=1.0),
    ],
)
def test_refuses_what_does_not_fit(call: Any) -> None:
    with pytest.raises(ParameterError):
        call()
