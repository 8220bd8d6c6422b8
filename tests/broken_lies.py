"""More than a hundred files that cannot be sound, each broken in one place: every field of every header, every cut.

    for name, content, codes in lies(): ...

All of them are refused, with one of the codes.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

from tests import broken_files as files
from tests.broken_files import DATA, FMT, SOUND, SR, Made, chunk, encoded, form, noise, riff, tone, written


def lies() -> list[Made]:
    """All of them."""
    return [*other_kinds(), *waves(), *aiffs(), *others_headers(), *cut_short(), *compressed_lies()]


def other_kinds() -> Iterator[Made]:
    """What lies beside samples on a producer's disk, called audio."""
    starts = {
        "pdf": b"%PDF-1.7\n",
        "gif": b"GIF89a",
        "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        "webp": b"RIFF\0\0\1\0WEBPVP8 ",
        "bmp": b"BM\x36\0\0\0",
        "tiff": b"II*\0\x08\0\0\0",
        "sqlite": b"SQLite format 3\0",
        "7z": b"7z\xbc\xaf\x27\x1c",
        "rar": b"Rar!\x1a\x07\x01\0",
        "xz": b"\xfd7zXZ\0",
        "bzip2": b"BZh91AY&SY",
        "class": b"\xca\xfe\xba\xbe\0\0\0\x34",
        "macho": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
        "exe": b"MZ\x90\0\x03\0\0\0",
        "torrent": b"d8:announce35:http://tracker.example/announce",
        "soundfont": b"RIFF\0\0\1\0sfbkLIST",
        "cursor": b"RIFF\0\0\1\0ACONanih",
        "nki": b"\x12\x90\xa8\x7f\0\0\0\0",
        "reaper_peaks": b"RPKN\x02\0\0\0",
        "ableton_peaks": b"\xab\x1e\x56\x78\x03\0\0\0",
        "midi_in_riff": b"RIFF\0\0\1\0RMIDdata",
        "ds_store": b"\0\0\0\x01Bud1\0\0\x10\0",
        "apple_double": b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ",
        "playlist": b"#EXTM3U\n#EXTINF:1,kick\nkick.wav\n",
        "cue_sheet": b'FILE "kick.wav" WAVE\n  TRACK 01 AUDIO\n',
        "project": b'<REAPER_PROJECT 0.1 "6.0"\n',
        "python": b"#!/usr/bin/env python3\nprint('kick')\n",
        "csv": b"name,bpm,key\nkick,120,C\n",
        "utf16": "\ufeffkick drum, 120 BPM\n".encode("utf-16-le"),
        "mpeg_video": b"\0\0\x01\xba\x44\0\x04\0",
        "flash": b"FLV\x01\x05\0\0\0\x09",
        "half_a_magic": b"fLa",
        "magic_backwards": b"FFIREVAW",
    }
    for name, start in starts.items():
        yield f"{name}.wav", start + bytes(900), "not_audio"
    yield "set.als", gzip.compress(b"<?xml version='1.0'?><Ableton/>" * 50), "not_audio"


def waves() -> Iterator[Made]:
    """RIFF: each field of the format, each chunk missing or lying."""

    def with_format(**fields: int) -> bytes:
        return riff(chunk(b"fmt ", form(**fields)), DATA)

    for tag in (0x0000, 0x0001 << 8, 0x0042, 0x0161, 0x0270, 0x8000, 0xFFFF):
        yield f"format_{tag:04x}.wav", with_format(tag=tag), "unsupported_format"
    for channels in (255, 256, 1000, 32768):
        yield f"channels_{channels}.wav", with_format(channels=channels, align=4), "broken_header"
    for rate in (2, 50, 99, 768_001, 10**7, 0xFFFFFFFF):
        yield f"rate_{rate}_hz.wav", with_format(rate=rate), "broken_header"
    for bits, align in ((40, 10), (48, 12), (56, 14), (65535, 4), (0, 0)):
        yield f"bits_{bits}_in_{align}.wav", with_format(bits=bits, align=align), "broken_header"
    yield "float_of_8_bits.wav", with_format(tag=3, bits=8), "broken_header"
    yield "float_of_24_bits.wav", with_format(tag=3, bits=24), "broken_header"
    for size in (0, 2, 8, 13):
        yield f"format_of_{size}_bytes.wav", riff(chunk(b"fmt ", form()[:size]), DATA), "broken_header"
    yield "extensible_too_short.wav", riff(chunk(b"fmt ", form(tag=0xFFFE) + bytes(4)), DATA), "broken_header"
    guid = struct.pack("<HHIIHHHHI", 0xFFFE, 2, SR, SR * 4, 4, 16, 22, 16, 3) + b"\x99\x99" + bytes(14)
    yield "extensible_of_nothing_known.wav", riff(chunk(b"fmt ", guid), DATA), "unsupported_format"
    yield "list_4_gb_before_fmt.wav", riff(chunk(b"LIST", b"INFO", size=0xFFFFFFF4), FMT, DATA), "broken_header"
    yield "data_in_another_case.wav", riff(FMT, chunk(b"DATA", SOUND)), "empty_audio"
    yield "two_formats_and_no_data.wav", riff(FMT, FMT), "empty_audio"
    yield "one_byte_of_sound.wav", riff(FMT, chunk(b"data", b"\1")), "empty_audio"
    yield "rifx_in_little_endian.wav", riff(FMT, DATA, magic=b"RIFX"), "broken_header"
    yield "rf64_of_nothing.wav", riff(chunk(b"ds64", bytes(28)), FMT, magic=b"RF64"), "empty_audio"
    yield "rf64_ds64_behind.wav", riff(FMT, chunk(b"ds64", bytes(28)), DATA, magic=b"RF64"), "broken_header"
    yield "all_1e36.wav", files.float_wav(tone() * 0 + 1e36), "no_finite_samples"
    mostly = tone() * 0
    mostly[::2] = 3e37
    yield "1e37_and_0.wav", files.float_wav(mostly), "no_finite_samples"


