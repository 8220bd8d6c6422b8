"""Headers: what they are told apart by, what is believed, what is refused."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.broken_files import DATA, FMT, SOUND, aiff, chunk, compressed, encodings, form, riff, written
from tests.broken_files import tone as tone_of
from workers.audio.layout import Pcm
from workers.audio.probe import probe
from workers.audio.sniff import sniff
from workers.errors import BrokenHeader, EmptyAudio, FileError, UnsupportedFormat

Open = Callable[[bytes], int]
FILES = {str(name): content for made in (encodings(), aiff(), compressed()) for name, content, ok in made if ok == "ok"}

CONTAINERS = {
    "pcm_24.wav": ("WAV", "PCM_24", "pcm"),
    "ima_adpcm.wav": ("WAV", "IMA_ADPCM", "ffmpeg"),
    "pcm_64.wav": ("WAV", "PCM_64", "pcm"),
    "sun.au": ("AU", "PCM_16", "pcm"),
    "plain.aiff": ("AIFF", "PCM_16", "pcm"),
    "float.aifc": ("AIFF", "FLOAT", "pcm"),
    "whole.flac": ("FLAC", "PCM_16", "sndfile"),
    "id3_in_front.flac": ("FLAC", "PCM_16", "sndfile"),
    "whole.ogg": ("OGG", "VORBIS", "sndfile"),
    "two_songs.ogg": ("OGG", "VORBIS", "ffmpeg"),
    "opus.ogg": ("OGG", "OPUS", "ffmpeg"),
    "whole.mp3": ("MP3", "MPEG_LAYER_III", "sndfile"),
    "joined.mp3": ("MP3", "MPEG_LAYER_III", "ffmpeg"),
    "zeros_in_front.mp3": ("MP3", "MPEG_LAYER_III", "ffmpeg"),
    "aac.m4a": ("MP4", None, "ffmpeg"),
    "opus.webm": ("WEBM", None, "ffmpeg"),
    "aac.mka": ("MATROSKA", None, "ffmpeg"),
    "raw.aac": ("ADTS", "AAC", "ffmpeg"),
    "dolby.ac3": ("AC3", "AC3", "ffmpeg"),
    "pack.wv": ("WAVPACK", "WAVPACK", "ffmpeg"),
    "alac.caf": ("CAF", "ALAC", "ffmpeg"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_names_container_and_subtype_as_libsndfile_does_and_picks_the_decoder(opened: Open, name: str) -> None:
    header = probe(opened(FILES[name]))
    assert (header.container, header.subtype, header.decoding) == CONTAINERS[name]


@pytest.mark.parametrize("name", CONTAINERS)
def test_four_kilobytes_are_enough_to_tell(name: str) -> None:
    container = "MATROSKA" if name == "opus.webm" else CONTAINERS[name][0]
    assert sniff(FILES[name][:4096]) == container


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"R",
        b"RIFF",
        b"RIFF\0\0\0\0AVI ",
        b"\x89PNG\r\n\x1a\n",
        b"PK\3\4",
        b"MThd",
        b"\xff\xfb\x90\x64" * 99,
    ],
)
def test_what_is_not_audio_has_no_name(first: bytes) -> None:
    assert sniff(first.ljust(len(first) and 400, b" ")) is None


def test_neither_the_offset_nor_the_name_matters(opened: Open) -> None:
    fd = opened(riff(FMT, DATA))
    os.lseek(fd, 100, os.SEEK_SET)
    assert probe(fd).pcm == Pcm("<i2", 44, len(SOUND) // 4)
    assert os.lseek(fd, 0, os.SEEK_CUR) == 100


def test_finds_the_sound_behind_an_odd_chunk_with_and_without_its_pad_byte(opened: Open) -> None:
    for size in (600, 601):
        for pad in (True, False):
            header = probe(opened(riff(chunk(b"bext", b"x" * size, pad=pad), FMT, DATA)))
            assert header.pcm is not None
            assert header.pcm.frames == len(SOUND) // 4


def test_a_length_beyond_the_file_is_clipped_and_said(opened: Open) -> None:
    header = probe(opened(riff(FMT, chunk(b"data", SOUND, size=len(SOUND) + 2))))
    assert (header.frames, header.truncated) == (len(SOUND) // 4, True)
    whole = probe(opened(riff(FMT, DATA)))
    assert (whole.frames, whole.truncated) == (len(SOUND) // 4, False)


def test_a_streamed_file_without_a_length_goes_to_its_end(opened: Open) -> None:
    for size in (0, 0xFFFFFFFF, 0x7FFFFFFF):
        header = probe(opened(riff(FMT, chunk(b"data", SOUND, size=size))))
        assert (header.frames, header.truncated) == (len(SOUND) // 4, False)


def test_a_wrong_block_size_gives_way_to_the_bits(opened: Open) -> None:
    for align in (0, 7, 2):
        header = probe(opened(riff(chunk(b"fmt ", form(align=align)), DATA)))
        assert header.pcm is not None
        assert header.pcm.encoding == "<i2"


@pytest.mark.parametrize("channels", [0, 65, 65535])
def test_refuses_impossible_channels(opened: Open, channels: int) -> None:
    with pytest.raises(BrokenHeader, match=f"{channels} channels"):
        probe(opened(riff(chunk(b"fmt ", form(channels=channels)), DATA)))


@pytest.mark.parametrize("rate", [0, 1, 99, 768_001, 4_000_000_000])
def test_refuses_impossible_rates(opened: Open, rate: int) -> None:
    with pytest.raises(BrokenHeader, match=f"{rate} Hz"):
        probe(opened(riff(chunk(b"fmt ", form(rate=rate)), DATA)))


@pytest.mark.parametrize("rate", [100, 4000, 768_000])
def test_accepts_odd_rates(opened: Open, rate: int) -> None:
    assert probe(opened(riff(chunk(b"fmt ", form(rate=rate)), DATA))).sample_rate_hz == rate


def test_tells_no_sound_from_a_broken_header(opened: Open) -> None:
    with pytest.raises(EmptyAudio):
        probe(opened(riff(FMT)))
    with pytest.raises(BrokenHeader):
        probe(opened(riff(DATA)))
    with pytest.raises(UnsupportedFormat, match="0x1234"):
        probe(opened(riff(chunk(b"fmt ", form(tag=0x1234)), DATA)))


def test_reads_a_sample_rate_in_80_bits(opened: Open) -> None:
    for rate in (8000, 44100, 96000):
        assert probe(opened(written(tone_of(0.1), "AIFF", "PCM_16", rate))).sample_rate_hz == rate


def test_an_mp3_length_is_believed_only_where_the_bytes_agree(opened: Open) -> None:
    whole = FILES["whole.mp3"]
    assert probe(opened(whole)).frames
    assert probe(opened(whole[: len(whole) // 2])).frames is None
    assert probe(opened(whole + whole)).frames is None


def test_a_tag_of_any_length_is_skipped(opened: Open) -> None:
    tag = b"ID3\x04\0\0\0\0\x01\0" + bytes(128)
    for content in (FILES["whole.mp3"], FILES["whole.flac"]):
        header = probe(opened(tag + tag + content))
        assert header.sample_rate_hz == 44100


@contextmanager
def temporary(content: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.fileno()


def refused_or_sane(content: bytes) -> None:
    with temporary(content) as fd:
        try:
            header = probe(fd)
        except FileError:
            return
    if header.pcm is not None:
        assert header.channels is not None
        assert 1 <= header.channels <= 64
        assert 0 < header.pcm.frames <= len(content)
        assert header.pcm.offset < len(content)
    if header.sample_rate_hz is not None:
        assert 100 <= header.sample_rate_hz <= 768_000


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_or_make_sense(content: bytes) -> None:
    refused_or_sane(content)


@given(st.sampled_from(sorted(FILES)), st.integers(0, 400), st.binary(min_size=1, max_size=12), st.integers(20, 3000))
@settings(max_examples=400, deadline=None)
def test_any_damaged_header_is_refused_or_makes_sense(name: str, at: int, patch: bytes, size: int) -> None:
    content = FILES[name][:size]
    refused_or_sane(content[:at] + patch + content[at + len(patch) :])


def test_a_hostile_chunk_tree_is_read_in_bounded_time(opened: Open) -> None:
    fd = opened(riff(struct.pack("<4sI", b"JUNK", 0) * 200_000, FMT, DATA))
    with pytest.raises(BrokenHeader):
        probe(fd)


def test_a_header_costs_one_read_of_64_kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kick.wav").write_bytes(riff(FMT, DATA))
    fd = os.open(tmp_path / "kick.wav", os.O_RDONLY)
    reads: list[int] = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, count, at: reads.append(count) or real(fd, count, at))
    probe(fd)
    os.close(fd)
    assert reads == [65536]
