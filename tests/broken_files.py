"""More than three hundred broken and odd files, each with what must come of it.

    broken = make_broken(folder)

An expectation holds for `workers.audio.files.open_beneath(folder, name)` and decoding what it opens: ``ok`` or the
codes of `workers.errors` of which one must come. Nothing may hang, take gigabytes, or end a process.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

SR = 44100
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file's name below the folder, and what may come of it: ``ok`` or codes of errors."""

    name: bytes
    expect: frozenset[str]


Content = bytes | bytearray
Made = tuple[str | bytes, Content, str]
"""Name, bytes, and the outcomes allowed, separated by blanks."""


def make_broken(folder: Path, *, large: bool = True) -> list[BrokenFile]:
    """Write all files into `folder`, which must be there. `large` adds a sparse 4 GB file and 30 minutes of silence."""
    from tests.broken_lies import lies  # which is made of the same parts

    made = [*chunks(), *lying_headers(), *odd_samples(), *encodings(), *aiff(), *compressed(), *not_audio(), *names()]
    made += lies()
    files = []
    for name, content, expect in made:
        raw = os.fsencode(name)
        Path(os.fsdecode(os.path.join(os.fsencode(folder), raw))).write_bytes(content)
        files.append(BrokenFile(raw, frozenset(expect.split())))
    files += filesystem(folder)
    if large:
        files += large_files(folder)
    return files


def tone(seconds: float = 0.4, channels: int = 2, rate: int = SR) -> Samples:
    """A decaying A, shape (frames, channels)."""
    time = np.arange(int(seconds * rate)) / rate
    y = 0.5 * np.sin(2 * np.pi * 440 * time) * np.exp(-3 * time)
    return np.repeat(y[:, None], channels, 1).astype(np.float32)


def pcm16(y: Samples) -> bytes:
    return (y * 32767).astype("<i2").tobytes()


def form(channels: int = 2, rate: int = SR, bits: int = 16, tag: int = 1, align: int | None = None) -> bytes:
    """The body of a ``fmt `` chunk."""
    align = channels * bits // 8 if align is None else align
    return struct.pack("<HHIIHH", tag, channels, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, bits)


def chunk(name: bytes, body: Content, *, size: int | None = None, pad: bool = True) -> bytes:
    body = bytes(body)
    return (
        name + struct.pack("<I", len(body) if size is None else size) + body + (b"\0" * (len(body) & 1) if pad else b"")
    )


