"""Learn the tables in ``workers/analysis/learned`` from labelled audio: ``python -m benchmarks.train LABELS.csv``.

Linear models only, fitted by Newton's method with an L2 penalty; every figure printed is of folds held out by piece,
and so is the temperature that makes the probabilities honest. Beside the files themselves it learns from excerpts cut
at exact beats (what a loop is) and from copies at other speeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.labels import Labelled, read_labels
from workers.analysis import embedding, key, kind, tempo
from workers.analysis.learned import FOLDER
from workers.analysis.mono import SR, Mono, to_mono
from workers.analysis.overview import Overview, measure
from workers.analysis.periodicity import candidates
from workers.model import ASPECTS, TONICS, Tempo

Doubles = NDArray[np.float64]
FOLDS = 6
_KEYS = [f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS]
_PROFILE_GAIN = 8.0
# Learning starts from the published profiles, and returns to them where data say nothing.


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with several answers: what describes each, which is right, how much it counts."""

    X: Doubles
    right: int
    weight: float
    piece: str
    original: bool


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound to learn from."""

    label: Labelled
    seen: Overview
    duration_s: float
    bpm: float | None
    original: bool


def main() -> None:
    """Learn everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    sounds = list(_sounds(read_labels(options.labels)))
    learners: dict[str, Callable[[list[Sound]], dict[str, object]]] = {
        "tempo": _learn_tempo,
        "key": _learn_key,
        "kind": _learn_kind,
        "pulse": _learn_pulse,
        "tonality": _learn_tonality,
        "vector": _learn_vector,
    }
    for name, learn in learners.items():
        table = learn(sounds)
        (options.out / f"{name}.json").write_text(json.dumps(table, indent=1) + "\n", "utf-8")


# -- sounds


def _sounds(labels: Sequence[Labelled]) -> Iterator[Sound]:
    rng = np.random.default_rng(1)
    for label in labels:
        y, sr = soundfile.read(label.path, dtype="float32", always_2d=True)
        mono = to_mono(y, sr)
        if mono.silent:
            continue
        yield _sound(label, mono.y, label.bpm, original=True)
        if label.bpm:
            for speed in rng.uniform(0.87, 1.15, 2):
                yield _sound(label, _at_speed(mono.y, speed), label.bpm / speed, original=False)
            for beats in (4, 8, 16, 32):
                yield from _excerpt(label, mono.y, beats, rng)
        if label.one_shot:
            for _ in range(2):
                yield _sound(label, _edited(mono.y, rng), None, original=False)
    for name, noise in _without_anything(rng):
        yield _sound(Labelled(Path(name), None, None, "noise", "made"), noise, None, original=True)
    for n in range(40):
        yield _sound(Labelled(Path(f"pluck-{n}"), None, None, "oneshot", "made"), _pluck(rng), None, original=False)
    for n in range(40):
        bpm = float(rng.uniform(60, 180))
        label = Labelled(Path(f"clicks-{n}"), bpm, None, "loop", "made")
        yield _sound(label, _clicks(bpm, rng), bpm, original=False)


def _sound(label: Labelled, y: NDArray[np.float32], bpm: float | None, *, original: bool) -> Sound:
    y = y / np.float32(max(float(np.abs(y).max()), 1e-6))
    return Sound(label, measure(Mono(y, 1.0), len(y) / SR), len(y) / SR, bpm, original)


