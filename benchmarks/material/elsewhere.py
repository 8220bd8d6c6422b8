"""For judging only: other sound fonts, grooves and composers than anything is learned from, and handled otherwise.

What is made is stretched, sped up, sent through a lossy codec, or left alone, by programs that nothing else here uses.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.material import band, classes, fonts, loops, one_shots, pulseless, score_songs, still
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import Groove
from benchmarks.material.made import Made
from benchmarks.material.scores import candidates

Audio = NDArray[np.float32]
SOURCE = "elsewhere: "
_TURNS = (
    *("loop", "score", "shot", "band", "loop", "class", "score", "loop", "still", "shot"),
    *("loop", "score", "class", "band", "loop", "score", "shot", "loop", "pulseless", "class"),
)
_PARTS = ("drums", "full", "drums", "bass", "full", "chords", "drums", "melody", "full", "arp")
_SEED = 11


def _g(genre: str, low: float, high: float, pattern: dict[str, str], **more: Any) -> Groove:
    return Groove(genre, (low, high), (pattern,), **more)


GROOVES = (
    _g("garage", 128, 136, {"kick": "x.........x.....", "snare": "....x.......x...", "hat": "..x..x.x..x..x.x"},
       swing=(0.15, 0.4)),
    _g("carioca", 126, 134, {"kick": "x..x..x.x..x..x.", "clap": "...x..x....x..x.", "hat": "x.x.x.x.x.x.x.x."}),
    _g("samba", 92, 112, {"kick": "x..xx..xx..xx..x", "shaker": "xoxxxoxxxoxxxoxx", "tambourine": "x.xx.xx.x.xx.xx."}),
    _g("afro", 92, 124, {"cowbell": "x.x.xx.x.x.x", "kick": "x.....x.....", "conga": "..xx....xx.."},
       steps=12, per_beat=3),
    _g("motown", 100, 140, {"snare": "x...x...x...x...", "kick": "x.....x.x.....x.", "tambourine": "..x...x...x...x."}),
    _g("metal", 150, 196, {"kick": "x.x.x.x.x.x.x.x.", "snare": "....x.......x...", "crash": "x...x...x...x..."}),
    _g("march", 100, 126, {"kick": "x.......x.......", "snare": "x.xxx.x.x.xxxxxx"}),
    _g("boom bap", 82, 97, {"kick": "x.x....x.xx.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
       swing=(0.1, 0.35)),
    _g("jungle", 158, 174, {"kick": "x.x.......x..x..", "snare": "....x..x.x..x..x", "hat": "x.x.x.x.x.x.x.x."}),
    _g("electro", 118, 134, {"kick": "x..x..x...x..x..", "snare": "....x.......x...", "hat": "xxx.xxx.xxx.xxx.",
       "cowbell": "..x..x....x..x.."}),
    _g("sparse waltz", 78, 130, {"kick": "x...........", "hat": "....x...x..."}, steps=12),
    _g("minimal", 120, 128, {"kick": "x...x...x...x...", "hat": "..x...x...x..xx.", "rim": "......x..x......"}),
    _g("two-beat", 84, 124, {"kick": "x...x...x...x...", "snare": "..x...x...x...x."}),
    _g("slow jam", 58, 78, {"kick": "x.....x...x.....", "snare": "....x.......x...", "hat": "xxxxxxxxxxxxxxxx"}),
    _g("rumba", 84, 116, {"clave": "x..x...x..x.x...", "conga": "x..xx..xx..xx.xx", "shaker": "x.x.x.x.x.x.x.x."}),
)  # fmt: skip


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th, the kinds in turn."""
    turn = _TURNS[n % len(_TURNS)]
    with fonts.others():
        made = _MAKERS[turn](n, rng)
    if made is None:
        return None
    piece = made.row.piece if turn == "score" else f"elsewhere-{n:04}"
    made = replace(made, row=replace(made.row, piece=piece, source=f"{SOURCE}{made.row.source}"))
    return _handled(made, rng)


