"""Other analysers, asked the same questions: only if they are installed, and never a dependency.

``essentia``: RhythmExtractor2013 (degara; multifeature as ``essentia-multi``), KeyExtractor (bgate), and the median of
PitchYinFFT. ``sonara``: its ``analyze_file``. Install them into an environment of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.scoring import Said
from workers.model import TONICS

Ask = Callable[[Path], Said]
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E"}


def peer(name: str) -> Ask:
    """The analyser of that name.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    return PEERS[name]()


def _tonic(name: str) -> str:
    sharp = _FLATS.get(name, name)
    return sharp if sharp in TONICS else ""


def _essentia(method: str) -> Ask:
    import_module("essentia").log.infoActive = False
    import_module("essentia").log.warningActive = False
    es: Any = import_module("essentia.standard")

    def ask(path: Path) -> Said:
        begin = time.process_time()
        y = es.MonoLoader(filename=str(path), sampleRate=44100)()
        bpm, strength = None, 0.0
        if len(y) > 2048:
            bpm, _, found, _, _ = es.RhythmExtractor2013(method=method)(y)
            strength = min(1.0, float(found) / 5.32)
        tonic, mode, certain = es.KeyExtractor()(y)
        name = _tonic(tonic)
        return Said(
            path=str(path),
            bpm=float(bpm) if bpm else None,
            tempo_confidence=strength,
            key=f"{name} {mode}" if name else None,
            key_confidence=max(0.0, min(1.0, float(certain))),
            note_midi=_note(es, y) if len(y) < 12 * 44100 else None,
            audio_s=len(y) / 44100,
            cpu_s=time.process_time() - begin,
        )

    return ask


def _note(es: Any, y: Any) -> int | None:
    """The median pitch of its sure frames."""
    import numpy as np

    window, spectrum = es.Windowing(type="hann", zeroPadding=0), es.Spectrum()
    detect = es.PitchYinFFT(frameSize=4096, minFrequency=25)
    found = [detect(spectrum(window(f))) for f in es.FrameGenerator(y, frameSize=4096, hopSize=1024)]
    sure = [hz for hz, confidence in found if confidence > 0.6 and hz > 20]
    return round(69 + 12 * float(np.log2(np.median(sure) / 440))) if sure else None


def _sonara() -> Ask:
    sonara: Any = import_module("sonara")

    def ask(path: Path) -> Said:
        begin = time.process_time()
        found = sonara.analyze_file(str(path), mode="playlist")
        cpu_s = time.process_time() - begin
        name, _, mode = str(found.get("key") or "").partition(" ")
        key = f"{_tonic(name)} {mode}" if _tonic(name) and mode in ("major", "minor") else None
        return Said(
            path=str(path),
            bpm=float(found["bpm"]) if found.get("bpm") else None,
            tempo_confidence=float(found.get("bpm_confidence") or 0.0),
            key=key,
            key_confidence=float(found.get("key_confidence") or 0.0),
            audio_s=float(found.get("duration_sec") or 0.0),
            cpu_s=cpu_s,
        )

    return ask


PEERS: dict[str, Callable[[], Ask]] = {
    "essentia": lambda: _essentia("degara"),
    "essentia-multi": lambda: _essentia("multifeature"),
    "sonara": _sonara,
}