def _at_speed(y: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
    return np.asarray(soxr.resample(y, SR, SR * speed), np.float32)


def _excerpt(label: Labelled, y: NDArray[np.float32], beats: int, rng: np.random.Generator) -> Iterator[Sound]:
    """A loop of so many beats, from the start of some bar, a little faster or slower."""
    assert label.bpm
    beat = 60 * SR / label.bpm
    if len(y) < max(10 * SR, (beats + 1) * beat):
        return
    start = int(rng.integers(0, max(1, int((len(y) - beats * beat) / (4 * beat))))) * 4 * beat
    speed = rng.uniform(0.9, 1.1)
    loop = _at_speed(y[round(start) : round(start + beats * beat)], speed)
    if float(np.abs(loop).max()) > 0.01:
        yield _sound(label, loop, label.bpm / speed, original=False)


def _edited(y: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A one-shot faster or slower, and cut or faded early."""
    y = _at_speed(y, rng.uniform(0.7, 1.4)).copy()
    end = max(256, int(len(y) * rng.uniform(0.3, 1)))
    y = y[:end]
    if rng.random() < 0.5:
        y *= np.linspace(1, 0, len(y), dtype=np.float32) ** 2
    return y


def _pluck(rng: np.random.Generator) -> NDArray[np.float32]:
    """A note or a chord that dies away, perhaps cut off."""
    t = np.arange(int(SR * rng.uniform(0.2, 5))) / SR
    root = rng.uniform(28, 90)
    notes = root + np.array([0, rng.choice([3, 4]), 7])[: rng.choice([1, 1, 3])]
    decay = rng.uniform(0, 6)
    y = np.zeros(len(t))
    for note in notes:
        hz = 440 * 2 ** ((note - 69) / 12)
        for h in range(1, int(min(12, 10000 / hz)) + 1):
            y += np.sin(2 * np.pi * h * hz * t) * np.exp(-t * decay * (1 + 0.3 * h)) / h ** rng.uniform(0.7, 2)
    y *= np.minimum(1, t / rng.uniform(0.001, 0.2))
    return np.asarray(0.8 * y / np.abs(y).max(), np.float32)


def _clicks(bpm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Short bursts on each beat, now and then one between them."""
    beats = int(rng.choice([8, 16, 32]))
    y = np.zeros(round(beats * 60 / bpm * SR) + 2000)
    for beat in range(beats):
        for at, level in ((beat, 1.0), (beat + 0.5, 0.5 * (rng.random() < 0.3))):
            start = round(at * 60 / bpm * SR)
            y[start : start + 1000] += level * rng.standard_normal(1000) * np.exp(-np.arange(1000) / 150)
    return np.asarray(0.5 * y[:-2000] / np.abs(y).max(), np.float32)


def _without_anything(rng: np.random.Generator) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Noise, steady tones, drones, clicks at random: no tempo, and mostly no key."""
    for n in range(24):
        size = int(SR * rng.uniform(0.5, 12))
        t = np.arange(size) / SR
        white = rng.standard_normal(size)
        brown = np.cumsum(white)
        brown -= np.convolve(brown, np.ones(2001) / 2001, "same")
        swell = np.sin(np.pi * t / t[-1]) ** 2
        tone = sum(np.sin(2 * np.pi * h * rng.uniform(60, 600) * t) / h for h in range(1, 5))
        clicks = np.zeros(size)
        clicks[rng.integers(0, size, max(1, int(6 * t[-1])))] = 1
        sound = (white, brown, white * swell, tone, tone * swell, clicks)[n % 6]
        yield f"made-{n}", (0.5 * sound / np.abs(sound).max()).astype(np.float32)


# -- models


def _folds(pieces: Sequence[str]) -> NDArray[np.int64]:
    names = sorted(set(pieces))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[at]: i % FOLDS for i, at in enumerate(order)}
    return np.array([fold[piece] for piece in pieces])


def _fit_choices(choices: Sequence[Choice], l2: float, start: Doubles) -> Doubles:
    """Conditional logit by Newton's method: the penalty pulls towards `start`."""
    w = start.copy()
    for _ in range(25):
        gradient = l2 * (w - start)
        hessian = l2 * np.eye(len(w))
        for choice in choices:
            z = choice.X @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            mean = p @ choice.X
            gradient += choice.weight * (mean - choice.X[choice.right])
            hessian += choice.weight * ((choice.X.T * p) @ choice.X - np.outer(mean, mean))
        step = np.linalg.solve(hessian, gradient)
        w -= step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(step).max()) < 1e-6:
            break
    return w


def _fit_yes_no(X: Doubles, y: Doubles, weight: Doubles, l2: float) -> Doubles:
    """Logistic regression by Newton's method; the last weight is the bias, free of penalty."""
    X = np.column_stack([X, np.ones(len(X))])
    penalty = np.full(X.shape[1], l2)
    penalty[-1] = 1e-6
    w = np.zeros(X.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(X @ w, -30, 30)))
        gradient = X.T @ (weight * (p - y)) + penalty * w
        step = np.linalg.solve((X.T * (weight * p * (1 - p))) @ X + np.diag(penalty), gradient)
        w -= step * min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(step).max()) < 1e-6:
            break
    return w


