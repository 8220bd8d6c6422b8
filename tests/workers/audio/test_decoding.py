"""Each decoder against libsndfile and against what was encoded."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.broken_files import aiff, chunk, chunks, compressed, encoded, encodings, form, pcm16, riff, tone, written
from workers.audio import decoding, mpeg
from workers.audio.decoding import decode_fd
from workers.audio.ogg import checksum, mend_pages
from workers.audio.outcome import Limits, Outcome, Room, silence_bad
from workers.audio.pcm import decode_pcm
from workers.audio.probe import probe
from workers.audio.sndfile import decode_sndfile
from workers.errors import DecodeFailed, OutOfMemory, ParameterError, Unreadable

Open = Callable[[bytes], int]
LIMITS = Limits(600, 1 << 25)
FILES = {
    str(name): bytes(content) for made in (chunks(), encodings(), aiff(), compressed()) for name, content, _ in made
}


def decode(fd: int, limits: Limits = LIMITS) -> tuple[NDArray[np.float32], Outcome]:
    out = np.full(limits.bytes // 4, np.nan, np.float32)
    outcome = next(decode_fd(fd, probe(fd), Room(out, limits)))
    return out[: outcome.frames * outcome.channels].reshape(-1, outcome.channels), outcome


def room() -> Room:
    return Room(np.zeros(LIMITS.bytes // 4, np.float32), LIMITS)


def noise(frames: int = 20_000, channels: int = 2) -> NDArray[np.float32]:
    return (np.random.default_rng(7).standard_normal((frames, channels)) * 0.3).astype(np.float32)


KINDS = [
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    *(("AIFF", subtype) for subtype in ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW")),
    *(("AU", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    ("RF64", "PCM_24"),
    ("WAVEX", "PCM_24"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
]


@pytest.mark.parametrize(("kind", "subtype"), KINDS)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_samples_are_libsndfiles_to_the_last_bit(opened: Open, kind: str, subtype: str, channels: int) -> None:
    content = written(noise(70_001, channels), kind, subtype)
    expected, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    y, outcome = decode(opened(content))
    assert np.array_equal(y, expected)
    assert (outcome.sample_rate_hz, outcome.channels, outcome.subtype) == (rate, channels, subtype)
    assert outcome.complete
    assert not outcome.damaged


def test_both_byte_orders_give_the_same(opened: Open) -> None:
    for subtype in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"):
        file = io.BytesIO()
        soundfile.write(file, noise(), 44100, format="WAV", subtype=subtype, endian="BIG")
        assert file.getvalue()[:4] == b"RIFX"
        assert np.array_equal(decode(opened(file.getvalue()))[0], decode(opened(written(noise(), "WAV", subtype)))[0])


def test_sixty_four_bits_are_read(opened: Open) -> None:
    y, outcome = decode(opened(FILES["pcm_64.wav"]))
    assert outcome.subtype == "PCM_64"
    assert np.allclose(y, tone() / 2, atol=1e-7)


@pytest.mark.parametrize(
    "name", [name for name, _, _ in chunks() if name not in ("wave64.w64", "rf64_without_ds64.wav")]
)
def test_odd_chunks_change_no_sample(opened: Open, name: str) -> None:
    y, _ = decode(opened(FILES[name]))
    assert np.array_equal(y, np.frombuffer(pcm16(tone()), "<i2").reshape(-1, 2) / np.float32(32768))


LOSSY = {
    "whole.mp3": 0.02,
    "aac.m4a": 1.0,
    "opus.ogg": 1.0,
    "opus.webm": 1.0,
    "ima_adpcm.wav": 0.2,
    "ms_adpcm.wav": 0.05,
    "alac.m4a": 1e-3,
    "alac.caf": 1e-3,
    "pcm.caf": 1e-3,
    "pack.wv": 1e-3,
    "says_2_to_36.flac": 1e-3,
    "says_0.flac": 1e-3,
    "id3_in_front.flac": 1e-3,
}


@pytest.mark.parametrize("name", LOSSY)
def test_what_was_encoded_comes_back_at_its_level(opened: Open, name: str) -> None:
    y, outcome = decode(opened(FILES[name]))
    expected = tone(outcome.frames / outcome.sample_rate_hz, 2, outcome.sample_rate_hz)
    frames = min(len(y), len(expected))
    assert y.shape[1] == 2
    assert abs(float(np.abs(y).max()) - 0.5) < 0.1
    if LOSSY[name] < 1:
        assert float(np.abs(y[:frames] - expected[:frames]).max()) < LOSSY[name]


@pytest.mark.parametrize(("kind", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "OPUS")])
def test_encoder_delay_is_dropped_where_it_is_stated(opened: Open, kind: str, subtype: str) -> None:
    click = np.zeros((48000, 1), np.float32)
    click[10_000] = 0.9
    y, _ = decode(opened(written(click, kind, subtype, 48000)))
    assert len(y) == 48000
    assert abs(int(np.abs(y).argmax()) - 10_000) <= 2


def test_an_mp3_without_a_stated_length_is_read_to_its_end(opened: Open) -> None:
    mp3 = FILES["whole.mp3"]
    found = mpeg.find_frame(mp3, 4096)
    assert found is not None
    bare = mp3[found[0] + found[1].length :]  # without the frame that states it
    assert probe(opened(bare)).frames is None
    y, _ = decode(opened(bare))
    assert len(y) >= 2 * 44100


def test_two_songs_in_one_ogg_are_read_one_behind_the_other(opened: Open) -> None:
    y, _ = decode(opened(FILES["two_songs.ogg"]))
    assert abs(len(y) / 44100 - 3) < 0.02


def test_an_ogg_that_begins_another_song_again_and_again_gives_what_there_is(opened: Open) -> None:
    first, second = (_ogg_pages(written(tone(seconds), "OGG", "VORBIS")) for seconds in (0.4, 1.0))
    begun = second[0] + second[1][:1000] + first[-1]
    y, outcome = decode(opened(b"".join([*first, *[begun] * 7, *second])))
    assert len(y) > 0.4 * 44100
    assert outcome.damaged


def _ogg_pages(ogg: bytes) -> list[bytes]:
    return [b"OggS" + page for page in ogg.split(b"OggS")[1:]]


def test_no_more_than_the_limit_is_decoded_and_that_is_said(opened: Open) -> None:
    for name in ("pcm_24.wav", "whole.flac", "whole.ogg", "whole.mp3", "alac.m4a", "opus.ogg"):
        y, outcome = decode(opened(FILES[name]), Limits(0.1, 1 << 25))
        assert len(y) == int(0.1 * outcome.sample_rate_hz)
        assert not outcome.complete
        y, outcome = decode(opened(FILES[name]), Limits(600, 8000))
        assert y.shape == (1000, 2)


def test_a_flac_that_says_2_to_the_36_samples_takes_no_memory_for_them(opened: Open) -> None:
    y, outcome = decode(opened(FILES["says_2_to_36.flac"]))
    assert len(y) == 88200
    assert outcome.damaged


def test_a_cut_file_gives_what_there_is(opened: Open) -> None:
    for name in ("cut.flac", "cut.mp3", "cut.ogg"):
        header = probe(opened(FILES[name]))
        y, outcome = decode(opened(FILES[name]))
        assert 0 < len(y) < 80_000
        assert outcome.damaged or header.truncated


def test_a_file_that_shrinks_while_it_is_read_gives_what_there_is(opened: Open) -> None:
    content = written(noise(), "WAV", "PCM_16")
    header = probe(opened(content))
    out = np.zeros(LIMITS.bytes // 4, np.float32)
    outcome = next(decode_fd(opened(content[: len(content) // 2]), header, Room(out, LIMITS)))
    assert 0 < outcome.frames < 20_000
    assert outcome.damaged


def test_bad_samples_are_silenced_and_counted() -> None:
    y = noise(100_000, 1)[:, 0]
    expected = y.copy()
    for at, value in {3: np.nan, 70_000: np.inf, 70_001: -np.inf, 99_999: 2e10}.items():
        y[at], expected[at] = value, 0
    assert silence_bad(y) == 4
    assert np.array_equal(y, expected)


def test_loud_and_tiny_samples_are_not_bad() -> None:
    y = np.array([32768.0, -2147483648.0, 1e-40, 9e9], np.float32)
    assert silence_bad(y) == 0
    assert np.array_equal(y, np.array([32768.0, -2147483648.0, 1e-40, 9e9], np.float32))


def test_doubles_beyond_float_are_bad(opened: Open) -> None:
    sound = np.array([0.5, 1e300, np.nan, -0.5])
    content = riff(chunk(b"fmt ", form(1, bits=64, tag=3)), chunk(b"data", sound.astype("<f8").tobytes()))
    y, outcome = decode(opened(content))
    assert outcome.bad_samples == 2
    assert y[:, 0].tolist() == [0.5, 0, 0, -0.5]


def test_running_out_of_memory_is_an_error_of_the_file(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> Outcome:
        np.empty(1 << 55, np.uint8)
        raise AssertionError

    monkeypatch.setattr(decoding, "decode_pcm", greedy)
    with pytest.raises(OutOfMemory):
        decode(opened(FILES["pcm_24.wav"]))


def test_a_failing_disk_is_an_error_of_the_file(opened: Open) -> None:
    header = probe(opened(FILES["pcm_24.wav"]))
    closed = os.open("/", os.O_RDONLY)  # reading a folder fails with EISDIR
    try:
        with pytest.raises(Unreadable):
            next(decode_fd(closed, header, room()))
    finally:
        os.close(closed)


def test_the_descriptor_stays_open(opened: Open) -> None:
    for name in ("pcm_24.wav", "whole.flac", "whole.ogg", "alac.m4a", "noise.ogg", "header_only.flac"):
        fd = opened(FILES[name])
        try:
            decode(fd)
        except DecodeFailed:
            assert name in ("noise.ogg", "header_only.flac")
        os.fstat(fd)


def test_libsndfile_starts_at_the_files_start_wherever_the_offset_is(opened: Open) -> None:
    fd = opened(FILES["whole.flac"])
    os.lseek(fd, 77, os.SEEK_SET)
    assert next(decode_sndfile(fd, probe(fd), room())).frames == 88200


def test_pcm_refuses_what_is_compressed(opened: Open) -> None:
    fd = opened(FILES["whole.flac"])
    with pytest.raises(ParameterError):
        next(decode_pcm(fd, probe(fd), room()))


def test_ogg_checksums_are_those_of_the_pages(opened: Open) -> None:
    page = FILES["whole.ogg"][:58]
    assert checksum(page[:22] + bytes(4) + page[26:]).to_bytes(4, "little") == page[22:26]
    assert mend_pages(opened(FILES["whole.ogg"])) is None
    mended = mend_pages(opened(FILES["rotten.ogg"]))
    assert mended is not None
    assert len(mended.getvalue()) == len(FILES["rotten.ogg"])


def test_the_same_bytes_give_the_same_samples(opened: Open) -> None:
    for name in ("whole.mp3", "aac.m4a", "rotten.flac", "rotten.ogg", "opus.webm"):
        first, _ = decode(opened(FILES[name]))
        again, _ = decode(opened(FILES[name]))
        assert np.array_equal(first, again)


def test_mono_is_not_made_stereo(opened: Open) -> None:
    y, _ = decode(opened(written(noise(channels=1), "FLAC", "PCM_16")))
    assert y.shape == (20_000, 1)
    stereo, _ = decode(opened(encoded("wv", "wavpack", sample="s16p")))
    assert stereo.shape[1] == 2
