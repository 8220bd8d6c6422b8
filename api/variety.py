"""Different ones of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from api.index import Found
from api.similarity import bearings


def farthest_first(found: Sequence[Found], weights: Mapping[str, float], limit: int) -> list[Found]:
    """The first, and then each time the one whose nearest of those chosen is farthest.

    It is Gonzalez' farthest-point traversal [1]_ by the score of a search; of equals the one found earlier.

    References
    ----------
    .. [1] T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 38,
       1985.
    """
    if not found:
        return []
    rows = bearings([one.vector for one in found], weights)
    chosen = [0]
    nearest = rows @ rows[0]
    while len(chosen) < min(limit, len(found)):
        nearest[chosen[-1]] = np.inf
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, rows @ rows[chosen[-1]])
    return [found[at] for at in chosen]
