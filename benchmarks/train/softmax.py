"""Conditional logit for many questions at once: Newton's method that never takes a step uphill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.train.fit import Choice
from benchmarks.train.folds import FOLDS, folds

Doubles = NDArray[np.float64]


class Questions:
    """Choices of any number of answers, in one array."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        most = max(len(c.X) for c in choices)
        self.X = np.zeros((len(choices), most, choices[0].X.shape[1]))
        self.absent = np.zeros((len(choices), most))
        for i, choice in enumerate(choices):
            self.X[i, : len(choice.X)] = choice.X
            self.absent[i, len(choice.X) :] = -1e9
        self.right = np.array([c.right for c in choices])
        self.weight = np.array([c.weight for c in choices])
        self.fold = folds([c.piece for c in choices])

    def fit(self, among: NDArray[np.bool_], l2: float, start: Doubles) -> Doubles:
        """The weights that make the right answers likeliest; the penalty pulls towards `start`."""
        X, absent, right, weight = self.X[among], self.absent[among], self.right[among], self.weight[among]
        rows = np.arange(len(X))

        def loss(w: Doubles) -> tuple[float, Doubles]:
            z = X @ w + absent
            z -= z.max(axis=1, keepdims=True)
            total = np.log(np.exp(z).sum(axis=1))
            p = np.exp(z - total[:, None])
            return float(weight @ (total - z[rows, right]) + l2 / 2 * ((w - start) ** 2).sum()), p

        w = start.copy()
        now, p = loss(w)
        for _ in range(60):
            mean = np.einsum("nk,nkd->nd", p, X, optimize=True)
            gradient = l2 * (w - start) + weight @ (mean - X[rows, right])
            spread = (X * np.sqrt(p * weight[:, None])[:, :, None]).reshape(-1, X.shape[2])
            hessian = l2 * np.eye(len(w)) + spread.T @ spread - (mean * weight[:, None]).T @ mean
            step = np.linalg.solve(hessian, gradient)
            size = 1.0
            while size > 1e-4:
                then, p = loss(w - size * step)
                if then <= now:
                    break
                size /= 2
            w = w - size * step
            if now - then < 1e-7 * max(1.0, abs(now)):
                break
            now = then
        return w

    def fit_all(self, l2: float, start: Doubles) -> Doubles:
        """The weights from everything."""
        return self.fit(np.ones(len(self.X), np.bool_), l2, start)

    def held_out(self, l2: float, start: Doubles) -> list[Doubles]:
        """Each question's scores by the model that saw nothing of its piece."""
        scores = self.X @ start
        for k in range(FOLDS):
            part = self.fold == k
            if part.any():
                scores[part] = self.X[part] @ self.fit(~part, l2, start)
        return [z[absent == 0] for z, absent in zip(scores, self.absent, strict=True)]