def _temperature(scores: Sequence[Doubles], right: Sequence[int]) -> float:
    """What to divide held-out scores by so that the right answers are likeliest."""

    def loss(t: float) -> float:
        total = 0.0
        for z, at in zip(scores, right, strict=True):
            scaled = z / t - (z / t).max()
            total += float(np.log(np.exp(scaled).sum()) - scaled[at])
        return total

    return float(min(np.exp(np.linspace(np.log(0.4), np.log(4), 60)), key=loss))


def _table(
    names: Sequence[str], mean: Doubles, spread: Doubles, weights: Doubles, bias: float, t: float
) -> dict[str, object]:
    return {
        "names": list(names),
        "mean": [float(f"{x:.6g}") for x in mean],
        "spread": [float(f"{x:.6g}") for x in spread],
        "weights": [float(f"{x:.6g}") for x in weights],
        "bias": float(f"{bias:.6g}"),
        "temperature": float(f"{t:.4g}"),
    }


def _held_out(choices: Sequence[Choice], l2: float, start: Doubles) -> list[Doubles]:
    """Each question's scores by the model that saw nothing of its piece."""
    fold = _folds([choice.piece for choice in choices])
    scores: list[Doubles] = [np.zeros(0)] * len(choices)
    for k in range(FOLDS):
        w = _fit_choices([c for c, f in zip(choices, fold, strict=True) if f != k], l2, start)
        for i in np.flatnonzero(fold == k).tolist():
            scores[i] = choices[i].X @ w
    return scores


def _report(name: str, choices: Sequence[Choice], scores: Sequence[Doubles], t: float) -> None:
    for group, wanted in (("files", True), ("excerpts", False)):
        chosen = [i for i, c in enumerate(choices) if c.original is wanted]
        if chosen:
            hits = np.array([scores[i].argmax() == choices[i].right for i in chosen])
            sure = np.array([_top(scores[i] / t) for i in chosen])
            print(f"{name}, {group}: {hits.mean():.3f} right, {sure.mean():.3f} believed, of {len(chosen)}")


def _top(z: Doubles) -> float:
    return float(1 / np.exp(z - z.max()).sum())


# -- lessons


def _learn_tempo(sounds: list[Sound]) -> dict[str, object]:
    raw = []
    for s in sounds:
        if s.bpm is None:
            continue
        bpm = candidates(s.seen.periodicity, s.duration_s, ())
        off = np.abs(bpm / s.bpm - 1) if len(bpm) else np.ones(1)
        if off.min() < 0.03:
            raw.append((tempo.describe(s.seen.periodicity, s.seen.onsets, bpm, s.duration_s), int(off.argmin()), s))
        elif s.original:
            print(f"tempo: {s.label.path.name} is not among its candidates")
    rows = np.concatenate([X for X, _, _ in raw])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    choices = [
        Choice((X - mean) / spread, at, 1.0 if s.original else 0.4, s.label.piece, s.original) for X, at, s in raw
    ]
    start = np.zeros(rows.shape[1])
    scores = _held_out(choices, 10.0, start)
    t = _temperature(*zip(*((z, c.right) for z, c in zip(scores, choices, strict=True) if c.original), strict=True))
    _report("tempo", choices, scores, t)
    return _table(tempo.INPUTS, mean, spread, _fit_choices(choices, 10.0, start), 0.0, t)


def _learn_key(sounds: list[Sound]) -> dict[str, object]:
    choices = [
        Choice(key.describe(s.seen.chroma), _KEYS.index(s.label.key), 1.0, s.label.piece, s.original)
        for s in sounds
        if s.label.key and s.original
    ]
    none = np.zeros(12 * (len(key.PARTS) - 1))
    profiles = [(p - np.mean(p)) / np.std(p) * _PROFILE_GAIN for p in (key.MAJOR, key.MINOR)]
    start = np.concatenate([profiles[0], none, profiles[1], none])
    scores = _held_out(choices, 0.06, start)
    t = _temperature(scores, [c.right for c in choices])
    _report("key", choices, scores, t)
    names = [f"{mode} {part} {step}" for mode in ("major", "minor") for part in key.PARTS for step in range(12)]
    return _table(names, np.zeros(72), np.ones(72), _fit_choices(choices, 0.06, start), 0.0, t)


