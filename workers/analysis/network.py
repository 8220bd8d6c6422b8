"""A small learned network that ranks answers: one hidden layer beside a straight path.

``score = max(0, z H + b) . o + z . s`` with ``z = clip((x - mean) / spread)``. Its numbers lie beside the linear
models', in ``learned/NAME.json``, made by ``python -m benchmarks.train``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import FOLDER

Doubles = NDArray[np.float64]

CLIP = 5.0
"""Inputs count at most so many spreads from their mean: what was never seen must not shout."""


@dataclass(frozen=True, slots=True)
class Network:
    """What was learned."""

    mean: Doubles
    """(n_inputs,); the spread likewise."""
    spread: Doubles
    hidden: Doubles
    """(n_inputs, n_hidden)."""
    bias: Doubles
    """(n_hidden,)."""
    out: Doubles
    """(n_hidden,)."""
    straight: Doubles
    """(n_inputs,)."""
    odds: dict[str, float]
    """What one unit of a score, and each kind of hint, adds to the log-odds of an answer."""

    def scores(self, X: Doubles) -> Doubles:
        """One score for each row of `X`, (n, n_inputs)."""
        z = np.clip((X - self.mean) / self.spread, -CLIP, CLIP)
        return np.asarray(np.maximum(z @ self.hidden + self.bias, 0) @ self.out + z @ self.straight)


@lru_cache(maxsize=4)
def load_network(name: str) -> Network:
    """The network `name` (``tempo``)."""
    table = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    numbers = {part: _numbers(table[part]) for part in ("mean", "spread", "hidden", "bias", "out", "straight")}
    return Network(**numbers, odds={source: float(value) for source, value in table["odds"].items()})


def _numbers(lines: str | list[str]) -> Doubles:
    """A vector from a line, a matrix from a line for each row."""
    rows = [lines] if isinstance(lines, str) else lines
    found = np.array([row.split() for row in rows]).astype(np.float64)
    return found[0] if isinstance(lines, str) else found
