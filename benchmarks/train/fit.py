"""Linear models fitted by Newton's method with an L2 penalty, and the temperature that makes them honest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.scoring import ece
from benchmarks.train.folds import FOLDS, folds

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with several answers: what describes each, which is right, how much it counts."""

    X: Doubles
    right: int
    weight: float
    piece: str
    slice: str
    original: bool


def fit_choices(choices: Sequence[Choice], l2: float, start: Doubles) -> Doubles:
    """Conditional logit by Newton's method: the penalty pulls towards `start`."""
    w = start.copy()
    for _ in range(25):
        gradient = l2 * (w - start)
        hessian = l2 * np.eye(len(w))
        for choice in choices:
            z = choice.X @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            mean = p @ choice.X
            gradient += choice.weight * (mean - choice.X[choice.right])
            hessian += choice.weight * ((choice.X.T * p) @ choice.X - np.outer(mean, mean))
        step = np.linalg.solve(hessian, gradient)
        w -= step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(step).max()) < 1e-6:
            break
    return w


def fit_yes_no(X: Doubles, y: Doubles, weight: Doubles, l2: float) -> Doubles:
    """Logistic regression by Newton's method; the last weight is the bias, free of penalty."""
    X = np.column_stack([X, np.ones(len(X))])
    penalty = np.full(X.shape[1], l2)
    penalty[-1] = 1e-6
    w = np.zeros(X.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(X @ w, -30, 30)))
        gradient = X.T @ (weight * (p - y)) + penalty * w
        step = np.linalg.solve((X.T * (weight * p * (1 - p))) @ X + np.diag(penalty), gradient)
        w -= step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(step).max()) < 1e-6:
            break
    return w


def temperature(scores: Sequence[Doubles], right: Sequence[int]) -> float:
    """What to divide held-out scores by so that the right answers are likeliest."""

    def loss(t: float) -> float:
        total = 0.0
        for z, at in zip(scores, right, strict=True):
            scaled = z / t - (z / t).max()
            total += float(np.log(np.exp(scaled).sum()) - scaled[at])
        return total

    return float(min(np.exp(np.linspace(np.log(0.4), np.log(4), 60)), key=loss))


def honest(sources: Sequence[Sequence[tuple[Doubles, int]]], start: float, least: float = 0.0) -> float:
    """The temperature near `start` at which confidence is off least, on average over sources of different making.

    Each source is its answers: their scores and which is right. Answers less sure than `least` are not given.
    Honest in the music that was learned from, left out, is not yet honest in other music: each source counts the same.
    """

    def off(t: float) -> float:
        errors = []
        for source in sources:
            said = [(top(z / t), bool(z.argmax() == at)) for z, at in source]
            errors.append(ece([(sure, hit) for sure, hit in said if sure >= least]))
        return float(np.mean(errors))

    return float(min(start * np.exp(np.linspace(-0.5, 0.5, 41)), key=off))


def table(
    names: Sequence[str], mean: Doubles, spread: Doubles, weights: Doubles, bias: float, t: float
) -> dict[str, object]:
    return {
        "names": list(names),
        "mean": [float(f"{x:.6g}") for x in mean],
        "spread": [float(f"{x:.6g}") for x in spread],
        "weights": [float(f"{x:.6g}") for x in weights],
        "bias": float(f"{bias:.6g}"),
        "temperature": float(f"{t:.4g}"),
    }


def held_out(choices: Sequence[Choice], l2: float, start: Doubles) -> list[Doubles]:
    """Each question's scores by the model that saw nothing of its piece."""
    fold = folds([choice.piece for choice in choices])
    scores: list[Doubles] = [np.zeros(0)] * len(choices)
    for k in range(FOLDS):
        w = fit_choices([c for c, f in zip(choices, fold, strict=True) if f != k], l2, start)
        for i in np.flatnonzero(fold == k).tolist():
            scores[i] = choices[i].X @ w
    return scores


def top(z: Doubles) -> float:
    """Probability of the likeliest answer."""
    return float(1 / np.exp(z - z.max()).sum())
