from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cli.demo_library import make, write_audio
from cli.demo_truth import Truth, read_truth
from cli.synth.dsp import SR
from cli.synth.music import EVERYTHING, LOOPS
from cli.synth.tones import hertz


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def truths(folder: Path) -> dict[str, Truth]:
    return read_truth(folder)


def test_every_loop_is_exactly_as_long_as_its_beats(folder: Path, truths: dict[str, Truth]) -> None:
    loops = [truth for truth in truths.values() if truth.kind == "loop"]
    assert len(loops) >= 16
    for truth in loops:
        assert truth.beats is not None
        assert truth.bpm is not None
        info = soundfile.info(folder / "library" / truth.path)
        assert abs(info.frames - truth.beats * 60 / truth.bpm * info.samplerate) <= 1, truth.path


def test_loops_span_the_tempi_and_keys_that_were_promised() -> None:
    tempi = [sound.bpm for sound in LOOPS if sound.bpm]
    assert min(tempi) <= 70
    assert max(tempi) >= 172
    assert sum(bpm % 1 != 0 for bpm in tempi) >= 3
    keys = {sound.key for sound in LOOPS if sound.key}
    assert len(keys) >= 10
    assert {key.split()[1] for key in keys} == {"major", "minor"}


def test_some_names_say_the_tempo_and_some_do_not() -> None:
    saying = [sound for sound in LOOPS if "bpm" in sound.path.lower()]
    assert 5 <= len(saying) <= len(LOOPS) - 5


def test_the_truth_names_exactly_the_files_that_are_there(folder: Path, truths: dict[str, Truth]) -> None:
    library = folder / "library"
    there = {str(path.relative_to(library)) for path in library.rglob("*") if not path.is_dir()}
    assert there == set(truths)
    formats = {Path(path).suffix for path in there}
    assert {".wav", ".aif", ".aiff", ".flac", ".ogg", ".mp3"} <= formats


def test_sounds_are_sound(folder: Path, truths: dict[str, Truth]) -> None:
    for truth in truths.values():
        if truth.ends != "done" or truth.kind == "silence":
            continue
        y, _ = soundfile.read(folder / "library" / truth.path)
        assert np.isfinite(y).all(), truth.path
        assert 0.5 < np.max(np.abs(y)) < 1.1, truth.path  # lossy formats overshoot


def test_a_one_shot_has_the_note_that_is_said(folder: Path, truths: dict[str, Truth]) -> None:
    for path, midi in (("one-shots/bells/Bell E5.wav", 76), ("one-shots/keys/Electric Piano D4.wav", 62)):
        y, sr = soundfile.read(folder / "library" / path)
        spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
        loudest = np.argmax(spectrum) * sr / len(y)
        assert abs(1200 * np.log2(loudest / hertz(midi))) < 30


def test_broken_files_are_what_they_say(folder: Path, truths: dict[str, Truth]) -> None:
    refused = [truth for truth in truths.values() if truth.ends == "refused"]
    assert len(refused) >= 8
    odd = folder / "library" / "oddities"
    assert stat.S_ISFIFO(os.lstat(odd / "Pipe.wav").st_mode)
    assert (odd / "Empty.wav").stat().st_size == 0
    assert np.isnan(soundfile.read(odd / "Not A Number.wav")[0]).all()
    assert soundfile.info(odd / "Only A Header.wav").frames == 0


def test_the_same_version_makes_the_same_sound() -> None:
    for sound in EVERYTHING[:3]:
        assert np.array_equal(sound.make(), sound.make())


def test_the_same_sound_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    y = np.sin(np.arange(2000) / 20)
    written = []
    for name in ("ab.wav", "cd.wav"):  # two letters: float
        write_audio(tmp_path / name, y)
        assert soundfile.info(tmp_path / name).subtype == "FLOAT"
        content = (tmp_path / name).read_bytes()
        assert content[content.find(b"PEAK") + 12 :][:4] == bytes(4)
        written.append(content)
    assert written[0] == written[1]


def test_a_library_that_is_there_is_not_made_again(folder: Path) -> None:
    mark = folder / "library" / "mark"
    mark.touch()
    make(folder)
    assert mark.exists()
    mark.unlink()


def test_a_loop_goes_on_seamlessly_at_its_end() -> None:
    y = next(sound for sound in LOOPS if "Warm Pad" in sound.path).make()[:, 0]
    step = abs(y[0] - y[-1])
    assert step < 4 * np.max(np.abs(np.diff(y[: SR // 10])))
