"""Tempo and key from tags: as other programs write them, as nobody should, and as rot leaves them."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.broken_files import DATA, FMT, chunk, riff, tone, written
from tests.tagged_files import tagged
from workers.audio.chunks import Bytes
from workers.audio.hints import read_hints
from workers.audio.probe import probe
from workers.audio.tags import ape, caf, id3, mp4, vorbis
from workers.audio.tags.fields import Tags, meaning, read_bpm, read_key
from workers.errors import FileError
from workers.model import TONICS, camelot

Open = Callable[[bytes], int]


# -- what texts mean


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("128", 128),
        ("127.98", 127.98),
        ("128,50", 128.5),
        ("174 BPM", 174),
        ("90bpm\0", 90),
        ("0", None),
        ("", None),
        ("fast", None),
        ("12000", None),
        ("1e9", None),
        ("-120", None),
        ("nan", None),
    ],
)
def test_a_tempo_is_read_or_nothing(text: str, bpm: float | None) -> None:
    assert read_bpm(text) == bpm


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am", ("A", "minor")),
        ("A", ("A", "major")),
        ("a", ("A", None)),
        ("Bbm", ("A#", "minor")),
        ("Db", ("C#", "major")),
        ("F#", ("F#", "major")),
        ("F♯ minor", ("F#", "minor")),
        ("Cb", ("B", "major")),
        ("E flat major", ("D#", "major")),
        ("G MAJOR", ("G", "major")),
        ("Cmaj", ("C", "major")),
        ("c-moll", ("C", "minor")),
        ("Dmin\0", ("D", "minor")),
        ("8A", ("A", "minor")),
        ("08B", ("C", "major")),
        ("1m", ("A", "minor")),
        ("12d", ("F", "major")),
        ("8A/Am", ("A", "minor")),
        ("Am/C", None),
        ("o", None),
        ("13A", None),
        ("H", None),
        ("All", None),
        ("", None),
    ],
)
def test_a_key_is_read_or_nothing(text: str, key: tuple[str, str] | None) -> None:
    assert read_key(text) == key


def test_every_camelot_number_is_the_key_that_we_write_it_for() -> None:
    for tonic in TONICS:
        assert read_key(camelot(tonic, "major")) == (tonic, "major")
        assert read_key(camelot(tonic, "minor")) == (tonic, "minor")


def test_fields_that_disagree_say_nothing_and_the_precise_tempo_is_taken() -> None:
    assert meaning([("TBPM", "128"), ("BPM", "127.98")]) == Tags(127.98)
    assert meaning([("TBPM", "128"), ("BPM", "64")]) == Tags()
    assert meaning([("TKEY", "Am"), ("initial key", "8A")]) == Tags(None, "A", "minor")
    assert meaning([("TKEY", "Am"), ("KEY", "C")]) == Tags()
    assert meaning([("TITLE", "120")]) == Tags()


# -- as other programs write them


WRITTEN = {
    "mp3 2.4": ("mp3", "libmp3lame", {"TBPM": "128", "TKEY": "Ebm"}, None),
    "mp3 2.3": ("mp3", "libmp3lame", {"TBPM": "128", "TKEY": "Ebm"}, {"id3v2_version": "3"}),
    "mp3 own fields": ("mp3", "libmp3lame", {"BPM": "128", "initialkey": "2A"}, None),
    "flac": ("flac", "flac", {"BPM": "128", "INITIALKEY": "D#m"}, None),
    "opus": ("ogg", "libopus", {"BPM": "128", "KEY": "Ebm"}, None),
    "aiff": ("aiff", "pcm_s16be", {"TBPM": "128", "TKEY": "Ebm"}, {"write_id3v2": "1"}),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_reads_what_ffmpeg_writes(opened: Open, name: str) -> None:
    kind, codec, tags, options = WRITTEN[name]
    assert probe(opened(tagged(kind, codec, tags, options))).tags == Tags(128, "D#", "minor")


def test_reads_the_tempo_that_ffmpeg_writes_into_mp4(opened: Open) -> None:
    assert probe(opened(tagged("ipod", "aac", {"tmpo": "128"}))).tags == Tags(128)


# -- as they are made here


def synchsafe(size: int) -> bytes:
    return bytes(size >> 7 * n & 0x7F for n in (3, 2, 1, 0))


def id3v2(*frames: bytes, version: int = 3, flags: int = 0) -> bytes:
    body = b"".join(frames)
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(body)) + body


def frame(name: bytes, body: bytes, version: int = 3, flags: bytes = b"\0\0") -> bytes:
    if version == 2:
        return name + len(body).to_bytes(3, "big") + body
    return name + (synchsafe(len(body)) if version == 4 else len(body).to_bytes(4, "big")) + flags + body


def said_by_id3(opened: Open, tag: bytes) -> Tags:
    return meaning(id3.fields(Bytes(opened(tag)), 0))


PICTURE = frame(b"APIC", bytes(300_000))
TEMPO, KEY = frame(b"TBPM", b"\x00120"), frame(b"TKEY", b"\x01\xff\xfeA\0m\0\0\0")
BOTH = Tags(120, "A", "minor")


def test_a_picture_in_front_is_stepped_over(opened: Open) -> None:
    assert said_by_id3(opened, id3v2(PICTURE, TEMPO, KEY)) == BOTH


def test_the_oldest_version_is_read(opened: Open) -> None:
    tag = id3v2(frame(b"TBP", b"\x00120", 2), frame(b"TKE", b"\0Am", 2), version=2)
    assert said_by_id3(opened, tag) == BOTH


def test_sizes_of_2_4_are_read_in_both_ways_they_are_written(opened: Open) -> None:
    long = b"\0" + b"x" * 200
    as_it_should = id3v2(frame(b"TIT2", long, 4), frame(b"TBPM", b"\x00120", 4), version=4)
    as_itunes_did = id3v2(frame(b"TIT2", long, 3), frame(b"TBPM", b"\x00120", 3), version=4)
    assert said_by_id3(opened, as_it_should) == said_by_id3(opened, as_itunes_did) == Tags(120)


def test_bytes_put_in_against_false_syncs_are_taken_out(opened: Open) -> None:
    frames = frame(b"PRIV", b"\xff\xe0\xff\xf0") + KEY
    tag = id3v2(frames.replace(b"\xff", b"\xff\0"), flags=0x80)
    assert said_by_id3(opened, tag) == Tags(None, "A", "minor")


def test_an_extended_header_is_skipped(opened: Open) -> None:
    assert said_by_id3(opened, id3v2((6).to_bytes(4, "big") + bytes(6), TEMPO, flags=0x40)) == Tags(120)
    four = id3v2(synchsafe(6) + bytes(2), frame(b"TBPM", b"\x00120", 4), version=4, flags=0x40)
    assert said_by_id3(opened, four) == Tags(120)


def test_hidden_frames_say_nothing(opened: Open) -> None:
    assert said_by_id3(opened, id3v2(frame(b"TBPM", b"\x00120", flags=b"\0\x80"))) == Tags()


def test_wav_has_its_tags_in_a_chunk_or_in_info(opened: Open) -> None:
    behind = riff(FMT, DATA, chunk(b"id3 ", id3v2(TEMPO, KEY)))
    assert read_hints("x.wav", probe(opened(behind))).tag_bpm == 120
    said = read_hints("x.wav", probe(opened(riff(FMT, DATA, chunk(b"LIST", b"INFO" + chunk(b"IBPM", b"97.5\0"))))))
    assert (said.tag_bpm, said.tag_tonic) == (97.5, None)


def test_info_is_found_behind_a_list_of_labels(opened: Open) -> None:
    labels, info = (
        chunk(b"LIST", b"adtl" + chunk(b"labl", b"\1\0\0\0hit\0")),
        chunk(b"LIST", b"INFO" + chunk(b"IBPM", b"90")),
    )
    assert probe(opened(riff(FMT, DATA, labels, info))).tags == Tags(90)


def test_hints_keep_tag_and_name_apart(opened: Open) -> None:
    said = read_hints("Pad_90bpm_Cmin.wav", probe(opened(riff(FMT, DATA, chunk(b"id3 ", id3v2(TEMPO, KEY))))))
    assert (said.name_bpm, said.tag_bpm) == (90, 120)
    assert (said.name_tonic, said.tag_tonic, said.tag_mode) == ("C", "A", "minor")


def box(name: bytes, *inner: bytes) -> bytes:
    body = b"".join(inner)
    return struct.pack(">I", 8 + len(body)) + name + body


def freeform(name: bytes, said: bytes) -> bytes:
    mean, called = box(b"mean", bytes(4), b"com.apple.iTunes"), box(b"name", bytes(4), name)
    return box(b"----", mean, called, box(b"data", struct.pack(">II", 1, 0), said))


def ilst(*items: bytes) -> bytes:
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(25)), box(b"ilst", *items))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"mvhd", bytes(100)), box(b"udta", meta))


TMPO = box(b"tmpo", box(b"data", struct.pack(">IIH", 21, 0, 120)))


def test_mp4_has_a_number_and_freeform_fields(opened: Open) -> None:
    content = ilst(box(b"covr", box(b"data", bytes(90_000))), TMPO, freeform(b"initialkey", b"8A"))
    assert meaning(mp4.fields(Bytes(opened(content)), 0)) == BOTH
    behind = box(b"mdat", bytes(200_000))
    assert meaning(mp4.fields(Bytes(opened(box(b"ftyp", bytes(8)) + behind + content[16:])), 0)) == BOTH


def apev2(**items: str) -> bytes:
    body = b"".join(
        struct.pack("<II", len(text), 0) + name.encode() + b"\0" + text.encode() for name, text in items.items()
    )
    return body + b"APETAGEX" + struct.pack("<IIII", 2000, len(body) + 32, len(items), 0) + bytes(8)


@pytest.mark.parametrize("behind", [b"", b"TAG" + bytes(125)])
def test_ape_tags_stand_at_the_end(opened: Open, behind: bytes) -> None:
    assert meaning(ape.fields(Bytes(opened(bytes(5000) + apev2(BPM="120", Key="Am") + behind)))) == BOTH


def caff(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"caff\0\1\0\0" + b"".join(name + struct.pack(">q", len(body)) + body for name, body in chunks)


def test_core_audio_has_pairs_of_texts(opened: Open) -> None:
    pairs = struct.pack(">I", 3) + b"title\x00120\0tempo\x00120\0key signature\0Am\0"
    assert meaning(caf.fields(Bytes(opened(caff((b"desc", bytes(32)), (b"info", pairs)))), 0)) == BOTH


def vorbis_comment(*said: bytes) -> bytes:
    lines = b"".join(struct.pack("<I", len(line)) + line for line in said)
    return struct.pack("<I", 3) + b"me!" + struct.pack("<I", len(said)) + lines


def test_a_large_comment_does_not_hide_the_next() -> None:
    picture = b"METADATA_BLOCK_PICTURE=" + b"A" * 100_000
    assert meaning(vorbis.comments(vorbis_comment(picture, b"bpm=120", b"InitialKey=Am"))) == BOTH


def test_a_comment_block_that_is_cut_keeps_what_was_whole() -> None:
    block = vorbis_comment(b"bpm=120", b"key=Am")
    assert meaning(vorbis.comments(block[:-1])) == Tags(120)
    assert meaning(vorbis.comments(block[:12])) == Tags()


def pages(*packets: bytes) -> bytes:
    """One Ogg stream; packets longer than a page run on."""
    segments = []
    for packet in packets:
        whole, rest = divmod(len(packet), 255)
        segments += [packet[255 * n : 255 * n + 255] for n in range(whole)] + [packet[-rest:] if rest else b""]
    parts = [segments[at : at + 255] for at in range(0, len(segments), 255)]
    return b"".join(
        b"OggS" + bytes(22) + bytes([len(part), *(len(piece) for piece in part)]) + b"".join(part) for part in parts
    )


def test_comments_run_over_many_ogg_pages(opened: Open) -> None:
    comment = b"\x03vorbis" + vorbis_comment(b"METADATA_BLOCK_PICTURE=" + b"A" * 300_000, b"BPM=120", b"KEY=Am")
    content = pages(b"\x01vorbis" + bytes(23), comment, b"\x05vorbis")
    assert meaning(vorbis.ogg_fields(Bytes(opened(content)), 0)) == BOTH


# -- as rot leaves them


def samples() -> dict[str, bytes]:
    flac = written(tone(0.2), "FLAC", "PCM_16")
    comment = vorbis_comment(b"bpm=120", b"key=Am")
    block = b"\x04" + len(comment).to_bytes(3, "big") + comment
    return {
        "id3.wav": riff(FMT, DATA[:400], chunk(b"id3 ", id3v2(frame(b"TXXX", b"\0bpm\x00120"), KEY))),
        "2.4.mp3": id3v2(frame(b"TBPM", b"\x03120", 4), frame(b"TKEY", b"\x03Am", 4), version=4)
        + written(tone(0.2), "MP3", "MPEG_LAYER_III")
        + apev2(BPM="120"),
        "x.flac": flac[:4] + bytes([flac[4] & 0x7F]) + flac[5:42] + block + flac[42:],
        "x.ogg": written(tone(0.2), "OGG", "VORBIS"),
        "x.m4a": ilst(TMPO, freeform(b"key", b"Am")),
        "x.caf": caff((b"desc", bytes(8) + b"lpcm" + bytes(20)), (b"info", struct.pack(">I", 1) + b"tempo\x00120\0")),
    }


SAMPLES = samples()
ODD = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut out, put in or doubled."""
    raw = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        at, how = rng.randrange(max(1, min(len(raw), 2000))), rng.randrange(5)
        if how == 0:
            raw[at : at + 1] = bytes([rng.randrange(256)])
        elif how == 1:
            raw[at : at + 4] = bytes([rng.choice(ODD)]) * 4
        elif how == 2:
            del raw[at : at + rng.randint(1, 40)]
        elif how == 3:
            raw[at:at] = rng.randbytes(rng.randint(1, 40))
        else:
            raw[at:at] = raw[at : at + rng.randint(1, 200)]
    return bytes(raw)