def _learn_kind(sounds: list[Sound]) -> dict[str, object]:
    made = [s for s in sounds if s.label.kind != "noise" and s.duration_s < 40]
    return _yes_no("kind", made, [not s.label.one_shot for s in made], kind.SHAPE_INPUTS)


def _learn_pulse(sounds: list[Sound]) -> dict[str, object]:
    known = [s for s in sounds if s.bpm or s.label.one_shot or s.label.kind == "noise"]
    return _yes_no("pulse", known, [s.bpm is not None for s in known], kind.TIME_INPUTS)


_DRUMS = ("bd_", "sn_", "hat_", "drum_", "perc_", "elec_", "vinyl_", "made-", "tabla_")


def _learn_tonality(sounds: list[Sound]) -> dict[str, object]:
    """Notated music against drums, drum machines and noise."""
    known, yes = [], []
    for s in sounds:
        drums = s.label.path.name.startswith(_DRUMS) or s.label.kind == "drum_machine" or s.label.kind == "noise"
        if drums or s.label.key or s.label.slice == "gm_midi":
            known.append(s)
            yes.append(not drums)
    return _yes_no("tonality", known, yes, kind.INPUTS)


def _learn_vector(sounds: list[Sound]) -> dict[str, object]:
    """Mean and spread of each dimension over one-shots, loops and music alike; each aspect has the same weight."""
    rows: dict[bool, list[Doubles]] = {True: [], False: []}
    for s in sounds:
        if s.original and s.label.kind != "noise":
            bpm = s.bpm
            said = tempo.unknown("") if bpm is None else Tempo(bpm, 1.0, None, (), None)
            rows[s.label.one_shot].append(embedding.raw(s.seen, said))
    # one-shots and the rest count the same, however many of each there are
    halves = [np.stack(part) for part in rows.values() if part]
    mean = np.mean([X.mean(axis=0) for X in halves], axis=0)
    spread = np.sqrt(np.mean([((X - mean) ** 2).mean(axis=0) for X in halves], axis=0)) + 1e-6
    weights = np.concatenate([np.full(high - low, (high - low) ** -0.5) for low, high in ASPECTS.values()]) * 4
    return _table(embedding.DIMENSIONS, mean, spread, weights, 0.0, 1.0)


def _yes_no(name: str, sounds: Sequence[Sound], yes: Sequence[bool], inputs: tuple[str, ...]) -> dict[str, object]:
    X = kind.chosen(np.stack([s.seen.whole for s in sounds]), inputs)
    y = np.array(yes, np.float64)
    mean, spread = X.mean(axis=0), X.std(axis=0) + 1e-6
    weight = np.array([1.0 if s.original else 0.4 for s in sounds])
    weight *= np.where(y > 0, 0.5 / max(1.0, (weight * y).sum()), 0.5 / max(1.0, (weight * (1 - y)).sum())) * len(y)
    Z = (X - mean) / spread
    fold = _folds([s.label.piece for s in sounds])
    scores = np.zeros(len(y))
    for k in range(FOLDS):
        w = _fit_yes_no(Z[fold != k], y[fold != k], weight[fold != k], 2.0)
        scores[fold == k] = np.column_stack([Z, np.ones(len(Z))])[fold == k] @ w
    t = _temperature([np.array([0.0, z]) for z in scores], [int(v) for v in y])
    hits = (scores > 0) == (y > 0)
    print(
        f"{name}: {hits[y > 0].mean():.3f} of {int(y.sum())} yes, {hits[y == 0].mean():.3f} of {int((1 - y).sum())} no"
    )
    for s, hit in zip(sounds, hits, strict=True):
        if not hit and s.original:
            print("   wrong:", s.label.path.name)
    w = _fit_yes_no(Z, y, weight, 2.0)
    return _table(inputs, mean, spread, w[:-1], float(w[-1]), t)


if __name__ == "__main__":
    main()
