"""Files longer than what is held of one: any format, any caller, and a decoder that dies on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import xxhash

from config.settings import DecodeSettings
from tests.servers import PROJECT
from tests.workers.analysis.sounds import cadence, drum_loop
from workers.audio.decode import Decoder
from workers.errors import DecoderCrashed, Left
from workers.file import analyze_file, analyze_path

SR = 8000
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def piece() -> np.ndarray:
    """A minute and a half of drums at 120 and chords in A minor, at 8 kHz."""
    drums, chords = drum_loop(120, 16, sr=44_100), cadence(9, "minor")
    y = 0.5 * drums + 0.4 * np.concatenate([chords, chords])[: len(drums)]
    low = np.interp(np.arange(8 * SR) / SR, np.arange(len(y)) / 44_100, y[:, 0])
    return np.tile(low.astype(np.float32), 12)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, piece: np.ndarray) -> dict[str, Path]:
    """20 minutes as WAV and FLAC, 3 as Ogg and MP3."""
    folder = tmp_path_factory.mktemp("long")
    long, short = np.tile(piece, 13), np.tile(piece, 2)
    for name, y in (("a.wav", long), ("a.flac", long), ("a.ogg", short), ("a.mp3", short)):
        soundfile.write(folder / name, y[:, np.newaxis], SR)
    return {path.suffix[1:]: path for path in sorted(folder.iterdir())}


def analyzed(path: Path, **settings: Any) -> dict[str, Any]:
    with Decoder(DecodeSettings(**{"max_analyzed_s": LIMIT_S, **settings})) as decoder:
        return analyze_path(decoder, path)


def test_every_format_is_listened_to_from_start_to_end(files: dict[str, Path]) -> None:
    for kind, path in files.items():
        row = analyzed(path)
        audio = row["audio"]
        assert audio["duration_s"] == pytest.approx(1248 if kind in ("wav", "flac") else 192, abs=0.2), kind
        assert audio["analyzed_s"] == audio["duration_s"]
        assert audio["analyzed"]["policy"] == "windows"
        assert audio["analyzed"]["windows"][0] == [0.0, 60.0]
        assert audio["analyzed"]["windows"][-1][1] > 0.9 * audio["duration_s"] - 60
        assert row["tempo"]["bpm"] == pytest.approx(120, rel=0.002), kind
        assert row["key"]["label"] in ("A minor", "C major"), kind
        assert json.loads(json.dumps(row, allow_nan=False)) == row


def test_blocks_of_another_size_say_the_same_of_levels_and_music(files: dict[str, Path]) -> None:
    one, other = analyzed(files["flac"]), analyzed(files["flac"], max_analyzed_s=100.0)
    for part in ("loudness", "kind", "defects"):
        assert one[part] == other[part]
    assert one["tempo"]["bpm"] == other["tempo"]["bpm"]
    assert analyzed(files["flac"]) == one


def test_no_more_is_listened_to_than_the_setting_allows(files: dict[str, Path]) -> None:
    audio = analyzed(files["wav"], max_streamed_s=300.0)["audio"]
    assert audio["duration_s"] == 1248
    assert 240 <= audio["analyzed_s"] <= 360
    assert audio["analyzed"]["windows"][-1][1] <= audio["analyzed_s"]


def test_whoever_waits_is_told_and_may_leave(files: dict[str, Path]) -> None:
    told: list[tuple[float, float]] = []

    class Enough(Left):
        pass

    def alive(done_s: float, whole_s: float) -> None:
        told.append((done_s, whole_s))
        if done_s > 200:
            raise Enough

    with Decoder(DecodeSettings(max_analyzed_s=LIMIT_S)) as decoder, files["wav"].open("rb") as file:
        with pytest.raises(Enough):
            analyze_file(decoder, file.fileno(), "x", alive)
        assert [whole for _, whole in told] == [1248.0] * len(told)
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        assert analyze_file(decoder, file.fileno(), "x").tempo.bpm == 120


def test_a_decoder_killed_in_the_middle_costs_time_and_no_more(files: dict[str, Path]) -> None:
    expected = analyzed(files["ogg"])
    deaths = 0

    def alive(done_s: float, whole_s: float) -> None:
        nonlocal deaths
        if done_s > 100 and deaths < most:
            deaths += 1
            assert decoder.helper_pid is not None
            os.kill(decoder.helper_pid, signal.SIGKILL)

    with Decoder(DecodeSettings(max_analyzed_s=LIMIT_S)) as decoder:
        most = 1
        assert analyze_path(decoder, files["ogg"], alive) == expected
        assert deaths == 1
        deaths, most = 0, 2
        with files["ogg"].open("rb") as file, pytest.raises(DecoderCrashed):
            analyze_file(decoder, file.fileno(), "x", alive)


def test_the_command_says_that_kernels_are_compiled_once(tmp_path: Path) -> None:
    program = (
        "from config.environment import use_kernel_cache; use_kernel_cache()\n"
        "from workers.compiling import say_when_compiling\n"
        "import numba, sys\n"
        "say_when_compiling()\n"
        "print('before', file=sys.stderr)\n"
        "one, two = (numba.njit(lambda x, k=k: x + k) for k in (1, 2))\n"
        "one(1); two(2)\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    for times, held in ((1, False), (0, True)):
        with (tmp_path / "compiling").open("w") as file:
            if held:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            command = [sys.executable, "-c", program]
            done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)
        said = done.stderr.decode().splitlines()
        assert said == ["before", *["samplemind: compiling kernels once, about half a minute"] * times]


def test_the_samples_of_a_long_file_have_the_hash_that_they_have_at_once(files: dict[str, Path]) -> None:
    for kind in ("wav", "flac"):
        pcm = soundfile.read(files[kind], dtype="float32")[0].astype("<f4")
        assert analyzed(files[kind])["audio"]["pcm_xxh128"] == xxhash.xxh3_128_hexdigest(pcm.tobytes())
    cut = analyzed(files["wav"], max_streamed_s=600)["audio"]
    assert (cut["analyzed_s"] < cut["duration_s"], cut["pcm_xxh128"]) == (True, None)
