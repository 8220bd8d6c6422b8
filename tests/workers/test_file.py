"""One file as one JSON object."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import xxhash

from config.settings import DecodeSettings
from tests.servers import PROJECT
from workers.audio.decode import Decoder
from workers.errors import AnalysisFailed, NotAudio
from workers.file import analyze_path, describe, finite

FIELDS = [
    "path",
    "status",
    "sample_id",
    "analyzer",
    "audio",
    "kind",
    "tempo",
    "key",
    "pitch",
    "loudness",
    "spectrum",
    "envelope",
    "rhythm",
    "timbre",
    "defects",
    "instrument",
]


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    t = np.arange(22050) / 44100
    path = tmp_path / "tone.wav"
    soundfile.write(path, (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32), 44100, subtype="PCM_24")
    return path


def test_fields_and_their_order_are_fixed(tone: Path) -> None:
    with Decoder(DecodeSettings()) as decoder:
        row = analyze_path(decoder, tone)
    assert list(row) == FIELDS
    assert list(row["audio"])[:5] == ["duration_s", "sample_rate_hz", "channels", "container", "subtype"]
    assert list(row["tempo"]) == ["bpm", "confidence", "beats", "evidence", "reason"]
    assert list(row["key"])[:7] == ["tonic", "mode", "label", "camelot", "confidence", "tuning_cents", "reason"]
    assert list(row["key"])[7:] == ["open_key", "runner_up", "margin", "evidence"]
    assert row["pitch"]["note"] == "A4"
    assert row["audio"]["subtype"] == "PCM_24"
    assert json.loads(json.dumps(row, allow_nan=False)) == row


def test_the_same_bytes_twice_are_the_same_row(tone: Path) -> None:
    with Decoder(DecodeSettings()) as decoder:
        assert analyze_path(decoder, tone) == analyze_path(decoder, tone)


def test_a_failed_file_has_its_reason() -> None:
    row = describe("a/b.wav", NotAudio("It is text."))
    assert row == {
        "path": "a/b.wav",
        "status": "failed",
        "reason": {"code": "not_audio", "message": "This is not an audio file. It is text."},
    }


def test_a_name_that_is_not_utf8_is_shown_and_kept() -> None:
    raw = b"k\xffck.wav"
    row = describe(os.fsdecode(raw), NotAudio())
    assert row["path"] == "k\\xffck.wav"
    assert base64.b64decode(row["path_b64"]) == raw


def test_no_number_without_a_word_in_json_gets_out() -> None:
    assert finite({"a": (float("nan"), 1.5), "b": [float("inf")], "c": {"d": -0.5}}) == {
        "a": [None, 1.5],
        "b": [None],
        "c": {"d": -0.5},
    }


def test_a_bug_is_a_failed_file(tone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("workers.file.analyze", broken)
    with Decoder(DecodeSettings()) as decoder:
        row = analyze_path(decoder, tone)
    assert row["reason"]["code"] == AnalysisFailed.code


def test_what_goes_wrong_is_logged_beside_the_lines_for_programs() -> None:
    script = "from config.logging import get_logger; get_logger('x').error('something_failed', file='a.wav')"
    said = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert said.stdout == ""
    assert "something_failed" in said.stderr


def test_files_that_decode_to_the_same_samples_have_one_hash(tmp_path: Path) -> None:
    y = (np.random.default_rng(1).uniform(-0.5, 0.5, (9000, 2)) * 32768).astype(np.int16)
    forms = {"a.wav": "PCM_16", "a.flac": "PCM_16", "a.aiff": "PCM_16", "b.wav": "PCM_24"}
    for name, subtype in forms.items():
        soundfile.write(tmp_path / name, y, 44100, subtype=subtype)
    soundfile.write(tmp_path / "softer.wav", y // 2, 44100, subtype="PCM_16")
    with Decoder(DecodeSettings()) as decoder:
        rows = [analyze_path(decoder, tmp_path / name) for name in (*forms, "softer.wav")]
    *same, other = [row["audio"]["pcm_xxh128"] for row in rows]
    assert set(same) == {xxhash.xxh3_128_hexdigest((y / 32768).astype("<f4").tobytes())}
    assert other not in same
    assert len({row["sample_id"] for row in rows}) == len(rows)
