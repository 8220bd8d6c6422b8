"""The key: what speaks for each of 24, learned from the published profiles on."""

from __future__ import annotations

import numpy as np

from benchmarks.scoring import mirex
from benchmarks.train.fit import Choice, Doubles, honest, table, temperature, top
from benchmarks.train.folds import show
from benchmarks.train.softmax import Questions
from benchmarks.train.sounds import Sound
from workers.analysis import key, worth
from workers.audio.hints import Hints
from workers.model import TONICS

_KEYS = [f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS]
_PROFILE_GAIN = 8.0
# Learning starts from the published profiles, and returns to them where data say nothing.
_L2 = 0.5
_SECTION_WEIGHT = 0.33


class KeyLesson:
    """24 keys, a conditional logit over them: the same weights for every tonic."""

    edits = False
    judged_apart = True

    def __init__(self) -> None:
        self._choices: list[Choice] = []
        self._sections: list[Choice] = []
        self._halves: list[list[int]] = []
        self._said: list[bool] = []
        self._apart: dict[str, list[tuple[list[Doubles], int]]] = {}

    def hear(self, sound: Sound) -> None:
        """Files with a key, and their halves; edits of them say nothing new."""
        label, chroma = sound.label, sound.seen.chroma
        if not (label.key and sound.original) or label.one_shot or chroma.empty:
            return
        right, group = _KEYS.index(label.key), f"{label.slice} {label.kind}"
        views = [key.describe(chroma, section) for section in key.sections(chroma)]
        said = worth.why_no_key(sound.seen, Hints()) is None
        if sound.apart:
            if said:
                self._apart.setdefault(sound.apart, []).append((views, right))
            return
        self._said.append(said)
        self._choices.append(Choice(views[0], right, 1.0, label.piece, group, True))
        self._halves.append(list(range(len(self._sections), len(self._sections) + len(views) - 1)))
        self._sections += [Choice(X, right, _SECTION_WEIGHT, label.piece, group, False) for X in views[1:]]

    def learn(self) -> dict[str, object]:
        """The table of `key`."""
        parts = [(part, 24 if "chords" in part else 12) for part in key.PARTS]
        start = np.concatenate([_from_profile(key.MAJOR, parts), _from_profile(key.MINOR, parts)])
        questions = Questions([*self._choices, *self._sections])
        held_out = questions.held_out(_L2, start)
        wholes, halves = held_out[: len(self._choices)], held_out[len(self._choices) :]
        scores = [key.vote([z, *(halves[i] for i in at)]) for z, at in zip(wholes, self._halves, strict=True)]
        weights = questions.fit_all(_L2, start)
        t = self._honest(scores, weights)
        self._report(scores, t)
        names = [f"{mode} {part} {step}" for mode in ("major", "minor") for part, n in parts for step in range(n)]
        return table(names, np.zeros(len(names)), np.ones(len(names)), weights, 0.0, t)

    def _honest(self, scores: list[Doubles], weights: Doubles) -> float:
        """Of the files that a key is said of, here and apart."""
        right = [c.right for c in self._choices]
        sources = [[(z, at) for z, at, said in zip(scores, right, self._said, strict=True) if said]]
        for part in self._apart.values():
            sources.append([(key.vote([X @ weights for X in views]), at) for views, at in part])
        return honest(sources, temperature(scores, right))

    def _report(self, scores: list[Doubles], t: float) -> None:
        right = [c.right for c in self._choices]
        hits = [bool(z.argmax() == at) for z, at in zip(scores, right, strict=True)]
        modes = ["major" if at < 12 else "minor" for at in right]
        show("exact", [c.slice for c in self._choices], hits)
        show("exact", [f"{c.slice.split()[0]} {mode}" for c, mode in zip(self._choices, modes, strict=True)], hits)
        show("exact", modes, hits)
        points = [mirex(_KEYS[int(z.argmax())], _KEYS[at]) for z, at in zip(scores, right, strict=True)]
        print(f"MIREX: {100 * np.mean(points):.1f}; believed: {100 * np.mean([top(z / t) for z in scores]):.1f}")


def _from_profile(profile: Doubles, parts: list[tuple[str, int]]) -> Doubles:
    """The profile for the chroma of the whole, nothing for the other parts."""
    known = (profile - np.mean(profile)) / np.std(profile) * _PROFILE_GAIN
    return np.concatenate([known if part == "whole" else np.zeros(n) for part, n in parts])
