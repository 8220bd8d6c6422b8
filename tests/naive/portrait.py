"""What a sound is like, a number at a time, from the slow twins."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from tests.naive.course import bands
from tests.naive.harmony import harmony, notes
from tests.naive.repeats import comb
from tests.naive.strikes import strikes

Row = Sequence[float]


def correlation(a: Row, b: Row) -> float:
    """Pearson's, 0 where one is constant."""
    if len(set(a)) == 1 or len(set(b)) == 1:
        return 0.0
    return statistics.correlation(a, b)


def whole(
    duration_s: float,
    times: Row,
    strengths: Row,
    mix: Row,
    n_frames: int,
    chords: Sequence[Row],
    classes: Row,
    register: Row,
    tonalness: float,
    lags: Row,
    teeth: Sequence[tuple[float, float]],
    profiles: Sequence[Row],
    shape: dict[str, float],
    course: dict[str, float],
    centroid_hz: float,
    flatness: float,
) -> list[float]:
    """In the order of `workers.analysis.kind.INPUTS`."""
    second, fourth, strong, last, first_strong, last_strong, uneven, *_ = strikes(times, strengths, 0.3)
    long, count, loud = max(duration_s, 0.01), len(times), max(shape["top"], 1e-9)
    evenness, chord, three, six, entropy = harmony(chords, classes)
    shares = notes(classes)
    ranked = sorted(strengths, reverse=True)
    rises = (ranked[0], *(statistics.median(x) for x in (ranked[: max(1, count // 2)], ranked))) if count else (0, 0, 0)
    fits = [correlation([*classes[k:], *classes[:k]], profile) for k in range(12) for profile in profiles]
    return [
        math.log2(long),
        math.log2(1 + count),
        math.log2(0.1 + count / max(duration_s, 0.05)),
        second,
        fourth,
        max(comb(mix, lag, teeth) for lag in lags),
        max(0.0, *mix[20:]) if n_frames > 40 else 0.0,
        math.log10(max(shape["tail"] / loud, 1e-4)),
        shape["centre"],
        course["mean"] / loud,
        tonalness,
        shares[0],
        evenness,
        max(fits) if any(classes) else 0.0,
        math.log2(max(centroid_hz, 20.0) / 1000),
        math.log10(max(flatness, 1e-5)),
        last / long,
        last_strong / long,
        (last_strong - first_strong) / long,
        course["second_half"],
        math.log2(min(8.0, max(0.01, course["last_quarter"]))),
        course["rise"],
        math.log10(max(course["start"], 1e-3)),
        min(2.0, uneven) if strong > 1 else 2.0,
        math.log2(1 + strong),
        chord,
        three,
        six,
        entropy,
        shares[1],
        shares[2],
        math.fsum(shares[:7]),
        math.fsum(k * x for k, x in enumerate(register)) / 12,
        *(math.log2(1 + rise) for rise in rises),
    ]


def one_shot(said: Row, contrast: Row, mfcc: Row, spread: Row, register: Row, mel: Sequence[Row]) -> list[float]:
    """In the order of `workers.analysis.instrument.INPUTS`; `said` in that of `Said`."""
    long, attack, decay, lasts, centre, end, centroid, width, rolloff, flat, crossings, *rest = said
    tonalness, onsets, second, pitched, height, *first = rest
    shares, starts, lengths = bands(mel, 6, 5)
    return [
        math.log2(max(long, 0.01)),
        *(math.log2(0.003 + x) for x in (attack, decay, lasts)),
        centre,
        end / 20,
        *(math.log2(max(x, 20.0) / 1000) for x in (centroid, width, rolloff)),
        math.log10(max(flat, 1e-5)),
        math.log10(max(crossings, 1e-4)),
        tonalness,
        math.log2(1 + onsets),
        second,
        pitched,
        height,
        height * pitched,
        *first,
        *(x / 10 for x in (*contrast, *mfcc, *spread)),
        *register,
        *(math.log10(x + 1e-4) for x in shares),
        *starts,
        *(math.log2(1 + x) for x in lengths),
    ]
