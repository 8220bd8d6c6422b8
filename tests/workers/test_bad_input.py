"""What folders hold beside music, through ``samplemind analyze``: a finite answer or a reason, and always the same.

Byte for byte: in one process or in several, whatever thread caps the environment asks for, here or in the next run.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from tests.broken_files import FMT, BrokenFile, make_broken
from tests.workers.analysis.sounds import Signal, as_frames, cadence, drum_loop, seconds, tone

PROJECT = Path(__file__).parents[2]
SR = 44100

pytestmark = pytest.mark.slow


def analyze(paths: Sequence[bytes | str], *arguments: str, **environment: str) -> bytes:
    """What the command prints of files named on standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "analyze", *arguments, "-"],
        cwd=PROJECT,
        input=b"\0".join(os.fsencode(path) for path in paths) + b"\0",
        capture_output=True,
        timeout=240,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def rows(printed: bytes) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in printed.splitlines()]


def write(path: Path, y: Signal, sr: int = SR, subtype: str = "FLOAT") -> str:
    soundfile.write(path, y, sr, subtype=subtype)
    return str(path)


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [value] if isinstance(value, float) else []


# -- every broken file we know


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[BrokenFile]]:
    folder = tmp_path_factory.mktemp("broken")
    # not the folder, which is walked, nor the link out of the root, which the command follows: it was named
    left_out = (b"folder.wav", b"out.wav")
    return folder, [file for file in make_broken(folder, large=False) if file.name not in left_out]


@pytest.fixture(scope="module")
def printed(broken: tuple[Path, list[BrokenFile]]) -> bytes:
    folder, files = broken
    return analyze([os.fsencode(folder) + b"/" + file.name for file in files], "-j", "1")


def test_every_broken_file_has_a_finite_answer_or_its_reason(
    broken: tuple[Path, list[BrokenFile]], printed: bytes
) -> None:
    said = rows(printed)
    assert len(said) == len(broken[1])
    for file, row in zip(broken[1], said, strict=True):
        code = "ok" if row["status"] == "done" else row["reason"]["code"]
        assert code in file.expect, (file.name, row)
        assert all(math.isfinite(number) for number in numbers(row)), file.name
        if code == "ok":
            for part in ("tempo", "key", "pitch"):
                found = row[part].get("bpm") or row[part].get("tonic") or row[part].get("note")
                assert found or row[part]["reason"], (file.name, part)
        else:
            assert len(row["reason"]["message"]) > 10, file.name


@pytest.mark.parametrize(
    ("processes", "environment"),
    [
        ("1", {"OMP_NUM_THREADS": "7", "NUMBA_NUM_THREADS": "5", "PYTHONHASHSEED": "1"}),
        ("2", {"OPENBLAS_NUM_THREADS": "3", "MKL_NUM_THREADS": "2", "PYTHONHASHSEED": "2", "LC_ALL": "C"}),
    ],
)
def test_another_process_says_the_same_byte_for_byte(
    broken: tuple[Path, list[BrokenFile]], printed: bytes, processes: str, environment: dict[str, str]
) -> None:
    folder, files = broken
    paths = [os.fsencode(folder) + b"/" + file.name for file in files]
    assert analyze(paths, "-j", processes, **environment) == printed


_VECTORS = """
import hashlib, os, sys
from config.settings import DecodeSettings
from workers.audio.decode import Decoder
from workers.file import analyze_file
with Decoder(DecodeSettings()) as decoder:
    for path in sys.argv[1:]:
        fd = os.open(path, os.O_RDONLY)
        said = analyze_file(decoder, fd, "x")
        print(hashlib.sha256(said.vector + said.preview.peaks + said.preview.mel).hexdigest())
"""


