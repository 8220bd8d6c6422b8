"""The numbers of a vector, one at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tests.naive.course import spread_of_octaves
from tests.naive.repeats import comb
from tests.naive.strikes import strikes

Row = Sequence[float]


def timbre(c: Mapping[str, Row], said: Mapping[str, float]) -> list[float]:
    """The first forty."""
    return [
        *c["mfcc"],
        *c["mfcc_spread"],
        *c["contrast"],
        math.log10(max(said["flatness"], 1e-5)),
        said["tonalness"],
        math.sqrt(said["brightness"]),
        spread_of_octaves(c["centroid"], c["weight"], 30.0),
        math.log2(max(said["bandwidth_hz"], 10.0)),
        math.sqrt(said["zero_crossings"]),
        math.log10(0.002 + said["attack_s"]),
    ]


def pitch(c: Mapping[str, Row], said: Mapping[str, float]) -> list[float]:
    """Chroma less its mean, of length one, by tonalness; then the register."""
    length, mean = math.hypot(*c["classes"]) or 1.0, math.fsum(c["classes"]) / 12
    tonal = [(x - mean) / length * said["tonalness"] for x in c["classes"]]
    return [*tonal, *(math.sqrt(x) for x in c["register"])]


def rhythm(c: Mapping[str, Row], envelopes: Sequence[Row], said: Mapping[str, float], lags: Row) -> list[float]:
    """How often it is struck, and when it repeats."""
    count, long = len(c["times"]), max(said["duration_s"], 0.02)
    struck = strikes(c["times"], c["strengths"], 0.3)
    heard = min(1.0, max(0, count - 1) / 3)
    repeats = [heard * comb(c["mix"], lag, [(1.0, 1.0)]) if 0.7 * said["n_frames"] > lag else 0.0 for lag in lags]
    bands = [math.fsum(e) for e in envelopes]
    return [
        math.log2(0.2 + count / long),
        heard * max(c["mix"][20:]),
        math.log2(said["bpm"] / 120) if said["bpm"] else 0.0,
        float(said["bpm"] > 0),
        *repeats,
        *(band / max(math.fsum(bands), 1e-9) for band in bands),
        math.log2(struck[7]) if count > 1 else 2.0,
        struck[8] if count > 2 else 0.0,
        struck[0],
        math.log2(long),
        math.log2(1 + count),
    ]


def dynamics(c: Mapping[str, Row], said: Mapping[str, float]) -> list[float]:
    """How loud it is when."""
    loud = max(said["top"], 1e-9)
    return [
        said["above_tenth"],
        math.log10(0.005 + said["decay_s"]),
        said["centre"],
        max(said["end_db"], -60.0),
        said["mean"] / loud,
        said["above_half"],
        20 * math.log10(loud / max(said["rms"], 1e-9)),
        said["change"],
        *c["parts"],
    ]


def spectrum(by_band: Row) -> list[float]:
    """Level of pairs of bands, smoothed, against the loudest."""
    pairs = [0.0, *(by_band[k] + by_band[k + 1] for k in range(0, len(by_band), 2)), 0.0]
    smooth = [0.25 * pairs[k - 1] + 0.5 * pairs[k] + 0.25 * pairs[k + 1] for k in range(1, len(pairs) - 1)]
    shares = [x / max(*smooth, 1e-12) for x in smooth]
    return [max(10 * math.log10(x), -60.0) if x > 1e-7 else -60.0 for x in shares]