def riff(*parts: bytes, magic: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(parts)
    return magic + struct.pack("<I", len(body) if size is None else size) + body


FMT = chunk(b"fmt ", form())
SOUND = pcm16(tone())
DATA = chunk(b"data", SOUND)


def chunks() -> list[Made]:
    """WAV files whose chunks are many, odd, or in an order nobody expects. All of them can be read."""
    acid = struct.pack("<IHHfIHHf", 2, 57, 0x8000, 0.0, 8, 4, 4, 120.0)
    loop = struct.pack("<6I", 0, 0, 100, 8099, 0, 0)
    smpl = struct.pack("<9I", 0, 0, 22675, 57, 0, 0, 0, 1, 0) + loop
    ds64 = struct.pack("<QQQI", 0, len(SOUND), len(SOUND) // 4, 0)
    swapped = np.frombuffer(SOUND, "<i2").astype(">i2").tobytes()
    rifx = b"RIFX" + struct.pack(">I", 36 + len(swapped)) + b"WAVEfmt " + struct.pack(">I", 16)
    rifx += struct.pack(">HHIIHH", 1, 2, SR, SR * 4, 4, 16) + b"data" + struct.pack(">I", len(swapped)) + swapped
    pcm_id = bytes.fromhex("0100000000001000800000aa00389b71")
    wide = struct.pack("<HHIIHHHHI", 0xFFFE, 2, SR, SR * 4, 4, 16, 22, 16, 3) + pcm_id
    streamed = chunk(b"data", SOUND, size=0xFFFFFFFF)
    return [
        ("bext.wav", riff(chunk(b"bext", b"take one".ljust(603, b"\0")), FMT, DATA), "ok"),
        ("acid.wav", riff(FMT, DATA, chunk(b"acid", acid)), "ok"),
        ("smpl.wav", riff(FMT, chunk(b"smpl", smpl), DATA), "ok"),
        ("junk_odd_padded.wav", riff(chunk(b"JUNK", bytes(601)), FMT, DATA), "ok"),
        ("junk_odd_unpadded.wav", riff(chunk(b"JUNK", bytes(601), pad=False), FMT, DATA), "ok"),
        ("list_odd_unpadded.wav", riff(FMT, chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0", pad=False), DATA), "ok"),
        ("id3_behind.wav", riff(FMT, DATA, chunk(b"id3 ", b"ID3\x03\0\0\0\0\0\0")), "ok"),
        ("three_thousand_chunks.wav", riff(chunk(b"JUNK", b"") * 3000, FMT, DATA), "ok"),
        ("fmt_behind.wav", riff(DATA, FMT), "ok"),
        ("two_data.wav", riff(FMT, DATA, DATA), "ok"),
        ("empty_data_first.wav", riff(FMT, chunk(b"data", b""), chunk(b"LIST", b"INFO"), DATA), "ok"),
        ("rifx.wav", rifx, "ok"),
        ("extensible.wav", riff(chunk(b"fmt ", wide), DATA), "ok"),
        ("rf64.wav", riff(chunk(b"ds64", ds64), FMT, streamed, magic=b"RF64", size=0xFFFFFFFF), "ok"),
        ("bw64.wav", riff(chunk(b"ds64", ds64), FMT, streamed, magic=b"BW64", size=0xFFFFFFFF), "ok"),
        ("rf64_without_ds64.wav", riff(FMT, streamed, magic=b"RF64", size=0xFFFFFFFF), "broken_header"),
        ("streamed.wav", riff(FMT, streamed, size=0xFFFFFFFF), "ok"),
        ("streamed_zero.wav", riff(FMT, chunk(b"data", SOUND, size=0), size=0), "ok"),
        ("riff_size_zero.wav", riff(FMT, DATA, size=0), "ok"),
        ("riff_size_small.wav", riff(FMT, DATA, size=36), "ok"),
        ("riff_size_huge.wav", riff(FMT, DATA, size=0xFFFFFFF0), "ok"),
        ("wave64.w64", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0" + bytes(200), "unsupported_format"),
    ]


def lying_headers() -> list[Made]:
    """WAV headers that cannot be true, or are true of less than they say."""

    def with_format(**fields: Any) -> bytes:
        return riff(chunk(b"fmt ", form(**fields)), DATA)

    whole = riff(FMT, DATA)
    return [
        ("channels_0.wav", with_format(channels=0, align=4), "broken_header"),
        ("channels_65.wav", with_format(channels=65), "broken_header"),
        ("channels_65535.wav", with_format(channels=65535), "broken_header"),
        ("rate_0.wav", with_format(rate=0), "broken_header"),
        ("rate_1.wav", with_format(rate=1), "broken_header"),
        ("rate_4_ghz.wav", with_format(rate=4_000_000_000), "broken_header"),
        ("bits_0.wav", with_format(bits=0), "broken_header"),
        ("bits_999.wav", with_format(bits=999, align=4), "broken_header"),
        ("align_0.wav", with_format(align=0), "ok"),
        ("align_7.wav", with_format(align=7), "ok"),
        ("unknown_codec.wav", with_format(tag=0x1234), "unsupported_format"),
        ("float_16.wav", with_format(tag=3), "broken_header"),
        ("no_fmt.wav", riff(DATA), "broken_header"),
        ("short_fmt.wav", riff(chunk(b"fmt ", b"\1\0\2\0"), DATA), "broken_header"),
        ("no_data.wav", riff(FMT), "empty_audio"),
        ("header_only.wav", riff(FMT, chunk(b"data", b"")), "empty_audio"),
        ("half_a_frame.wav", riff(FMT, chunk(b"data", b"\0\0")), "empty_audio"),
        ("junk_4_gb_before_fmt.wav", riff(chunk(b"JUNK", b"", size=0xFFFFFFF0), FMT, DATA), "broken_header"),
        ("data_lies_long.wav", riff(FMT, chunk(b"data", SOUND, size=1 << 31)), "ok"),
        ("cut_in_half.wav", whole[: len(whole) // 2 + 1], "ok"),
        ("cut_at_20.wav", whole[:20], "broken_header"),
        ("cut_at_12.wav", whole[:12], "broken_header"),
        ("riff_only.wav", b"RIFF", "not_audio"),
        (
            "ima_of_noise.wav",
            riff(chunk(b"fmt ", form(tag=0x11, bits=4, align=1024)), chunk(b"data", noise(9000))),
            "ok decode_failed",
        ),
    ]


def noise(size: int) -> bytes:
    return np.random.default_rng(size).bytes(size)


def float_wav(y: Samples) -> bytes:
    shape = form(channels=y.shape[1], bits=32, tag=3)
    return riff(chunk(b"fmt ", shape), chunk(b"data", y.astype("<f4").tobytes()))


def odd_samples() -> list[Made]:
    """Sound headers with sound that no converter made."""
    some = tone()
    some[100:200] = np.nan
    some[300:310] = np.inf
    antiphase = tone()
    antiphase[:, 1] *= -1
    return [
        ("nan_and_inf.wav", float_wav(some), "ok"),
        ("all_nan.wav", float_wav(np.full((500, 2), np.nan, np.float32)), "no_finite_samples"),
        ("all_inf.wav", float_wav(np.full((500, 1), -np.inf, np.float32)), "no_finite_samples"),
        ("all_1e38.wav", float_wav(np.full((500, 1), 1e38, np.float32)), "no_finite_samples"),
        ("loud_float.wav", float_wav(tone() * 32768), "ok"),
        ("denormal.wav", float_wav(np.full((5000, 1), 1e-40, np.float32)), "ok"),
        ("antiphase.wav", float_wav(antiphase), "ok"),
        ("dc.wav", float_wav(np.full((20000, 1), 0.5, np.float32)), "ok"),
        ("silence.wav", float_wav(np.zeros((20000, 2), np.float32)), "ok"),
        ("clipped.wav", float_wav(np.clip(tone() * 20, -1, 1)), "ok"),
        ("one_sample.wav", float_wav(np.ones((1, 1), np.float32)), "ok"),
        ("two_samples.wav", float_wav(np.ones((2, 2), np.float32)), "ok"),
        ("hundred_samples.wav", float_wav(tone()[:100]), "ok"),
        ("twelve_channels.wav", float_wav(tone(channels=12)), "ok"),
        ("sixty_four_channels.wav", float_wav(tone(0.05, channels=64)), "ok"),
    ]


def written(y: Samples, kind: str, subtype: str, rate: int = SR) -> bytes:
    """What libsndfile writes."""
    file = io.BytesIO()
    soundfile.write(file, y, rate, format=kind, subtype=subtype)
    return file.getvalue()


def encodings() -> list[Made]:
    """Everything a WAV or AU file may hold, at all rates."""
    subtypes = ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"]
    long_integers = (tone().astype(np.float64) * 2.0**62).astype("<i8").tobytes()
    return [
        *((f"{subtype.lower()}.wav", written(tone(), "WAV", subtype), "ok") for subtype in subtypes),
        ("pcm_64.wav", riff(chunk(b"fmt ", form(bits=64)), chunk(b"data", long_integers)), "ok"),
        ("twenty_bits.wav", riff(chunk(b"fmt ", form(bits=20, align=6)), chunk(b"data", noise(6000))), "ok"),
        *(
            (f"{rate}_hz.wav", written(tone(rate=rate), "WAV", "PCM_16", rate), "ok")
            for rate in (4000, 8000, 22050, 96000, 192000, 384000)
        ),
        ("sun.au", written(tone(), "AU", "PCM_16"), "ok"),
        ("sun_ulaw.au", written(tone(), "AU", "ULAW"), "ok"),
        ("sun_rate_0.au", written(tone(), "AU", "PCM_16")[:16] + bytes(4) + bytes([0, 0, 0, 2] * 99), "broken_header"),
    ]


def aiff() -> list[Made]:
    """AIFF and AIFF-C, as they should be and not."""
    plain = written(tone(), "AIFF", "PCM_16")
    at = plain.index(b"COMM") + 8
    aifc = written(tone(), "AIFF", "FLOAT")
    coded = aifc.index(b"COMM") + 8 + 18
    return [
        ("plain.aiff", plain, "ok"),
        ("plain_24.aif", written(tone(), "AIFF", "PCM_24"), "ok"),
        ("signed_8.aif", written(tone(), "AIFF", "PCM_S8"), "ok"),
        ("float.aifc", aifc, "ok"),
        ("double.aifc", written(tone(), "AIFF", "DOUBLE"), "ok"),
        ("ulaw.aifc", written(tone(), "AIFF", "ULAW"), "ok"),
        ("unknown.aifc", aifc[:coded] + b"MAC6" + aifc[coded + 4 :], "unsupported_format"),
        ("channels_0.aiff", plain[:at] + b"\0\0" + plain[at + 2 :], "broken_header"),
        ("rate_0.aiff", plain[: at + 8] + bytes(10) + plain[at + 18 :], "broken_header"),
        ("rate_infinite.aiff", plain[: at + 8] + b"\x7f\xfe" + b"\xff" * 8 + plain[at + 18 :], "broken_header"),
        ("frames_lie.aiff", plain[: at + 2] + b"\xff" * 4 + plain[at + 6 :], "ok"),
        ("frames_0.aiff", plain[: at + 2] + bytes(4) + plain[at + 6 :], "empty_audio"),
        ("cut.aiff", plain[: len(plain) // 2], "ok"),
    ]


def encoded(kind: str, codec: str, rate: int = SR, seconds: float = 0.4, sample: str = "fltp") -> bytes:
    """What FFmpeg writes."""
    file = io.BytesIO()
    y = tone(seconds, 2, rate)
    with av.open(file, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.layout = "stereo"
        stream.codec_context.format = sample
        resampler = av.AudioResampler(format=sample, layout="stereo", rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(y.T), format="fltp", layout="stereo")
        frame.rate = rate
        for ready in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return file.getvalue()


def flipped(content: bytes, every: int, start: int) -> bytes:
    """The same with a bit wrong in one byte of `every`."""
    rotten = bytearray(content)
    for at in range(start, len(rotten), every):
        rotten[at] ^= 1 << at % 8
    return bytes(rotten)


def compressed() -> list[Made]:
    """FLAC, Ogg, MP3, MP4 and the others: whole, cut, rotten, and with headers that lie."""
    flac, ogg = written(tone(2), "FLAC", "PCM_16"), written(tone(2), "OGG", "VORBIS")
    mp3 = written(tone(2), "MP3", "MPEG_LAYER_III")
    m4a = encoded("mp4", "aac", seconds=2)
    tag = b"ID3\x04\0\0" + bytes((0, 12, 0, 0)) + bytes(12 << 14)
    return [
        ("whole.flac", flac, "ok"),
        ("eight_channels.flac", written(tone(channels=8), "FLAC", "PCM_24"), "ok"),
        ("id3_in_front.flac", b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + flac, "ok"),
        ("cut.flac", flac[: len(flac) // 2], "ok"),
        ("rotten.flac", flipped(flac, 997, 5000), "ok decode_failed"),
        ("says_2_to_36.flac", flac[:21] + bytes([flac[21] | 0x0F]) + b"\xff" * 4 + flac[26:], "ok"),
        ("says_0.flac", flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:], "ok"),
        ("rate_0.flac", flac[:18] + bytes([0, 0, flac[20] & 0x0F]) + flac[21:], "broken_header"),
        ("noise.flac", b"fLaC" + noise(9000), "broken_header decode_failed"),
        ("header_only.flac", flac[:42], "decode_failed"),
        ("whole.ogg", ogg, "ok"),
        ("cut.ogg", ogg[: 2 * len(ogg) // 3], "ok"),
        ("rotten.ogg", flipped(ogg, 1511, 6000), "ok"),
        ("two_songs.ogg", ogg + written(tone(1), "OGG", "VORBIS"), "ok"),
        ("noise.ogg", b"OggS" + noise(9000), "decode_failed broken_header"),
        ("opus.ogg", encoded("ogg", "libopus", 48000, sample="flt"), "ok"),
        ("opus.webm", encoded("webm", "libopus", 48000, sample="flt"), "ok"),
        ("aac.mka", encoded("matroska", "aac"), "ok"),
        ("whole.mp3", mp3, "ok"),
        ("cut.mp3", mp3[: len(mp3) // 2 + 77], "ok"),
        ("long_tag.mp3", tag + mp3, "ok"),
        ("zeros_in_front.mp3", bytes(600) + mp3, "ok"),
        ("joined.mp3", mp3 + mp3, "ok"),
        ("rotten.mp3", flipped(mp3, 701, 2000), "ok decode_failed"),
        ("tag_and_noise.mp3", tag + noise(9000), "not_audio"),
        ("tag_only.mp3", tag, "not_audio"),
        ("syncs.mp3", b"\xff\xfb\x90\x64" * 3000, "not_audio"),
        ("aac.m4a", m4a, "ok"),
        ("alac.m4a", encoded("ipod", "alac", sample="s16p"), "ok"),
        ("cut.m4a", m4a[: len(m4a) // 2], "decode_failed"),
        ("rotten.m4a", flipped(m4a, 997, 300), "ok decode_failed not_audio"),
        ("tags_not_utf8.m4a", m4a.replace(b"Lavf", b"\xdf\xffvf"), "ok"),
        ("raw.aac", encoded("adts", "aac"), "ok"),
        ("dolby.ac3", encoded("ac3", "ac3"), "ok"),
        ("pack.wv", encoded("wv", "wavpack", sample="s16p"), "ok"),
        ("alac.caf", encoded("caf", "alac", sample="s16p"), "ok"),
        ("pcm.caf", encoded("caf", "pcm_s16le", sample="s16"), "ok"),
        ("noise.caf", b"caff\0\1\0\0desc" + noise(500), "broken_header decode_failed"),
        ("windows.wma", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + noise(3000), "unsupported_format"),
    ]


def not_audio() -> list[Made]:
    """Files of other kinds that are called audio."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("kick.wav", riff(FMT, DATA))
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + bytes(13) + zlib.compress(noise(2000))
    return [
        ("empty.wav", b"", "empty_file"),
        ("empty.mp3", b"", "empty_file"),
        ("one_byte.wav", b"R", "not_audio"),
        ("text.wav", b"RIFF raff: this is a shopping list.\n" * 500, "not_audio"),
        ("picture.wav", png, "not_audio"),
        ("archive.wav", archive.getvalue(), "not_audio"),
        ("video.wav", b"RIFF\0\0\1\0AVI LIST" + noise(3000), "not_audio"),
        ("song.mid", b"MThd\0\0\0\6\0\1\0\2\1\xe0MTrk" + bytes(100), "not_audio"),
        ("noise.wav", noise(20000), "not_audio"),
        ("zeros.wav", bytes(20000), "not_audio"),
        ("program.wav", b"\x7fELF" + noise(3000), "not_audio"),
        ("page.mp3", b"<!DOCTYPE html><title>404</title>" * 100, "not_audio"),
    ]


def names() -> list[Made]:
    """Good files with names that break programs."""
    whole = riff(FMT, DATA)
    return [
        ("new\nline.wav", whole, "ok"),
        ('it\'s "quoted".wav', whole, "ok"),
        ("tab\tand\\back.wav", whole, "ok"),
        ("-rf *.wav", whole, "ok"),
        ("$HOME; rm `x`.wav", whole, "ok"),
        ("snare \U0001f941 drum.wav", whole, "ok"),
        ("e\u0301tude.wav", whole, "ok"),
        (b"invalid \xff\xfe utf8.wav", whole, "ok"),
        (" spaces around .wav ", whole, "ok"),
        ("percent %s {0} %00.wav", whole, "ok"),
        ("no_extension", whole, "ok"),
        ("wav.mp3", whole, "ok"),
        ("mp3.wav", written(tone(), "MP3", "MPEG_LAYER_III"), "ok"),
        ("n" * 251 + ".wav", whole, "ok"),
    ]


def filesystem(folder: Path) -> list[BrokenFile]:
    """What is no file at all, or may not be read."""
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "fifo.wav")
    os.symlink("loop_b.wav", folder / "loop_a.wav")
    os.symlink("loop_a.wav", folder / "loop_b.wav")
    os.symlink("nowhere.wav", folder / "dangling.wav")
    os.symlink("bext.wav", folder / "link.wav")
    os.symlink("/etc/passwd", folder / "out.wav")
    os.symlink("fifo.wav", folder / "link_to_fifo.wav")
    (folder / "secret.wav").write_bytes(riff(FMT, DATA))
    (folder / "secret.wav").chmod(0)
    return [
        BrokenFile(b"folder.wav", frozenset({"not_a_regular_file"})),
        BrokenFile(b"fifo.wav", frozenset({"not_a_regular_file"})),
        BrokenFile(b"loop_a.wav", frozenset({"symlink_loop"})),
        BrokenFile(b"dangling.wav", frozenset({"vanished"})),
        BrokenFile(b"never_there.wav", frozenset({"vanished"})),
        BrokenFile(b"link.wav", frozenset({"ok"})),
        BrokenFile(b"out.wav", frozenset({"outside_root"})),
        BrokenFile(b"link_to_fifo.wav", frozenset({"not_a_regular_file"})),
        BrokenFile(b"secret.wav", frozenset({"ok" if os.geteuid() == 0 else "unreadable"})),
        *_socket(folder),
    ]


def _socket(folder: Path) -> list[BrokenFile]:
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(folder / "socket.wav"))
        except OSError:  # a socket's path may have 100 bytes only
            return []
    return [BrokenFile(b"socket.wav", frozenset({"not_a_regular_file"}))]


def large_files(folder: Path) -> list[BrokenFile]:
    """Much sound in few bytes: 4 GB of which the disk knows nothing, 30 minutes of silence in some 200 KB."""
    size = 4_100_000_000
    with (folder / "sparse_4_gb.wav").open("wb") as file:
        file.write(riff(FMT, chunk(b"data", b"", size=size), size=size + 36))
        file.truncate(size + 44)
    block = np.zeros((SR, 1), np.float32)
    with soundfile.SoundFile(folder / "half_an_hour.flac", "w", SR, 1) as silence:
        for _ in range(30 * 60):
            silence.write(block)
    return [BrokenFile(name, frozenset({"ok"})) for name in (b"sparse_4_gb.wav", b"half_an_hour.flac")]
