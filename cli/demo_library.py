"""Makes the demo library: real sounding files whose tempo, key and note are known, and some that are broken.

    python -m cli.demo_library FOLDER

writes ``FOLDER/library`` and, beside it, ``FOLDER/truth.csv``. The same version writes the same sounds.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from cli.demo_truth import Truth, write_truth
from cli.synth.dsp import SR
from cli.synth.music import EVERYTHING, Sound

VERSION = "4"


def make(folder: Path) -> Path:
    """Write the library below `folder` unless this version is there already; its path."""
    library = folder / "library"
    version = folder / "version"
    if library.is_dir() and version.exists() and version.read_text() == VERSION:
        return library
    part = folder / "library.part"
    for old in (part, library):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir(parents=True)
    truths = [_write(part, sound) for sound in EVERYTHING]
    truths += _write_oddities(part)
    write_truth(folder, truths)
    part.rename(library)
    version.write_text(VERSION)
    return library


def _write(folder: Path, sound: Sound) -> Truth:
    path = folder / sound.path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, sound.make())
    return Truth(sound.path, sound.kind, sound.bpm, sound.beats, sound.key, sound.note)


def write_audio(path: Path, y: NDArray[np.float64]) -> None:
    """Write (frames,) or (frames, channels) in the format of the name; WAV files in turn as 16, 24 bit and float."""
    subtype = {
        ".wav": ("PCM_16", "PCM_24", "FLOAT")[len(path.stem) % 3],
        ".flac": "PCM_24",
        ".aif": "PCM_16",
        ".aiff": "PCM_24",
        ".ogg": "VORBIS",
        ".mp3": "MPEG_LAYER_III",
    }[path.suffix]
    container = {".aif": "AIFF", ".aiff": "AIFF", ".ogg": "OGG", ".mp3": "MP3"}.get(path.suffix)
    channels = 1 if y.ndim == 1 else y.shape[1]
    with soundfile.SoundFile(path, "w", SR, channels, subtype, format=container) as file:
        for start in range(0, len(y), 65536):  # libvorbis overflows its stack on one large block
            file.write(y[start : start + 65536])
    if subtype == "FLOAT":
        _without_date(path)


def _without_date(path: Path) -> None:
    """libsndfile writes the time into a float file's PEAK chunk: the same sound shall be the same bytes."""
    content = bytearray(path.read_bytes())
    at = content.find(b"PEAK", 0, 256)
    if at >= 0:
        content[at + 12 : at + 16] = bytes(4)  # behind its name, size and version
        path.write_bytes(content)


def _write_oddities(folder: Path) -> list[Truth]:
    odd = folder / "oddities"
    odd.mkdir(exist_ok=True)
    (odd / "Empty.wav").write_bytes(b"")
    (odd / "Only A Header.wav").write_bytes(_header_of_nothing())
    (odd / "Shopping List.wav").write_text("kick drum\nnew strings\noat milk\n" * 20)
    (odd / "Cut Off Download.flac").write_bytes((folder / "loops/drums/techno_drive_132bpm.flac").read_bytes()[:30])
    (odd / "Random Bytes.mp3").write_bytes(np.random.default_rng(7).bytes(6000))
    soundfile.write(odd / "Not A Number.wav", np.full(SR, np.nan), SR, "FLOAT")
    os.mkfifo(odd / "Pipe.wav")
    (odd / "Loop To Itself.wav").symlink_to("Loop To Itself.wav")
    copied = "House Groove (copy).wav"
    (odd / copied).write_bytes((folder / "loops/drums/House Groove 124 BPM.wav").read_bytes())
    refused = [path.name for path in sorted(odd.iterdir()) if path.name not in (copied, "Silent Take.wav")]
    copy = Truth(f"oddities/{copied}", "loop", 124.0, 16, ends="duplicate")
    return [*(Truth(f"oddities/{name}", ends="refused") for name in refused), copy]


def _header_of_nothing() -> bytes:
    size, rate = (36).to_bytes(4, "little"), SR.to_bytes(4, "little")
    layout = b"\x01\x00\x01\x00" + rate + (2 * SR).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    return b"RIFF" + size + b"WAVEfmt " + (16).to_bytes(4, "little") + layout + b"data" + (0).to_bytes(4, "little")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m cli.demo_library FOLDER")
    print(make(Path(sys.argv[1])))