def _loop(n: int, rng: np.random.Generator) -> Made:
    groove = GROOVES[n * 7 % len(GROOVES)]
    part = _PARTS[n // 2 % len(_PARTS)]
    if part not in ("drums", "full") and groove.steps != 16:
        part = "drums"
    bpm, bars = loops.tempo(groove, rng), int(rng.choice([1, 2, 4, 8], p=(0.15, 0.4, 0.35, 0.1)))
    if bars * groove.beats * 60 / bpm < 1.5:
        bars *= 2
    row, y = loops.played(part, groove, bpm, bars, n, rng)
    return Made(y, SR, row)


def _score(n: int, rng: np.random.Generator) -> Made | None:
    pieces = candidates(_SEED, others=True)
    return score_songs.sung(pieces[n % len(pieces)], rng)


_MAKERS: dict[str, Callable[[int, np.random.Generator], Made | None]] = {
    "loop": _loop,
    "score": _score,
    "band": lambda n, rng: band.arranged(GROOVES[n * 7 % len(GROOVES)], n, rng),
    "shot": lambda n, rng: one_shots.make(int(rng.integers(1000)), rng, _SEED),
    "class": lambda n, rng: classes.make(int(rng.integers(1000)), rng, _SEED),
    "still": lambda n, rng: still.make(int(rng.integers(1000)), rng, _SEED),
    "pulseless": lambda n, rng: pulseless.make(int(rng.integers(1000)), rng, _SEED),
}


def _handled(made: Made, rng: np.random.Generator) -> Made:
    """Stretched, sped up, encoded and decoded, or left as it is."""
    way, long = rng.random(), len(made.y) > 1.5 * SR
    if made.row.bpm is not None and way < 0.2:
        factor = float(rng.uniform(0.86, 1.16))
        y = _through(made.y, ["sox", "IN", "OUT", "tempo", "-m", f"{factor:.5f}"])
        return replace(made, y=y, row=replace(made.row, bpm=made.row.bpm * factor, downbeat_s=None))
    if made.row.bpm is not None and not made.row.key and way < 0.32:
        factor = float(rng.uniform(0.88, 1.14))
        y = _through(made.y, ["sox", "IN", "OUT", "speed", f"{factor:.5f}", "rate", str(SR)])
        return replace(made, y=y, row=replace(made.row, bpm=made.row.bpm * factor, downbeat_s=None))
    if long and way > 0.72:
        codec = ["-c:a", "libmp3lame", "-b:a", str(rng.choice(["96k", "128k", "192k"])), "-f", "mp3"]
        codec = codec if way < 0.9 else ["-c:a", "libopus", "-b:a", str(rng.choice(["48k", "96k"])), "-f", "opus"]
        return replace(made, y=_encoded(made.y, codec))
    return made


def _through(y: Audio, command: list[str]) -> Audio:
    """Through a program that reads a WAV at IN and writes one at OUT."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder, "in.wav"), Path(folder, "out.wav")
        soundfile.write(given, 0.7 * y / max(1e-6, float(np.abs(y).max())), SR, subtype="FLOAT")
        names = {"IN": str(given), "OUT": str(out)}
        subprocess.run([names.get(word, word) for word in command], check=True, capture_output=True, timeout=60)
        return np.asarray(soundfile.read(out, dtype="float32", always_2d=True)[0], np.float32)


def _encoded(y: Audio, codec: list[str]) -> Audio:
    """Through a lossy codec and back, at full length as a player would have it."""
    with tempfile.TemporaryDirectory() as folder:
        small = str(Path(folder, "small"))
        _through(y, ["ffmpeg", "-y", "-i", "IN", *codec, small, "-f", "wav", "OUT"])
        return _through(y, ["ffmpeg", "-y", "-i", small, "-ar", str(SR), "-c:a", "pcm_f32le", "OUT"])
