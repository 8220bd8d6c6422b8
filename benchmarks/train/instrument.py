"""The class of a one-shot: multinomial logistic regression on what it sounds like."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks.labels import Labelled
from benchmarks.train.fit import Doubles, honest, temperature
from benchmarks.train.folds import FOLDS, folds, show
from benchmarks.train.sounds import Sound
from workers.analysis import instrument, pitch

_L2 = 10.0
_SAME = {"perc": "percussion"}
_EDIT_WEIGHT = 0.7
_PLAIN, _PLAIN_WEIGHT = "arithmetic, plain", 0.5
"""What `benchmarks.material.plain` makes is a third of all: at full weight real drums were taken for its basses."""
_MOST_STEPS = 1000


class InstrumentLesson:
    """Which of `instrument.LABELS`."""

    edits = True
    judged_apart = True

    def __init__(self) -> None:
        self._rows: list[Doubles] = []
        self._right: list[int] = []
        self._origins: list[str] = []
        self._slices: list[str] = []
        self._originals: list[bool] = []
        self._plain: list[bool] = []
        self._apart: dict[str, list[tuple[Doubles, int]]] = {}

    def hear(self, sound: Sound) -> None:
        """One-shots with a class."""
        label = sound.label
        name = _SAME.get(label.sound, label.sound)
        if label.one_shot and name in instrument.LABELS:
            x = instrument.describe(sound.seen, pitch.estimate_pitch(sound.seen.mono, rhythmic=False))
            if sound.apart:
                self._apart.setdefault(sound.apart, []).append((x, instrument.LABELS.index(name)))
                return
            self._rows.append(x)
            self._right.append(instrument.LABELS.index(name))
            self._origins.append(_origin(label))
            self._slices.append(name)
            self._originals.append(sound.original)
            self._plain.append(label.source == _PLAIN)

    def learn(self) -> dict[str, object]:
        """The table of `instrument`."""
        X, right = np.stack(self._rows), np.array(self._right)
        mean, spread = X.mean(axis=0), X.std(axis=0) + 1e-6
        Z = np.column_stack([(X - mean) / spread, np.ones(len(X))])
        plain = np.array(self._plain)
        rare = np.where(plain, _PLAIN_WEIGHT, 1.0)
        weight = np.where(self._originals, 1.0, _EDIT_WEIGHT) * rare * _balance(right, rare)
        fold = folds(self._origins)
        scores = np.zeros((len(X), len(instrument.LABELS)))
        for k in range(FOLDS):
            scores[fold == k] = Z[fold == k] @ fit(Z[fold != k], right[fold != k], weight[fold != k]).T
        own = np.flatnonzero(np.array(self._originals) & ~plain)
        W = fit(Z, right, weight)
        sources = [list(zip(scores[own], right[own].tolist(), strict=True))]
        for part in self._apart.values():
            sources.append([(W[:, :-1] @ ((x - mean) / spread) + W[:, -1], at) for x, at in part])
        t = honest(sources, temperature(list(scores[own]), right[own].tolist()), instrument.SURE)
        self._report(scores[own] / t, right[own])
        return {
            "labels": list(instrument.LABELS),
            "names": list(instrument.INPUTS),
            "mean": _short(mean),
            "spread": _short(spread),
            "weights": [_short(row) for row in W[:, :-1]],
            "bias": _short(W[:, -1]),
            "temperature": float(f"{t:.4g}"),
        }

    def _report(self, z: Doubles, right: Doubles) -> None:
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        said, sure = p.argmax(axis=1), p.max(axis=1)
        hits = said == right
        names = [instrument.LABELS[int(at)] for at in right]
        show("class", names, [bool(hit) for hit in hits])
        print(f"believed: {100 * sure.mean():.1f}")
        for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
            known = sure >= threshold
            print(f"   from {threshold}: {100 * known.mean():.1f} said, {100 * hits[known].mean():.1f} of them right")
        wrong = Counter((a, instrument.LABELS[int(b)]) for a, b, hit in zip(names, said, hits, strict=True) if not hit)
        print("   taken for:", ", ".join(f"{a} {b} {n}" for (a, b), n in wrong.most_common(12)))


def _origin(label: Labelled) -> str:
    """What belongs in one fold: a whole font or kit, so that confidence is that in sounds of a font never heard.

    What arithmetic made has as many origins as pieces.
    """
    return label.piece if not label.source or label.source.startswith("arithmetic") else label.source


def fit(Z: Doubles, right: Doubles, weight: Doubles) -> Doubles:
    """Weights, (n_labels, n_inputs + 1), by steps of a bound on Newton's; the bias, last, is nearly free."""
    n_labels, width = len(instrument.LABELS), Z.shape[1]
    Y = np.eye(n_labels)[right]
    penalty = np.full(width, _L2)
    penalty[-1] = 0.1

    def loss(W: Doubles) -> tuple[float, Doubles]:
        z = Z @ W.T
        z -= z.max(axis=1, keepdims=True)
        total = np.log(np.exp(z).sum(axis=1))
        likely = weight @ (total - (z * Y).sum(axis=1)) + 0.5 * (penalty * W**2).sum()
        return float(likely), np.exp(z - total[:, None])

    # half of Z' Z is never less than any label's part of the Hessian [Boehning, 1992]: every step goes downhill
    step_of = np.linalg.inv(0.5 * (Z.T * weight) @ Z + np.diag(penalty))
    W = np.zeros((n_labels, width))
    now, P = loss(W)
    for _ in range(_MOST_STEPS):
        gradient = ((P - Y) * weight[:, None]).T @ Z + penalty * W
        W -= gradient @ step_of
        then, P = loss(W)
        if now - then < 1e-6 * now:
            break
        now = then
    return W


def _balance(right: Doubles, weight: Doubles) -> Doubles:
    """Rare classes count more, but not as much as common ones together."""
    counts = np.bincount(right, weights=weight, minlength=len(instrument.LABELS))
    weight = 1 / np.sqrt(np.maximum(counts, 1))
    return np.asarray(weight[right] / weight[right].mean())


def _short(row: Doubles) -> list[float]:
    return [float(f"{x:.6g}") for x in row]
