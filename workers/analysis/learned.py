"""Numbers learned from labelled audio: small tables beside this module, made by ``python -m benchmarks.train``.

Each is a linear model: names of its inputs, their mean and spread over the training set, one weight for each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "learned"

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """``score = weights . (x - mean) / spread + bias``, sharpened or softened by `temperature`."""

    names: tuple[str, ...]
    mean: Doubles
    spread: Doubles
    weights: Doubles
    bias: float
    temperature: float
    """Scores are divided by it before they become probabilities: fitted on held-out folds, so that they are honest."""

    def scores(self, X: Doubles) -> Doubles:
        """One score for each row of `X`, (n, n_inputs)."""
        return np.asarray(((X - self.mean) / self.spread) @ self.weights + self.bias)

    def probability(self, x: Doubles) -> float:
        """The logistic function of one row's score."""
        return float(1 / (1 + np.exp(-np.clip(self.scores(x[None])[0] / self.temperature, -30, 30))))


@dataclass(frozen=True, slots=True)
class Quadratic:
    """``score = w . z + v . {z_i z_j, i <= j} + bias`` with ``z = (x - mean) / spread``, at most 3 in products.

    For questions where one input says what another means: a long sound with one onset, a short one with many.
    `workers.kernels.answers.answer_yes` asks it.
    """

    names: tuple[str, ...]
    table: Doubles
    """Mean, spread and weight of each input, (3, n_inputs)."""
    products: Doubles
    """(n_inputs, n_inputs), 0 below the diagonal."""
    bias: float
    temperature: float


@dataclass(frozen=True, slots=True)
class Classes:
    """One linear model for each of several labels, on the same inputs; `answer_label` asks it."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    table: Doubles
    """Mean and spread of each input, (2, n_inputs)."""
    weights: Doubles
    """(n_labels, n_inputs)."""
    bias: Doubles
    """(n_labels,)."""
    temperature: float


@lru_cache(maxsize=16)
def load(name: str) -> Linear:
    """The model `name` (``tempo``, ``key``, ``kind``)."""
    table = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return Linear(
        names=tuple(table["names"]),
        mean=np.array(table["mean"], np.float64),
        spread=np.array(table["spread"], np.float64),
        weights=np.array(table["weights"], np.float64),
        bias=float(table["bias"]),
        temperature=float(table["temperature"]),
    )


@lru_cache(maxsize=4)
def load_quadratic(name: str) -> Quadratic:
    """The model `name` (``kind``, ``tonality``)."""
    table = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    n = len(table["names"])
    products = np.zeros((n, n))
    products[np.triu_indices(n)] = table["products"]
    return Quadratic(
        names=tuple(table["names"]),
        table=np.array([table["mean"], table["spread"], table["weights"]], np.float64),
        products=products,
        bias=float(table["bias"]),
        temperature=float(table["temperature"]),
    )


@lru_cache(maxsize=2)
def load_classes(name: str) -> Classes:
    """The model `name` (``instrument``)."""
    table = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return Classes(
        labels=tuple(table["labels"]),
        names=tuple(table["names"]),
        table=np.array([table["mean"], table["spread"]], np.float64),
        weights=np.array(table["weights"], np.float64),
        bias=np.array(table["bias"], np.float64),
        temperature=float(table["temperature"]),
    )


def softmax(scores: Doubles) -> Doubles:
    """Probabilities that sum to one."""
    e = np.exp(scores - scores.max())
    return np.asarray(e / e.sum())