def test_vectors_and_pictures_are_the_same_in_every_process(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.wav", drum_loop(97, 8)), write(tmp_path / "b.wav", cadence(3, "minor"))]
    said = {
        subprocess.run(
            [sys.executable, "-c", _VECTORS, *paths],
            cwd=PROJECT,
            capture_output=True,
            check=True,
            timeout=120,
            env={**os.environ, **caps},
        ).stdout
        for caps in (
            {"OMP_NUM_THREADS": "1"},
            {"OMP_NUM_THREADS": "4", "NUMBA_NUM_THREADS": "2", "PYTHONHASHSEED": "9"},
        )
    }
    assert len(said) == 1


# -- good sound in odd clothes


def test_rates_depths_and_channels_do_not_change_what_is_found(tmp_path: Path) -> None:
    paths = [
        *(write(tmp_path / f"{sr}.wav", drum_loop(120, 8, sr=sr), sr) for sr in (8000, 22050, 96000, 192000, 384000)),
        write(tmp_path / "u8.wav", drum_loop(120, 8), subtype="PCM_U8"),
        write(tmp_path / "double.wav", drum_loop(120, 8), subtype="DOUBLE"),
        write(tmp_path / "twelve.wav", np.repeat(drum_loop(120, 8), 12, axis=1)),
        write(tmp_path / "antiphase.wav", np.concatenate([drum_loop(120, 8), -drum_loop(120, 8)], axis=1)),
        write(tmp_path / "offset.wav", drum_loop(120, 8) * np.float32(0.5) + np.float32(0.4)),
        write(tmp_path / "clipped.wav", np.clip(drum_loop(120, 8) * 8, -1, 1)),
        write(tmp_path / "loud.wav", drum_loop(120, 8) * np.float32(1000)),
    ]
    for path, row in zip(paths, rows(analyze(paths, "-j", "1")), strict=True):
        assert row["kind"]["label"] == "loop", path
        assert min(abs((row["tempo"]["bpm"] or 0) / wanted - 1) for wanted in (60, 120, 240)) < 0.001, path


def test_the_lowest_rate_has_an_answer(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{sr}.wav", drum_loop(120, 8, sr=sr), sr) for sr in (4000, 1000, 100)]
    for row in rows(analyze(paths, "-j", "1")):
        assert row["status"] == "done"
        assert row["tempo"]["bpm"] or row["tempo"]["reason"]


def test_holes_of_nan_are_filled_and_told(tmp_path: Path) -> None:
    y = drum_loop(120, 8).copy()
    y[1000:1400] = np.nan
    y[90000:90010] = np.inf
    row = rows(analyze([write(tmp_path / "holes.wav", y)]))[0]
    assert "non_finite_samples" in {defect["code"] for defect in row["defects"]}
    assert row["tempo"]["bpm"] is not None


def test_a_sound_before_a_long_silence_is_that_sound(tmp_path: Path) -> None:
    note = as_frames(0.5 * tone(57, 1.0))
    tail = np.concatenate([note, np.zeros((20 * SR, 1), np.float32)])
    row = rows(analyze([write(tmp_path / "tail.wav", tail)]))[0]
    assert row["pitch"]["note"] == "A3"
    assert row["tempo"]["bpm"] is None
    assert "silent_tail" in {defect["code"] for defect in row["defects"]}


# -- time and memory


_SPENT = """
import sys, time
from workers.batch import decoder_of_process
from workers.file import analyze_path
decoder = decoder_of_process()
assert analyze_path(decoder, sys.argv[1])["status"] == "done"
start = time.process_time()
assert analyze_path(decoder, sys.argv[2])["status"] == "done"
print(time.process_time() - start)
"""


def spent(path: str) -> float:
    """CPU seconds of analysing one file in a process of its own, where everything is compiled and loaded."""
    first = write(Path(path).parent / "first.wav", drum_loop(120, 4))
    command = [sys.executable, "-c", _SPENT, first, path]
    return float(subprocess.run(command, cwd=PROJECT, capture_output=True, check=True, timeout=240).stdout.split()[-1])


def most_memory(path: str) -> tuple[dict[str, Any], float]:
    """The row of a file, and the most megabytes that the command and its decoder held at a time (shared ones once)."""
    command = [sys.executable, "-m", "cli", "analyze", "-j", "1", path]
    most = 0
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            most = max(most, sum(_held(one) for one in [watched, *_children(watched)]))
        assert process.stdout is not None
        return rows(process.stdout.read())[0], most / 1e6


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _held(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def long_wav(path: Path, hours: float) -> str:
    """Ten seconds of drums, and then nothing for hours: a few megabytes on the disk."""
    beat = (drum_loop(120, 20)[:, 0] * 32767).astype("<i2").tobytes()
    size = round(hours * 3600 * SR) * 4
    with path.open("wb") as file:
        file.write(b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVE" + FMT + b"data" + size.to_bytes(4, "little"))
        file.write(beat)
        file.truncate(44 + size)
    return str(path)


def test_no_length_takes_more_than_400_megabytes(tmp_path: Path) -> None:
    """A longer file goes by in pieces."""
    most_memory(long_wav(tmp_path / "short.wav", 0.05))  # kernels are compiled now
    row, most = most_memory(long_wav(tmp_path / "half.wav", 0.5))
    assert (row["audio"]["duration_s"], row["audio"]["analyzed_s"]) == (1800.0, 1800.0)
    assert row["audio"]["analyzed"]["policy"] == "windows"
    assert len(row["audio"]["analyzed"]["windows"]) == 30
    assert row["kind"]["label"] == "long recording"
    assert row["tempo"]["bpm"] or row["tempo"]["reason"]
    assert "silent_tail" in {defect["code"] for defect in row["defects"]}
    assert most < 400


def test_time_is_in_proportion_to_the_length(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = (0.2 * rng.standard_normal((240 * SR, 1))).astype(np.float32)
    short = spent(write(tmp_path / "short.wav", noise[: 24 * SR], subtype="PCM_16"))
    long = spent(write(tmp_path / "long.wav", noise, subtype="PCM_16"))
    assert long < 20 * short


def test_numbers_near_zero_cost_no_more_than_others(tmp_path: Path) -> None:
    """Denormals: processors take a hundred times longer for each, and a fading tail is full of them."""
    t = seconds(40)
    plain = spent(write(tmp_path / "plain.wav", as_frames(np.sin(2 * np.pi * 200 * t))))
    for name, y in {"tail": np.sin(2 * np.pi * 200 * t) * np.exp(-t * 30), "all": 1e-39 * np.sin(t)}.items():
        assert spent(write(tmp_path / f"{name}.wav", as_frames(y))) < 4 * plain + 0.05, name
