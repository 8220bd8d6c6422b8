"""A network that ranks candidates, trained by Adam on the log-probability of the right ones. NumPy is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.train.folds import FOLDS, folds
from workers.analysis.network import CLIP

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Layers = dict[str, Floats]

_BATCH, _RATE, _DECAY = 128, 3e-3, 1e-3


@dataclass(frozen=True, slots=True)
class Member:
    """One network of an ensemble: what it looks at and how it is trained."""

    inputs: slice
    hidden: int
    epochs: int
    drop: float
    """Share of the inputs, and of the hidden units, that each question does without: none may be relied on alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """Candidates, which of them are right, how much it counts."""

    X: Floats
    right: NDArray[np.bool_]
    weight: float
    piece: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and spread of each input."""

    mean: Doubles
    spread: Doubles

    def __call__(self, X: Floats) -> Floats:
        """Scaled and clipped."""
        return np.clip((X - self.mean) / self.spread, -CLIP, CLIP).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Padded:
    """Questions as one array."""

    X: Floats
    """(n, most candidates, n_inputs), scaled."""
    there: NDArray[np.bool_]
    right: NDArray[np.bool_]
    weight: Floats

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Padded:
        """Some of the questions."""
        return Padded(self.X[chosen], self.there[chosen], self.right[chosen], self.weight[chosen])

    def of(self, inputs: slice) -> Padded:
        """Some of the inputs."""
        return Padded(np.ascontiguousarray(self.X[..., inputs]), self.there, self.right, self.weight)


def scale_of(questions: Sequence[Question]) -> Scale:
    """Over every candidate."""
    rows = np.concatenate([q.X for q in questions]).astype(np.float64)
    return Scale(rows.mean(axis=0), rows.std(axis=0) + 1e-6)


def padded(questions: Sequence[Question], scale: Scale) -> Padded:
    """Every question filled up to the most candidates."""
    most, inputs = max(len(q.X) for q in questions), questions[0].X.shape[1]
    X = np.zeros((len(questions), most, inputs), np.float32)
    there, right = np.zeros(X.shape[:2], bool), np.zeros(X.shape[:2], bool)
    for i, q in enumerate(questions):
        X[i, : len(q.X)] = scale(q.X)
        there[i, : len(q.X)] = True
        right[i, : len(q.X)] = q.right
    weight = np.array([q.weight for q in questions], np.float32)
    return Padded(X, there, right, weight / weight.mean())


def train(data: Padded, member: Member, seed: int) -> Layers:
    """One network, its step length falling to nothing by a cosine."""
    rng = np.random.default_rng(seed)
    n, _, inputs = data.X.shape
    width = member.hidden
    layers: Layers = {
        "hidden": (rng.standard_normal((inputs, width)) / np.sqrt(inputs)).astype(np.float32),
        "bias": np.zeros(width, np.float32),
        "out": (rng.standard_normal(width) / np.sqrt(width)).astype(np.float32),
        "straight": np.zeros(inputs, np.float32),
    }
    adam = _Adam(layers)
    batches = -(-n // _BATCH)
    for epoch in range(member.epochs):
        order = rng.permutation(n)
        for b in range(batches):
            slope = _slope(layers, data.part(order[b * _BATCH : (b + 1) * _BATCH]), member.drop, rng)
            done = (epoch * batches + b) / (member.epochs * batches)
            adam.step(layers, slope, _RATE * 0.5 * (1 + np.cos(np.pi * done)))
    return layers


def _slope(layers: Layers, part: Padded, drop: float, rng: np.random.Generator) -> Layers:
    """Gradient of the mean of ``-log sum_right p`` over some questions, with some inputs and units left out."""
    n = len(part.X)
    x = part.X * _kept(rng, drop, (n, 1, part.X.shape[2]))
    kept = _kept(rng, drop, (n, 1, len(layers["bias"])))
    h = np.maximum(x @ layers["hidden"] + layers["bias"], 0) * kept
    z = np.where(part.there, h @ layers["out"] + x @ layers["straight"], -1e9)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    target = p * part.right
    target /= np.maximum(target.sum(axis=1, keepdims=True), 1e-9)
    dz = ((p - target) * part.weight[:, None] / n).astype(np.float32)
    dh = dz[..., None] * layers["out"] * (h > 0) * kept
    return {
        "hidden": np.tensordot(x, dh, ((0, 1), (0, 1))),
        "bias": dh.sum(axis=(0, 1)),
        "out": np.tensordot(dz, h, ((0, 1), (0, 1))),
        "straight": np.tensordot(dz, x, ((0, 1), (0, 1))),
    }


def _kept(rng: np.random.Generator, drop: float, shape: tuple[int, int, int]) -> Floats:
    return np.asarray((rng.random(shape) > drop) / (1 - drop), np.float32)


class _Adam:
    """Steps of about one length, whatever the slope's; weights decay."""

    def __init__(self, layers: Layers) -> None:
        self._mean = {name: np.zeros_like(value) for name, value in layers.items()}
        self._square = {name: np.zeros_like(value) for name, value in layers.items()}
        self._count = 0

    def step(self, layers: Layers, slope: Layers, rate: float) -> None:
        """Change the layers in place."""
        self._count += 1
        for name, g in slope.items():
            self._mean[name] = 0.9 * self._mean[name] + 0.1 * g
            self._square[name] = 0.999 * self._square[name] + 0.001 * g**2
            mean = self._mean[name] / (1 - 0.9**self._count)
            square = self._square[name] / (1 - 0.999**self._count)
            layers[name] = (layers[name] - rate * (mean / (np.sqrt(square) + 1e-8) + _DECAY * layers[name])).astype(
                np.float32
            )


def ensemble(data: Padded, members: Sequence[Member]) -> Layers:
    """The mean of several networks, which is one wider network; where a member does not look its weights are 0."""
    inputs = data.X.shape[2]
    wide = [
        _over_all(train(data.of(member.inputs), member, seed), member, inputs) for seed, member in enumerate(members)
    ]
    return {
        "hidden": np.concatenate([m["hidden"] for m in wide], axis=1),
        "bias": np.concatenate([m["bias"] for m in wide]),
        "out": np.concatenate([m["out"] for m in wide]) / np.float32(len(members)),
        "straight": np.mean([m["straight"] for m in wide], axis=0),
    }


def _over_all(layers: Layers, member: Member, inputs: int) -> Layers:
    hidden = np.zeros((inputs, member.hidden), np.float32)
    straight = np.zeros(inputs, np.float32)
    hidden[member.inputs], straight[member.inputs] = layers["hidden"], layers["straight"]
    return {**layers, "hidden": hidden, "straight": straight}


def scores(layers: Layers, X: Floats) -> Doubles:
    """One score for each row of scaled inputs."""
    h = np.maximum(X @ layers["hidden"] + layers["bias"], 0)
    return np.asarray(h @ layers["out"] + X @ layers["straight"], np.float64)


def held_out(
    questions: Sequence[Question], asked: Sequence[Floats], scale: Scale, members: Sequence[Member]
) -> list[Doubles]:
    """Scores of `asked` (the candidates of each question, perhaps more) by the network that heard nothing of its piece.

    A question without a right candidate teaches nothing, and is asked all the same.
    """
    fold = folds([q.piece for q in questions])
    answerable = np.array([bool(q.right.any()) for q in questions])
    data = padded(questions, scale)
    found: list[Doubles] = [np.zeros(0)] * len(questions)
    for k in range(FOLDS):
        layers = ensemble(data.part((fold != k) & answerable), members)
        for i in np.flatnonzero(fold == k).tolist():
            found[i] = scores(layers, scale(asked[i]))
    return found
