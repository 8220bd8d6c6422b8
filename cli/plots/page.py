"""One page a file: its name, what was found, and four panels that show why."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cli.plots.canvas import BLUE, GREEN, GREY, INNER, LEFT, LINE, RED, WIDTH, Box, Canvas
from cli.plots.measures import FASTEST, HIGHEST_HZ, LOWEST_HZ, SLOWEST, Seen, see
from workers.model import TONICS, Tempo

_WAVE, _SPECTRUM = Box(126, 200), Box(394, 300)
_CHROMA, _TEMPO = Box(738, 204), Box(988, 188)
_MOST_LINES = INNER // 6
"""More beats than so many would hide what is below them."""


def draw(path: Path, row: dict[str, Any], y: NDArray[np.float32], sr: int) -> None:
    """Write the picture of a sound, (frames, channels), to `path`; `row` is what the analysis says of it.

    Raises
    ------
    OSError
        The picture cannot be written.
    """
    said = row["tempo"]
    tempo = Tempo(said["bpm"], said["confidence"], said["beats"], (), said["reason"])
    seen = see(y, sr, tempo, row["key"]["tuning_cents"], INNER)
    canvas = Canvas()
    _title(canvas, row, len(y) / sr)
    _wave(canvas, seen)
    _spectrum(canvas, seen)
    _chroma(canvas, seen, row["key"])
    _tempo(canvas, seen, row["tempo"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
        canvas.image.save(file, "PNG")
        os.fchmod(file.fileno(), 0o644)
    os.replace(file.name, path)


def _title(canvas: Canvas, row: dict[str, Any], drawn_s: float) -> None:
    audio, tempo, key, pitch, loudness = (row[part] for part in ("audio", "tempo", "key", "pitch", "loudness"))
    name = os.path.basename(row["path"])
    canvas.text(LEFT, 18, name if len(name) <= 90 else name[:87] + "...", size=28)
    said = [
        f"{row['kind']['label']} ({row['kind']['confidence']:.0%})",
        f"{tempo['bpm']:g} BPM ({tempo['confidence']:.0%})" if tempo["bpm"] else "no tempo",
        f"{key['label']} ({key['confidence']:.0%}), {key['camelot']}" if key["label"] else "no key",
        f"{pitch['note']} {round(pitch['cents']):+d} cents" if pitch["note"] else "no single note",
        "" if loudness["integrated_lufs"] is None else f"{loudness['integrated_lufs']:.1f} LUFS",
        f"{audio['duration_s']:.2f} s{_part(audio, drawn_s)}, {audio['sample_rate_hz']:,} Hz, {audio['channels']} ch",
    ]
    canvas.text(LEFT, 62, "   ·   ".join(part for part in said if part), size=19, fill=GREY)


def _part(audio: dict[str, Any], drawn_s: float) -> str:
    """What of a long file is drawn."""
    return f" (the first {drawn_s:.0f} s are drawn)" if audio["duration_s"] - drawn_s > 0.5 else ""


def _wave(canvas: Canvas, seen: Seen) -> None:
    box, middle = _WAVE, _WAVE.top + _WAVE.height / 2
    beats = len(seen.beats) <= _MOST_LINES and len(seen.beats)
    onsets = len(seen.onsets) <= 2 * _MOST_LINES and len(seen.onsets)
    drawn = {"onsets above": onsets, "beats in red": beats, "bars bold": beats and len(seen.downbeats)}
    canvas.heading(box, "Waveform", ", ".join(said for said, there in drawn.items() if there))
    half = box.height / 2 - 12
    # each column reaches the one before it, or a steep wave would fall apart into dashes
    tops = np.maximum(seen.high, np.append(seen.low[:1], seen.low[:-1]))
    bottoms = np.minimum(seen.low, np.append(seen.high[:1], seen.high[:-1]))
    for n in range(INNER):
        canvas.draw.line(
            (LEFT + n, middle - half * float(tops[n]), LEFT + n, middle - half * float(bottoms[n])), fill=BLUE
        )
    if beats:
        canvas.verticals(box, seen.beats.tolist(), seen.duration_s, RED)
        canvas.verticals(box, seen.downbeats.tolist(), seen.duration_s, RED, 3)
    if onsets:
        canvas.verticals(Box(box.top, 10), seen.onsets.tolist(), seen.duration_s, GREEN, 2)
    canvas.draw.line((LEFT, middle, LEFT + INNER, middle), fill=LINE)
    canvas.frame(box)
    canvas.time_axis(box, seen.duration_s, labels=True)


def _spectrum(canvas: Canvas, seen: Seen) -> None:
    canvas.heading(_SPECTRUM, "Spectrogram", "0 to 70 dB below the loudest, every octave takes the same height")
    canvas.picture(_SPECTRUM, seen.spectrogram)
    canvas.frame(_SPECTRUM)
    octaves = float(np.log2(HIGHEST_HZ / LOWEST_HZ))
    marks = (
        (50, "50 Hz"),
        (100, "100"),
        (200, "200"),
        (500, "500"),
        (1000, "1 kHz"),
        (2000, "2 kHz"),
        (5000, "5 kHz"),
        (10000, "10 kHz"),
    )
    canvas.row_labels(_SPECTRUM, [(float(np.log2(hz / LOWEST_HZ)) / octaves, said) for hz, said in marks])
    canvas.time_axis(_SPECTRUM, seen.duration_s, labels=False)


def _chroma(canvas: Canvas, seen: Seen, key: dict[str, Any]) -> None:
    found = f"the tonic is {key['tonic']}" if key["tonic"] else key["reason"] or ""
    canvas.heading(_CHROMA, "Chroma", f"the twelve notes, octaves laid together; {found}")
    canvas.picture(_CHROMA, np.repeat(seen.chroma, 16, axis=0))
    canvas.frame(_CHROMA)
    canvas.row_labels(_CHROMA, [((n + 0.5) / 12, name) for n, name in enumerate(TONICS)])
    if key["tonic"]:
        y = _CHROMA.bottom - (TONICS.index(key["tonic"]) + 0.5) * _CHROMA.height / 12
        canvas.draw.polygon([(WIDTH - 38, y), (WIDTH - 24, y - 7), (WIDTH - 24, y + 7)], fill=RED)
    canvas.time_axis(_CHROMA, seen.duration_s, labels=False)


def _tempo(canvas: Canvas, seen: Seen, tempo: dict[str, Any]) -> None:
    found = f"found: {tempo['bpm']:g} BPM" if tempo["bpm"] else tempo["reason"] or ""
    canvas.heading(_TEMPO, "Tempogram", f"how well the onsets repeat at each tempo; {found}")
    canvas.picture(_TEMPO, seen.tempogram)
    canvas.frame(_TEMPO)
    octaves = float(np.log2(FASTEST / SLOWEST))
    marks = (40, 60, 80, 100, 120, 160, 200, 240)
    canvas.row_labels(_TEMPO, [(float(np.log2(bpm / SLOWEST)) / octaves, str(bpm)) for bpm in marks])
    if tempo["bpm"] and SLOWEST <= tempo["bpm"] <= FASTEST:
        y = _TEMPO.bottom - float(np.log2(tempo["bpm"] / SLOWEST)) / octaves * _TEMPO.height
        canvas.draw.polygon([(WIDTH - 38, y), (WIDTH - 24, y - 7), (WIDTH - 24, y + 7)], fill=RED)
    canvas.time_axis(_TEMPO, seen.duration_s, labels=True)
