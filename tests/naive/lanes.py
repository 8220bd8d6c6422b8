"""Eight operations on sixteen numbers, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = Sequence[float]


def operations(a: Row, b: Row) -> dict[str, list[float]]:
    """What each operation makes of two rows of sixteen positive numbers, and of 32 for every second."""
    both = [*a, *b]
    pairs = list(zip(a, b, strict=True))
    return {
        "add": [x + y for x, y in pairs],
        "less": [x - y for x, y in pairs],
        "times": [x * y for x, y in pairs],
        "over": [x / y for x, y in pairs],
        "times three": [3.0 * x for x in a],
        "higher": [max(x, y) for x, y in pairs],
        "lower": [min(x, y) for x, y in pairs],
        "where less": [1.0 if x < y else 2.0 for x, y in pairs],
        "root": [math.sqrt(x) for x in a],
        "magnitude": [abs(x - y) for x, y in pairs],
        "exponent": [float(math.floor(math.log2(x))) for x in a],
        "mantissa": [x / 2.0 ** math.floor(math.log2(x)) for x in a],
        "even": both[0::2],
        "odd": both[1::2],
        "mask": [float(sum(1 << i for i, (x, y) in enumerate(pairs) if x < y))] * 16,
        "total": [math.fsum(a)] * 16,
        "highest": [max(a)] * 16,
    }
