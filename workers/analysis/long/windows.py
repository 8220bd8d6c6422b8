"""Windows of a long sound: which are listened to for their music, and what each says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis import beats, embedding, key, kind, tempo, worth
from workers.analysis.learned import softmax
from workers.analysis.mono import SILENT_PEAK, SR, Mono
from workers.analysis.overview import Overview, measure
from workers.analysis.periodicity import LONGEST_LOOP_S
from workers.model import Descriptors, Tempo

if TYPE_CHECKING:
    from workers.audio.hints import Hints

WINDOW_S = 60.0
MOST = 32
"""Never more windows than this, and at least half as many where the file is so long. Half an hour is heard whole."""

_LEAST_PART = 2 / 3
"""A shorter end of the file is left out: half a verse says less of a piece than a whole one."""

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """What one window says."""

    start_s: float
    seconds: float
    weight: float
    """Its amplitude (RMS): a loud minute says more of a file than its fading end."""
    whole: Doubles
    """As `kind.describe` makes it."""
    raw: Doubles
    """As `embedding.raw` makes it."""
    bpm: Doubles
    """Candidates; none where there is no pulse."""
    heard: Doubles
    """Their log-odds by ear."""
    tempo: float | None
    """The likeliest of them by ear."""
    keys: Doubles | None
    """Log-odds of the 24 keys; ``None`` where there is no tonality."""
    tuning_cents: float | None
    tonalness: float
    onsets: int
    pulse_clarity: float
    bars: Descriptors
    """As `beats.find_beats` describes them, at its own tempo."""


class Windows:
    """Cuts the passing sound into windows and listens to every so manieth: to all, until there are `MOST`.

    Which are listened to follows from the samples that have gone by alone: headers lie about lengths. When there are
    too many, every second one is forgotten, and from then on twice as many are passed over.
    """

    def __init__(self, look: Callable[[Floats, float], View | None], window_s: float = WINDOW_S) -> None:
        self._look = look
        self._size = round(window_s * SR)
        self._every = 1
        self._at = 0
        self._slot = 0
        self._y = np.empty(self._size, np.float32)
        self._seen: list[tuple[int, tuple[float, float], View | None]] = []

    def add(self, y: Floats) -> None:
        """Take the next samples."""
        while len(y):
            taken = y[: self._size - self._at]
            self._y[self._at : self._at + len(taken)] = taken
            self._at += len(taken)
            y = y[len(taken) :]
            if self._at == self._size:
                self._close()

    def end(self) -> None:
        """Listen to the rest, if there is enough of it or nothing else."""
        if self._at >= _LEAST_PART * self._size or (self._at and not self._seen):
            self._close()

    @property
    def views(self) -> tuple[View, ...]:
        """What was heard in those that are not silent, in order of time."""
        return tuple(view for _, _, view in self._seen if view is not None)

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """Start and end of each window that was listened to."""
        return tuple(span for _, span, _ in self._seen)

    def _close(self) -> None:
        if self._slot % self._every == 0:
            start = self._slot * self._size / SR
            span = round(start, 3), round(start + self._at / SR, 3)
            self._seen.append((self._slot, span, self._look(self._y[: self._at], start)))
        if len(self._seen) > MOST:
            self._every *= 2
            self._seen = [seen for seen in self._seen if seen[0] % self._every == 0]
        self._slot, self._at = self._slot + 1, 0


def look(y: Floats, start_s: float, hints: Hints) -> View | None:
    """Listen to one window; ``None`` if it is silent. It is scaled for itself, as a file of its own would be."""
    centred = y - np.float32(y.mean(dtype=np.float64))
    peak = float(max(centred.max(), -centred.min()))
    if peak < SILENT_PEAK:
        return None
    mono = Mono(centred * np.float32(1 / peak), peak)
    seen = measure(mono, mono.duration_s)
    bpm, heard = _candidates(seen, hints)
    own = float(bpm[tempo.choose(softmax(heard), bpm)[0]]) if len(bpm) else None
    found = tempo.unknown(worth.NO_PULSE) if own is None else Tempo(own, 0.0, None, (), None)
    tracked = beats.find_beats(seen, found, mono.duration_s)
    return View(
        start_s=start_s,
        seconds=mono.duration_s,
        weight=float(np.sqrt(np.dot(centred, centred) / len(centred))),
        whole=seen.whole,
        raw=embedding.raw(seen, found),
        bpm=bpm,
        heard=heard,
        tempo=own,
        keys=key.weigh(seen.chroma) if worth.why_no_key(seen, hints) is None else None,
        tuning_cents=seen.chroma.tuning_cents,
        tonalness=seen.chroma.tonalness,
        onsets=len(seen.onsets.times),
        pulse_clarity=kind.repeats(seen.periodicity),
        bars=beats.NONE if tracked is None else tracked.described,
    )


def _candidates(seen: Overview, hints: Hints) -> tuple[Doubles, Doubles]:
    if worth.why_no_pulse(seen) is not None:
        return np.zeros(0), np.zeros(0)
    # a window's length is no loop's: none of the exact lengths may be looked for
    seconds = max(seen.mono.duration_s, LONGEST_LOOP_S)
    bpm, _, heard = tempo.listen(seen, seconds, tempo.hinted(hints, 0.0))
    return bpm, heard
