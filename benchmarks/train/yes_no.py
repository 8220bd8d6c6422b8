"""Questions with two answers about a whole sound: a logistic model on some of `kind.INPUTS`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.train.fit import Doubles, fit_yes_no, table, temperature
from benchmarks.train.folds import FOLDS, folds, show
from benchmarks.train.sounds import Sound
from workers.analysis import kind

_EDIT_WEIGHT = 0.4
_L2 = 2.0
_L2_OF_PRODUCTS = 8.0


@dataclass(frozen=True, slots=True)
class _Heard:
    name: str
    piece: str
    slice: str
    original: bool
    x: Doubles
    yes: bool


@dataclass(slots=True)
class YesNo:
    """What was heard of one question, and the model of it."""

    inputs: tuple[str, ...]
    quadratic: bool = False
    """Whether products of inputs speak, too: a `learned.Quadratic` instead of a `learned.Linear`."""
    heard: list[_Heard] = field(default_factory=list)

    def hear(self, sound: Sound, yes: bool) -> None:
        """Keep one sound and its answer."""
        label = sound.label
        x = kind.chosen(sound.seen.whole, self.inputs)
        self.heard.append(_Heard(label.path.name, label.piece, label.slice, sound.original, x, yes))

    def learn(self) -> dict[str, object]:
        """The table; held-out figures and mistakes are printed."""
        X = np.stack([h.x for h in self.heard])
        y = np.array([h.yes for h in self.heard], np.float64)
        mean, spread = X.mean(axis=0), X.std(axis=0) + 1e-6
        weight = np.array([1.0 if h.original else _EDIT_WEIGHT for h in self.heard])
        weight *= np.where(y > 0, 0.5 / max(1.0, (weight * y).sum()), 0.5 / max(1.0, (weight * (1 - y)).sum())) * len(y)
        Z = (X - mean) / spread
        if self.quadratic:
            return self._learn_quadratic(Z, y, weight, mean, spread)
        scores = self._held_out(Z, y, weight)
        self._report(scores)
        t = temperature([np.array([0.0, z]) for z in scores], [int(v) for v in y])
        w = fit_yes_no(Z, y, weight, _L2)
        return table(self.inputs, mean, spread, w[:-1], float(w[-1]), t)

    def _learn_quadratic(
        self, Z: Doubles, y: Doubles, weight: Doubles, mean: Doubles, spread: Doubles
    ) -> dict[str, object]:
        n = Z.shape[1]
        i, j = np.triu_indices(n)
        near = np.clip(Z, -3, 3)
        products = near[:, i] * near[:, j]
        usual, width = products.mean(axis=0), products.std(axis=0) + 1e-6
        Q = np.column_stack([Z, (products - usual) / width])
        scores = self._held_out(Q, y, weight, _L2_OF_PRODUCTS)
        self._report(scores)
        t = temperature([np.array([0.0, z]) for z in scores], [int(v) for v in y])
        w = fit_yes_no(Q, y, weight, _L2_OF_PRODUCTS)
        of_products = w[n:-1] / width
        found = table(self.inputs, mean, spread, w[:n], float(w[-1] - of_products @ usual), t)
        return {**found, "products": [float(f"{v:.6g}") for v in of_products]}

    def _held_out(self, Z: Doubles, y: Doubles, weight: Doubles, l2: float = _L2) -> Doubles:
        fold = folds([h.piece for h in self.heard])
        scores = np.zeros(len(y))
        for k in range(FOLDS):
            w = fit_yes_no(Z[fold != k], y[fold != k], weight[fold != k], l2)
            scores[fold == k] = np.column_stack([Z, np.ones(len(Z))])[fold == k] @ w
        return scores

    def _report(self, scores: Doubles) -> None:
        pairs = [(h, (score > 0) == h.yes) for h, score in zip(self.heard, scores, strict=True)]
        for answer in (True, False):
            part = [(h, hit) for h, hit in pairs if h.yes is answer]
            show("yes" if answer else "no", [h.slice for h, _ in part], [bool(hit) for _, hit in part])
        for h, hit in pairs:
            if not hit and h.original:
                print("   wrong:", h.name)