@pytest.mark.parametrize("name", SAMPLES)
def test_rotten_tags_end_in_hints_or_a_reason(opened: Open, name: str) -> None:
    rng = random.Random(name)
    for _ in range(120):
        try:
            said = probe(opened(mutated(SAMPLES[name], rng))).tags
        except FileError:
            continue
        assert said.bpm is None or 20 <= said.bpm <= 999
        assert said.tonic in (None, *TONICS)
        assert said.mode in (None, "major", "minor")


class Held(Bytes):
    """Bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self.fd, self.size, self.head = -1, len(content), content

    def at(self, offset: int, count: int) -> bytes:
        assert offset >= 0, "a place before the file"
        assert count <= 1 << 20, "more than any tag needs"
        return self.head[offset : offset + count] if count > 0 else b""


@given(st.binary(max_size=400), st.sampled_from(["id3", "ogg", "flac", "mp4", "caf", "ape", "bare"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_survived(noise: bytes, what: str) -> None:
    readers: dict[str, Callable[[], Any]] = {
        "id3": lambda: id3.fields(Held(b"ID3\4\0\0\0\0\7\x7f" + noise), 0),
        "ogg": lambda: vorbis.ogg_fields(Held(b"OggS" + bytes(22) + b"\2\1\2ab" + noise), 0),
        "flac": lambda: vorbis.flac_fields(Held(b"fLaC\x04" + noise), 0),
        "mp4": lambda: mp4.fields(Held(box(b"moov", box(b"udta", box(b"meta", bytes(4), box(b"ilst", noise))))), 0),
        "caf": lambda: caf.fields(Held(b"caff\0\1\0\0info" + bytes(7) + noise), 0),
        "ape": lambda: ape.fields(Held(noise + b"APETAGEX" + bytes(4) + bytes([len(noise) % 200 + 32]) + bytes(19))),
        "bare": lambda: vorbis.comments(noise),
    }
    for name, text in readers[what]():
        assert isinstance(name, str)
        assert len(text) <= 256
