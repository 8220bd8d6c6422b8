"""MIDI to sound: fluidsynth and the sound fonts, timidity and its patches, as far as they are installed."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.material.midi import Song, encode

SR = 44100
_FONTS = (
    ("fluid", "/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    ("timgm", "/usr/share/sounds/sf2/TimGM6mb.sf2"),
    ("musescore", "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3"),
    ("opl3", "/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"),
)
_OTHERS = (
    ("csound", "/usr/share/sounds/sf2/sf_GMbank.sf2"),
    ("fluidmono", "/usr/share/sounds/sf3/FluidR3Mono_GM.sf3"),
    ("musescore-hq", "/usr/share/sounds/sf3/MuseScore_General.sf3"),
)
"""What nothing is learned from: `others` puts them in the place of the usual ones."""
_PATCHES = Path("/etc/timidity/freepats.cfg")
_LONGEST_RENDER_S = 120


class MissingTools(RuntimeError):
    """A program or data that this material needs is not installed."""


@dataclass(frozen=True, slots=True)
class Font:
    """One set of instruments."""

    name: str
    path: Path

    @property
    def general(self) -> bool:
        """Whether it sounds like instruments: an FM chip is good for one song in ten."""
        return self.name != "opl3"


_on_others: list[bool] = []


@contextmanager
def others() -> Iterator[None]:
    """Within it, what is picked are fonts that no model has learned from."""
    _on_others.append(True)
    try:
        yield
    finally:
        _on_others.pop()


def fonts() -> tuple[Font, ...]:
    """Every set of instruments on this machine that is in use.

    Raises
    ------
    MissingTools
        If there is none.
    """
    return _kept_for_judging() if _on_others else _usual()


@functools.cache
def _kept_for_judging() -> tuple[Font, ...]:
    found = tuple(
        Font(name, Path(path)) for name, path in _OTHERS if Path(path).exists() and shutil.which("fluidsynth")
    )
    if not found:
        raise MissingTools("csound-soundfont, fluidr3mono-gm-soundfont or musescore-general-soundfont is not installed")
    return found


@functools.cache
def _usual() -> tuple[Font, ...]:
    """What models are learned from.

    Raises
    ------
    MissingTools
        If there is none.
    """
    found = [Font(name, Path(path)) for name, path in _FONTS if Path(path).exists() and shutil.which("fluidsynth")]
    if _PATCHES.exists() and shutil.which("timidity"):
        found.append(Font("freepats", _PATCHES))
    if not found:
        raise MissingTools("fluidsynth and a sound font (fluid-soundfont-gm or timgm6mb-soundfont) are not installed")
    return tuple(found)


def pick(rng: np.random.Generator) -> Font:
    """Some font; the FM chip, the patches and what takes long to unpack less often."""
    weight = np.array([{"opl3": 0.3, "freepats": 0.5, "musescore": 0.3}.get(font.name, 1.0) for font in fonts()])
    return fonts()[int(rng.choice(len(weight), p=weight / weight.sum()))]


def render(song: Song, font: Font, *, reverb: bool = True) -> NDArray[np.float32]:
    """The song as sound, shape (frames, 2) at `SR`, with what rings on after its end."""
    return render_midi(encode(song), font, reverb=reverb)


def render_midi(data: bytes, font: Font, *, reverb: bool = True) -> NDArray[np.float32]:
    """A MIDI file as sound, shape (frames, 2) at `SR`."""
    with tempfile.TemporaryDirectory() as folder:
        score, out = Path(folder, "in.mid"), Path(folder, "out.wav")
        score.write_bytes(data)
        subprocess.run(_command(font, score, out, reverb), check=True, capture_output=True, timeout=_LONGEST_RENDER_S)
        y, _ = soundfile.read(out, dtype="float32", always_2d=True)
    return np.asarray(y, np.float32)


def _command(font: Font, score: Path, out: Path, reverb: bool) -> list[str]:
    if font.name == "freepats":
        return ["timidity", "-c", str(font.path), "-Ow", "-s", str(SR), "-A70", "-o", str(out), str(score)]
    space = "1" if reverb else "0"
    settings = ["-o", "synth.dynamic-sample-loading=1", "-R", space, "-C", space, "-g", "0.35"]
    return ["fluidsynth", "-ni", *settings, "-r", str(SR), "-F", str(out), "-O", "float", str(font.path), str(score)]
