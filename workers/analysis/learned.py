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


@lru_cache(maxsize=8)
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


def softmax(scores: Doubles) -> Doubles:
    """Probabilities that sum to one."""
    e = np.exp(scores - scores.max())
    return np.asarray(e / e.sum())