def aiffs() -> Iterator[Made]:
    """AIFF, AIFF-C and AU."""
    plain = written(tone(), "AIFF", "PCM_16")
    common, sound = plain.index(b"COMM"), plain.index(b"SSND")
    body = common + 8
    yield "no_comm.aiff", plain[:common] + b"COMX" + plain[common + 4 :], "broken_header"
    yield "no_ssnd.aiff", plain[:sound] + b"SSNX" + plain[sound + 4 :], "empty_audio"
    yield "channels_9999.aiff", plain[:body] + b"\x27\x0f" + plain[body + 2 :], "broken_header"
    yield "bits_0.aiff", plain[: body + 6] + b"\0\0" + plain[body + 8 :], "broken_header"
    yield "bits_99.aiff", plain[: body + 6] + b"\0\x63" + plain[body + 8 :], "broken_header"
    yield "rate_nan.aiff", plain[: body + 8] + b"\x7f\xff\xff" + bytes(7) + plain[body + 18 :], "broken_header"
    yield "rate_negative.aiff", plain[: body + 8] + b"\xc0\x0e\xac\x44" + bytes(6) + plain[body + 18 :], "broken_header"
    yield "not_aiff.aiff", plain[:8] + b"AIFX" + plain[12:], "not_audio"
    sun = written(tone(), "AU", "PCM_16")
    for encoding in (0, 8, 99, 0xFFFFFFFF):
        yield f"sun_{encoding}.au", sun[:12] + struct.pack(">I", encoding) + sun[16:], "unsupported_format"
    yield "sun_channels_0.au", sun[:20] + bytes(4) + sun[24:], "broken_header"
    yield "sun_channels_65536.au", sun[:20] + b"\0\1\0\0" + sun[24:], "broken_header"
    yield "sun_offset_huge.au", sun[:4] + b"\xff\xff\xff\xf0" + sun[8:], "empty_audio broken_header"
    yield "sun_only.au", sun[:24], "empty_audio broken_header"


