"""What a browser cannot play comes as WAV."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from api import listening
from api.errors import Problem
from api.listening import Listening
from config.settings import DecodeSettings
from tests.api.gateway import Gateway
from workers.errors import NotAudio

SR = 22050
LOUD = {
    "adpcm.wav": ("WAV", "MS_ADPCM"),
    "law.aiff": ("AIFF", "ULAW"),
    "whole.caf": ("CAF", "ALAC_24"),
    "old.au": ("AU", "PCM_24"),
}


def _tone(seconds: float = 0.25, channels: int = 2) -> np.ndarray:
    t = np.arange(round(seconds * SR)) / SR
    return np.column_stack([0.5 * np.sin(2 * np.pi * 440 * (n + 1) * t) for n in range(channels)])


def _keep(gateway: Gateway, name: str, content: bytes) -> str:
    place = gateway.settings.roots["library"] / name
    place.write_bytes(content)
    return gateway.sample(name)


def _heard(content: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(content)) as file:
        assert file.getsampwidth() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return samples / 32767, file.getframerate()


def test_formats_that_no_browser_plays_come_as_wav(gateway: Gateway, tmp_path: Path) -> None:
    for name, (container, subtype) in LOUD.items():
        soundfile.write(tmp_path / name, _tone(), SR, format=container, subtype=subtype)
        one = _keep(gateway, name, (tmp_path / name).read_bytes())
        said = gateway.client.get(f"/v1/samples/{one}/audio?format=wav")
        assert (said.status_code, said.headers["content-type"]) == (200, "audio/wav"), said.text
        y, sr = _heard(said.content)
        assert sr == SR
        frames = min(len(y), len(_tone()))
        assert frames >= 0.9 * len(_tone())
        assert np.abs(y[:frames] - _tone()[:frames]).max() < 0.05


def test_what_is_no_sound_or_is_gone_is_refused_with_its_reason(gateway: Gateway) -> None:
    one = _keep(gateway, "notes.wav", b"no sound at all")
    said = gateway.client.get(f"/v1/samples/{one}/audio?format=wav")
    assert (said.status_code, said.json()["code"]) == (409, "not_audio")
    (gateway.settings.roots["library"] / "notes.wav").unlink()
    assert gateway.client.get(f"/v1/samples/{one}/audio?format=wav").status_code == 404
    assert gateway.client.get(f"/v1/samples/{one}/audio?format=mp3").status_code == 422


@pytest.fixture
def made(tmp_path: Path) -> tuple[Listening, Path]:
    """The decoding thread, and a file of six channels for it."""
    soundfile.write(tmp_path / "six.wav", _tone(0.5, 6), SR)
    return Listening(DecodeSettings(max_analyzed_s=0.2)), tmp_path / "six.wav"


def _ask(heard: Listening, path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return heard.wav(fd, path.name)
    finally:
        os.close(fd)


def test_only_the_beginning_is_given_and_many_channels_as_their_mean(made: tuple[Listening, Path]) -> None:
    heard, path = made
    y, _ = _heard(_ask(heard, path))
    assert y.shape == (round(0.2 * SR), 1)
    assert np.abs(y[:, 0] - _tone(0.5, 6).mean(axis=1)[: len(y)]).max() < 1e-3
    heard.close()


def test_the_helper_is_let_go_when_nothing_is_asked_and_comes_back(
    made: tuple[Listening, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard, path = made
    monkeypatch.setattr(listening, "_IDLE_S", 3600.0)
    first = _ask(heard, path)
    helper = heard.helper_pid
    assert helper is not None
    heard._let_go()
    heard._thread.submit(lambda: None).result()  # it has done so
    assert heard.helper_pid is None
    assert _ask(heard, path) == first
    (tmp_path / "broken.wav").write_bytes(b"RIFFxxxxnothing")
    with pytest.raises(NotAudio):
        _ask(heard, tmp_path / "broken.wav")
    heard.close()
    assert heard.helper_pid is None
    with pytest.raises(Problem, match="come back"):
        _ask(heard, path)


def test_few_wait(made: tuple[Listening, Path]) -> None:
    heard, path = made
    taken = sum(heard._places.acquire(blocking=False) for _ in range(100))
    with pytest.raises(Problem) as refused:
        _ask(heard, path)
    assert taken == 8
    assert "at once" in str(refused.value)
    heard.close()
