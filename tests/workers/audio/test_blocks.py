"""Long files come in blocks that share one piece of memory: together they are what one large block would be."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from config.settings import DecodeSettings
from tests.broken_files import aiff, compressed, encoded, encodings, tone, written
from workers.audio.decode import Decoder
from workers.errors import DecoderCrashed, ParameterError

Open = Callable[[bytes], int]
FILES = {str(name): bytes(content) for made in (encodings(), aiff(), compressed()) for name, content, _ in made}
BLOCK_S = 0.3
LONG = [
    *(
        "pcm_24.wav",
        "float.wav",
        "ulaw.wav",
        "ima_adpcm.wav",
        "plain_24.aif",
        "whole.flac",
        "whole.ogg",
        "two_songs.ogg",
    ),
    *("whole.mp3", "opus.ogg", "aac.m4a", "alac.m4a", "pack.wv", "raw.aac", "cut.mp3", "rotten.m4a", "says_0.flac"),
]
SHORT = written(tone(0.2), "WAV", "PCM_16")


def in_blocks(decoder: Decoder, fd: int, kept: int) -> tuple[list[NDArray[np.float32]], bool]:
    """All frames of a file, block by block, and whether it was found to be damaged."""
    first = decoder.decode(fd, "x")
    parts, last, damaged = [first.y.copy()], first.whole, first.truncated
    while not last:
        block = decoder.go_on(kept)
        assert len(block.y) == kept + block.frames
        assert np.array_equal(block.y[:kept], parts[-1][len(parts[-1]) - kept :])
        parts.append(block.y[kept:].copy())
        last, damaged = block.last, damaged or block.truncated
    return parts, damaged


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("kept", [0, 1000])
def test_blocks_together_are_the_whole_to_the_last_bit(decoder: Decoder, opened: Open, name: str, kept: int) -> None:
    whole = decoder.decode(opened(FILES[name]), "x")
    expected = whole.y.copy()
    fd = opened(FILES[name])
    with Decoder(DecodeSettings(max_analyzed_s=BLOCK_S)) as small:
        parts, damaged = in_blocks(small, fd, kept)
    assert max(map(len, parts)) <= BLOCK_S * whole.info.sample_rate_hz
    assert np.array_equal(np.concatenate(parts), expected)
    assert damaged == whole.truncated
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0


def test_what_breaks_off_behind_the_first_block_ends_there_and_is_damaged(opened: Open) -> None:
    with Decoder(DecodeSettings(max_analyzed_s=BLOCK_S)) as small:
        parts, damaged = in_blocks(small, opened(FILES["rotten.flac"]), 0)
    assert (len(parts[0]), damaged) == (BLOCK_S * 44100, True)


@pytest.mark.parametrize("seconds", [0.6, 0.61, 0.64])
def test_what_fills_up_the_last_packet_is_dropped_wherever_a_block_ends(
    decoder: Decoder, opened: Open, seconds: float
) -> None:
    content = encoded("mp4", "aac", seconds=seconds)
    whole = len(decoder.decode(opened(content), "x").y)
    with Decoder(DecodeSettings(max_analyzed_s=0.2)) as small:
        parts, _ = in_blocks(small, opened(content), 0)
    assert sum(map(len, parts)) == whole


def test_a_file_left_in_the_middle_does_not_disturb_the_next(opened: Open) -> None:
    with Decoder(DecodeSettings(max_analyzed_s=BLOCK_S)) as decoder:
        with pytest.raises(ParameterError):
            decoder.go_on(0)
        assert not decoder.decode(opened(FILES["whole.flac"]), "x").whole
        first = decoder.decode(opened(FILES["pcm_24.wav"]), "x")
        before = first.y.copy()
        with pytest.raises(ParameterError):
            decoder.go_on(len(before))
        assert not np.array_equal(decoder.go_on(0).y, before)
        assert decoder.decode(opened(SHORT), "x").whole
        with pytest.raises(ParameterError):
            decoder.go_on(0)


def test_a_helper_that_is_killed_between_two_blocks_is_an_error(opened: Open) -> None:
    with Decoder(DecodeSettings(max_analyzed_s=BLOCK_S)) as decoder:
        decoder.decode(opened(FILES["pcm_24.wav"]), "x")
        assert decoder.helper_pid is not None
        os.kill(decoder.helper_pid, signal.SIGKILL)
        with pytest.raises(DecoderCrashed):
            decoder.go_on(0)
        assert decoder.was_killed
        assert decoder.decode(opened(SHORT), "x").whole
