"""The tempo: which candidate people tap, and what hints are worth."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.labels import Labelled
from benchmarks.train import network
from benchmarks.train.fit import Choice, fit_choices, temperature
from benchmarks.train.folds import show
from benchmarks.train.hints import made_up
from benchmarks.train.network import Member, Question
from benchmarks.train.sounds import Sound
from workers.analysis import metre, tempo
from workers.analysis.learned import softmax
from workers.analysis.periodicity import candidates

Doubles = NDArray[np.float64]

_RIGHT, _ALMOST = 0.01, 0.03
_EDIT_WEIGHT = 0.4
_RECORDED_WEIGHT = 2.0
"""What was not rendered by ours counts more: there is little of it, and it is what the rest imitates."""

MEMBERS = (
    Member(slice(0, metre.INPUTS.index("full at rate 1/4")), hidden=24, epochs=15, drop=0.15),
    Member(slice(None), hidden=48, epochs=20, drop=0.4),
)
"""One sees repetition, length and tempo only, one everything: the first errs less on what sounds unlike the training
music, the second on what sounds like it, and together they err less than either."""
_HINTS = ("name", "acid", "acid beats", "tag")
ODDS = ("heard", *(f"{source}{octave}" for source in _HINTS for octave in ("", " octave")))
_L2 = 1.0
_LEAST_ODDS = 0.1
"""A hint does not speak against what it names."""
_MULTIPLES = (1, 2, 0.5, 3, 1 / 3)


@dataclass(frozen=True, slots=True)
class _Heard:
    label: Labelled
    true: float
    original: bool
    bpm: Doubles
    """Candidates, those that only hints named last."""
    heard: int
    """How many of them were heard."""
    X: NDArray[np.float32]
    said: list[tuple[str, float]]

    @property
    def right(self) -> NDArray[np.bool_]:
        """What is within 1 %, or else the nearest within 3 %."""
        off = np.abs(self.bpm / self.true - 1)
        least = float(off.min())
        return off <= (_RIGHT if least < _RIGHT else least if least < _ALMOST else -1.0)


class TempoLesson:
    """A network over the candidates of each file, then a conditional logit over it and the hints."""

    edits = True
    judged_apart = False

    def __init__(self) -> None:
        self._heard: list[_Heard] = []

    def hear(self, sound: Sound) -> None:
        """What has a tempo."""
        if sound.bpm is None:
            return
        seen, duration_s = sound.seen, sound.duration_s
        rng = np.random.default_rng(zlib.crc32(f"{sound.label.path.name} {sound.bpm:.4f}".encode()))
        said = tempo.hinted(made_up(sound.bpm, duration_s, rng), duration_s)
        heard = len(candidates(seen.periodicity, duration_s, ()))
        bpm = candidates(seen.periodicity, duration_s, tuple(wanted for _, wanted in said))
        if not heard:
            return
        X = metre.describe(seen.periodicity, seen.onsets, seen.chroma, bpm, duration_s).astype(np.float32)
        self._heard.append(_Heard(sound.label, sound.bpm, sound.original, bpm, heard, X, said))

    def learn(self) -> dict[str, object]:
        """The table of `tempo`."""
        questions = [Question(h.X[: h.heard], h.right[: h.heard], _weight(h), h.label.piece) for h in self._heard]
        scale = network.scale_of(questions)
        scores = network.held_out(questions, [h.X for h in self._heard], scale, MEMBERS)
        odds = self._odds(scores)
        self._report(scores, odds)
        answerable = [q for q in questions if q.right.any()]
        layers = network.ensemble(network.padded(answerable, scale), MEMBERS)
        return {
            "inputs": list(metre.INPUTS),
            **{name: _lines(value) for name, value in (("mean", scale.mean), ("spread", scale.spread))},
            **{name: _lines(value) for name, value in layers.items()},
            "odds": {name: float(f"{value:.4g}") for name, value in zip(ODDS, odds, strict=True)},
        }

    def _odds(self, scores: Sequence[Doubles]) -> Doubles:
        """How sharp what was heard is, from files without hints; then what each hint adds to it."""
        told = [(z, h) for z, h in zip(scores, self._heard, strict=True) if h.right[: h.heard].any() and h.original]
        t = temperature([z[: h.heard] for z, h in told], [int(h.right.argmax()) for _, h in told])
        choices = [
            Choice(np.column_stack([z / t, _hint_columns(h)]), int(h.right.argmax()), 1.0, "", "", True)
            for z, h in zip(scores, self._heard, strict=True)
            if h.right.any() and h.said
        ]
        start = np.zeros(len(ODDS))
        start[0] = 1.0
        weights = fit_choices(choices, _L2, start)
        # the hints' share is kept when the sharpness is set back to that of files without hints
        weights[1:] /= max(weights[0], 0.1)
        weights[1::2] = np.maximum(weights[1::2], _LEAST_ODDS)
        weights[0] = 1 / t
        return weights

    def _report(self, scores: Sequence[Doubles], odds: Doubles) -> None:
        pairs = [(z, h) for z, h in zip(scores, self._heard, strict=True)]
        for title, wanted in (("files", True), ("edits", False)):
            part = [(z[: h.heard] * odds[0], h.bpm[: h.heard], h) for z, h in pairs if h.original is wanted]
            _show(title, part)
            if wanted:
                _name_mistakes(part)
        hinted = [(z * odds[0] + _hint_columns(h) @ odds[1:], h.bpm, h) for z, h in pairs if h.original and h.said]
        _show("files with hints made up", hinted)
        print("odds:", ", ".join(f"{name} {value:.2f}" for name, value in zip(ODDS, odds, strict=True)))


def _weight(h: _Heard) -> float:
    return (1.0 if h.original else _EDIT_WEIGHT) * (1.0 if h.label.group else _RECORDED_WEIGHT)


def _hint_columns(h: _Heard) -> Doubles:
    """How much each hint agrees with each candidate, and with its octaves."""
    columns = np.zeros((len(h.bpm), 2 * len(_HINTS)))
    for source, wanted in h.said:
        at = 2 * _HINTS.index(source)
        columns[:, at], columns[:, at + 1] = tempo.agreement(h.bpm, wanted)
    return columns


def _show(title: str, part: Sequence[tuple[Doubles, Doubles, _Heard]]) -> None:
    """Within 4 %, an octave allowed, within 1 %, by slice; and whether what was believed came true."""
    chosen = [tempo.choose(softmax(z), bpm) for z, bpm, _ in part]
    ratio = np.array([bpm[at] / h.true for (at, _), (_, bpm, h) in zip(chosen, part, strict=True)])
    belief = np.array([confidence for _, confidence in chosen])
    slices = [h.label.slice + (" (made)" if h.label.group else "") for _, _, h in part]
    right = np.abs(ratio - 1) < 0.04
    any_octave = np.min([np.abs(ratio / m - 1) for m in _MULTIPLES], axis=0) < 0.04
    for name, hits in (("within 4 %", right), ("or a multiple", any_octave), ("within 1 %", np.abs(ratio - 1) < 0.01)):
        show(f"{title}, {name}", slices, hits.tolist())
    bins = np.minimum(9, (belief * 10).astype(int))
    gaps = [(bins == b).sum() * abs(belief[bins == b].mean() - right[bins == b].mean()) for b in np.unique(bins)]
    print(f"   believed {100 * belief.mean():.1f}, calibration error {sum(gaps) / max(1, len(belief)):.3f}")
    for b in np.unique(bins):
        print(f"   {b / 10:.1f}-{b / 10 + 0.1:.1f}: {100 * right[bins == b].mean():.0f} % of {(bins == b).sum()}")


def _name_mistakes(part: Sequence[tuple[Doubles, Doubles, _Heard]]) -> None:
    for z, bpm, h in part:
        said = float(bpm[tempo.choose(softmax(z), bpm)[0]])
        if not h.label.group and abs(said / h.true - 1) >= 0.04:
            print(f"   {h.label.path.name}: {h.true:g} and said {said:.2f}")


def _lines(values: NDArray[np.float32] | Doubles) -> str | list[str]:
    """A vector on one line, a matrix on a line for each row: 20,000 lines of one number are no use to anybody."""
    if values.ndim == 2:
        return [_line(row) for row in values]
    return _line(values)


def _line(values: NDArray[np.float32] | Doubles) -> str:
    return " ".join(f"{x:.4g}" for x in values)
