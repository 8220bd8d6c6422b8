"""What learned models say of one sound: how likely yes is, and each of several labels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, as_array, as_doubles, as_indices, as_number
from workers.kernels.compiled import kernel, warms

_FARTHEST, _SUREST = 3.0, 30.0


@kernel
def _yes(
    x: Doubles, places: NDArray[np.int64], table: Doubles, products: Doubles, bias: float, temperature: float
) -> float:
    n = places.shape[0]
    for i in range(n):
        if not 0 <= places[i] < x.shape[0]:
            return -1.0
    near = np.empty(n)
    score = bias
    for i in range(n):
        z = (x[places[i]] - table[0, i]) / table[1, i]
        score += table[2, i] * z
        near[i] = min(_FARTHEST, max(-_FARTHEST, z))
    for i in range(n):
        for k in range(i, n):
            score += near[i] * products[i, k] * near[k]
    return 1 / (1 + math.exp(-min(_SUREST, max(-_SUREST, score / temperature))))


def answer_yes(
    x: ArrayLike, places: ArrayLike, table: ArrayLike, products: ArrayLike, *, bias: float, temperature: float
) -> float:
    """How likely yes is, by a model in which inputs speak alone and in pairs.

    ``1 / (1 + exp(-s / T))`` with ``s = w . z + sum_{i <= j} P_ij c_i c_j + bias``, ``z = (x - mean) / spread`` and
    ``c`` the same within -3 and 3; the exponent within -30 and 30.

    Parameters
    ----------
    x : array of float64, shape (n_described,)
        What a sound is like.
    places : array of int, shape (n_inputs,)
        Which of those numbers the model looks at.
    table : array of float64, shape (3, n_inputs)
        Mean, spread and weight of each.
    products : array of float64, shape (n_inputs, n_inputs)
        Weights of products; what is below the diagonal does not count.
    bias, temperature : float
        Added to the score, and what the sum is divided by, not 0.

    Returns
    -------
    p : float
        Between 0 and 1.

    Raises
    ------
    ParameterError
        If shapes do not fit each other, or a place is not one of `x`.
    """
    given, which = as_doubles(x, "x"), as_indices(places, "places")
    rows = as_array(table, "table", 2, keep_double=True).astype(np.float64, copy=False)
    pairs = as_array(products, "products", 2, keep_double=True).astype(np.float64, copy=False)
    n = len(which)
    if rows.shape != (3, n) or pairs.shape != (n, n):
        raise ParameterError(f"{which.shape} places, a table of {rows.shape} and products of {pairs.shape}.")
    p = _yes(given, which, rows, pairs, as_number(bias, "bias"), as_number(temperature, "temperature"))
    if p < 0:
        raise ParameterError(f"A place is not one of {len(given)}.")
    return p


@kernel
def _labels(x: Doubles, table: Doubles, weights: Doubles, bias: Doubles, temperature: float) -> Doubles:
    labels, n = weights.shape
    z = np.empty(n)
    for i in range(n):
        z[i] = (x[i] - table[0, i]) / table[1, i]
    p = np.empty(labels)
    highest = -np.inf
    for label in range(labels):
        score = bias[label]
        for i in range(n):
            score += weights[label, i] * z[i]
        p[label] = score / temperature
        highest = max(highest, p[label])
    whole = 0.0
    for label in range(labels):
        p[label] = math.exp(p[label] - highest)
        whole += p[label]
    for label in range(labels):
        p[label] /= whole
    return p


def answer_label(x: ArrayLike, table: ArrayLike, weights: ArrayLike, bias: ArrayLike, *, temperature: float) -> Doubles:
    """How likely each of several labels is, by a linear model of each.

    ``softmax((W z + bias) / T)`` with ``z = (x - mean) / spread``.

    Parameters
    ----------
    x : array of float64, shape (n_inputs,)
        What a sound is like.
    table : array of float64, shape (2, n_inputs)
        Mean and spread of each input.
    weights : array of float64, shape (n_labels, n_inputs)
    bias : array of float64, shape (n_labels,)
    temperature : float
        Not 0.

    Returns
    -------
    p : ndarray of float64, shape (n_labels,)
        They sum to 1.

    Raises
    ------
    ParameterError
        If shapes do not fit each other.
    """
    given, added = as_doubles(x, "x"), as_doubles(bias, "bias")
    rows = as_array(table, "table", 2, keep_double=True).astype(np.float64, copy=False)
    matrix = as_array(weights, "weights", 2, keep_double=True).astype(np.float64, copy=False)
    if rows.shape != (2, len(given)) or matrix.shape != (len(added), len(given)):
        raise ParameterError(f"{len(given)} inputs, a table of {rows.shape} and weights of {matrix.shape}.")
    return _labels(given, rows, matrix, added, as_number(temperature, "temperature"))


@warms
def _warm() -> None:
    one = np.ones((1, 1))
    answer_yes(np.ones(1), np.zeros(1, np.int64), np.ones((3, 1)), one, bias=0.0, temperature=1.0)
    answer_label(np.ones(1), np.ones((2, 1)), one, np.ones(1), temperature=1.0)