def others_headers() -> Iterator[Made]:
    """FLAC, Ogg, CAF, and what is read by nobody."""
    flac, ogg = written(tone(), "FLAC", "PCM_16"), written(tone(), "OGG", "VORBIS")
    caf = encoded("caf", "pcm_s16le", sample="s16")
    desc = caf.index(b"desc") + 12
    yield "no_streaminfo.flac", flac[:4] + b"\x04" + flac[5:], "broken_header"
    yield "rate_1_hz.flac", flac[:18] + bytes([0, 0, 0x10 | flac[20] & 0x0F]) + flac[21:], "broken_header"
    yield "streaminfo_and_noise.flac", flac[:42] + noise(5000), "decode_failed"
    yield "streaminfo_and_zeros.flac", flac[:42] + bytes(5000), "decode_failed"
    packet = ogg.index(b"\x01vorbis")
    yield "channels_0.ogg", ogg[: packet + 11] + b"\0" + ogg[packet + 12 :], "broken_header"
    yield "channels_255.ogg", ogg[: packet + 11] + b"\xff" + ogg[packet + 12 :], "broken_header"
    yield "rate_0.ogg", ogg[: packet + 12] + bytes(4) + ogg[packet + 16 :], "broken_header"
    yield "first_page_only.ogg", ogg[:58], "decode_failed"
    yield "noise_behind_the_first_page.ogg", ogg[:58] + noise(9000), "decode_failed"
    yield "speex.ogg", ogg[:28] + b"Speex   " + ogg[36:], "unsupported_format"
    yield "theora.ogg", ogg[:28] + b"\x80theora\3" + ogg[36:], "decode_failed not_audio unsupported_format"
    yield "rate_nan.caf", caf[:desc] + b"\x7f\xf8" + bytes(6) + caf[desc + 8 :], "broken_header"
    yield "rate_minus_1.caf", caf[:desc] + struct.pack(">d", -1) + caf[desc + 8 :], "broken_header"
    yield "channels_0.caf", caf[: desc + 24] + bytes(4) + caf[desc + 28 :], "broken_header"
    yield "no_desc.caf", caf[:8] + b"dexc" + caf[12:], "broken_header"
    for name, start in {
        "monkey.ape": b"MAC \x96\x0f\0\0",
        "true_audio.tta": b"TTA1\1\0\2\0\x10\0",
        "musepack.mpc": b"MPCKSH\x0e",
        "musepack_7.mpc": b"MP+\x07",
        "direct_stream.dsf": b"DSD \x1c" + bytes(7),
        "direct_stream.dff": b"FRM8" + bytes(8) + b"DSD ",
        "shorten.shn": b"ajkg\2",
        "phone.amr": b"#!AMR\n",
        "ensoniq.paf": b" paf" + bytes(8),
        "ensoniq_little.paf": b"fap " + bytes(8),
        "amiga.8svx": b"FORM\0\0\1\x008SVXVHDR",
        "recycle.rx2": b"CAT \0\0\1\0REX2HEAD",
    }.items():
        yield name, start + noise(700), "unsupported_format"


def cut_short() -> Iterator[Made]:
    """Whole files that end where no sound has begun."""
    whole = riff(FMT, DATA)
    for size in (8, 11, 16, 24, 33):
        yield f"cut_at_{size}_bytes.wav", whole[:size], "not_audio broken_header"
    for size in (36, 40, 44):
        yield f"cut_at_{size}_bytes.wav", whole[:size], "empty_audio"
    plain = written(tone(), "AIFF", "PCM_16")
    for size in (4, 12, 20, 30):
        yield f"cut_at_{size}_bytes.aiff", plain[:size], "not_audio broken_header"
    for name, content in {
        "flac": written(tone(), "FLAC", "PCM_16"),
        "ogg": written(tone(), "OGG", "VORBIS"),
        "m4a": encoded("mp4", "aac"),
        "caf": encoded("caf", "alac", sample="s16p"),
        "wv": encoded("wv", "wavpack", sample="s16p"),
        "mka": encoded("matroska", "aac"),
    }.items():
        for size in (5, 20, 33):
            yield f"cut_at_{size}_bytes.{name}", content[:size], "not_audio broken_header decode_failed"


def compressed_lies() -> Iterator[Made]:
    """MP4, Matroska, WavPack, MPEG and codecs in WAV: a frame around nothing."""
    m4a, mka, pack = encoded("mp4", "aac"), encoded("matroska", "aac"), encoded("wv", "wavpack", sample="s16p")
    moov = m4a.index(b"moov")
    yield "moov_of_4_gb.m4a", m4a[: moov - 4] + b"\xff\xff\xff\xf0" + m4a[moov:], "ok decode_failed not_audio"
    yield "ftyp_and_noise.m4a", m4a[:32] + noise(4000), "decode_failed not_audio"
    yield "video_only.m4a", m4a.replace(b"soun", b"vide"), "not_audio decode_failed unsupported_format"
    yield "ebml_and_noise.mka", mka[:40] + noise(4000), "decode_failed not_audio"
    yield "codec_nobody_knows.mka", mka.replace(b"A_AAC", b"A_ZZZ"), "unsupported_format decode_failed"
    yield "block_and_noise.wv", pack[:32] + noise(4000), "decode_failed"
    yield "noise_in_mp3.wav", riff(chunk(b"fmt ", form(tag=0x55)), chunk(b"data", noise(9000))), "decode_failed"
    yield "noise_in_aac.wav", riff(chunk(b"fmt ", form(tag=0xFF)), chunk(b"data", noise(9000))), "decode_failed"
    yield "noise_in_flac.wav", riff(chunk(b"fmt ", form(tag=0xF1AC)), chunk(b"data", noise(9000))), "decode_failed"
    yield "tag_in_tag.mp3", (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)) * 9, "not_audio"
    yield "tag_longer_than_the_file.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + noise(900), "not_audio"
