"""Every format written to, read by our own reader and by other programs, and put back to the byte."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from config.settings import DecodeSettings
from tests.broken_files import encoded, tone, written
from tests.tagged_files import tagged
from workers.audio.decode import Decoder
from workers.audio.hints import Hints, read_hints
from workers.audio.probe import probe
from workers.errors import (
    ChangedSince,
    FileError,
    NotWritable,
    SampleMindError,
    SoundDiffers,
    TaggingError,
    WriteRefused,
)
from workers.tagging.journal import Journal
from workers.tagging.marks import Marks
from workers.tagging.rewrite import prepared, restored
from workers.tagging.splice import Splice, replaced

LOOP = Marks(bpm=127.98, beats=8, tonic="D#", mode="minor", root_midi=63, root_cents=12.0)
TAGS = {"TBPM": "90", "TKEY": "C", "title": "A title", "artist": "Somebody"}
VORBIS = {"BPM": "90", "KEY": "C", "title": "A title", "artist": "Somebody"}

FILES = {
    "plain.wav": lambda: written(tone(), "WAV", "PCM_24"),
    "float.wav": lambda: written(tone(), "WAV", "FLOAT"),
    "long.wav": lambda: written(tone(), "RF64", "PCM_16"),
    "odd.wav": lambda: written(tone(0.01, 1)[:441], "WAV", "PCM_U8"),
    "plain.aiff": lambda: written(tone(), "AIFF", "PCM_16"),
    "tagged.aiff": lambda: tagged("aiff", "pcm_s16be", TAGS, {"write_id3v2": "1"}),
    "plain.flac": lambda: written(tone(), "FLAC", "PCM_16"),
    "tagged.flac": lambda: tagged("flac", "flac", VORBIS),
    "plain.ogg": lambda: written(tone(), "OGG", "VORBIS"),
    "long.ogg": lambda: tagged("ogg", "libopus", {**VORBIS, "comment": "x" * 70_000}),
    "paged.ogg": lambda: tagged("ogg", "libopus", {**VORBIS, "comment": "x" * 64_890}),
    "tagged.opus": lambda: tagged("ogg", "libopus", VORBIS),
    "plain.mp3": lambda: encoded("mp3", "libmp3lame", 44100),
    "tagged_2_3.mp3": lambda: tagged("mp3", "libmp3lame", TAGS, {"id3v2_version": "3"}),
    "tagged_2_4.mp3": lambda: tagged("mp3", "libmp3lame", TAGS),
    "plain.m4a": lambda: encoded("ipod", "aac", 44100),
    "tagged.m4a": lambda: tagged("ipod", "aac", {"tmpo": "90", "title": "A title"}),
    "front.m4a": lambda: tagged("ipod", "aac", {"title": "A title"}, {"movflags": "faststart"}),
}


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(DecodeSettings()) as decoder:
        yield decoder


@pytest.fixture(params=FILES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    place = tmp_path / str(request.param)
    place.write_bytes(FILES[request.param]())
    return place


def hints(path: Path) -> Hints:
    """What our own reader finds in the file, its name aside."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return read_hints("", probe(fd))
    finally:
        os.close(fd)


def mark(path: Path, marks: Marks, decoder: Decoder) -> None:
    prepared(path, marks, decoder).take_place()


def test_our_own_reader_finds_what_was_written(path: Path, decoder: Decoder) -> None:
    mark(path, LOOP, decoder)
    found = hints(path)
    assert found.tag_bpm == pytest.approx(127.98, abs=0.005)
    assert (found.tag_tonic, found.tag_mode) == ("D#", "minor")
    if path.suffix == ".wav":
        assert found.acid_bpm == pytest.approx(127.98, abs=1e-4)
        assert (found.acid_beats, found.acid_oneshot) == (8, False)
    if path.suffix in (".wav", ".aiff"):
        assert found.smpl_root_midi == 63


def test_what_was_there_is_put_back_to_the_byte(path: Path, decoder: Decoder, tmp_path: Path) -> None:
    old = path.read_bytes()
    journal = Journal(tmp_path / "journal" / "changes.jsonl")
    pending = prepared(path, LOOP, decoder)
    journal.add(pending.change)
    pending.take_place()
    new = path.read_bytes()
    assert new != old
    entry = journal.last(path, hashlib.sha256(new).hexdigest())
    assert entry is not None
    kept = sum(len(piece) for piece in entry.undo if isinstance(piece, bytes))
    assert kept < 3000 or path.suffix == ".ogg", "the journal holds whole files"
    restored(path, entry.undo, before=entry.before, after=entry.after, decoder=decoder).take_place()
    assert path.read_bytes() == old
    assert list(path.parent.glob(".*")) == []


def test_a_second_time_changes_nothing(path: Path, decoder: Decoder) -> None:
    mark(path, LOOP, decoder)
    once = path.read_bytes()
    mark(path, LOOP, decoder)
    assert path.read_bytes() == once
    mark(path, replace(LOOP, bpm=90.0), decoder)
    assert len(path.read_bytes()) <= len(once) + 2


def test_libsndfile_hears_the_same(path: Path, decoder: Decoder) -> None:
    if path.suffix in (".m4a", ".opus") or path.name in ("long.ogg", "paged.ogg"):
        pytest.skip("libsndfile does not read it")
    y, sr = soundfile.read(path)
    mark(path, LOOP, decoder)
    again, its_rate = soundfile.read(path)
    assert its_rate == sr
    assert (again == y).all()


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="no ffprobe")
def test_ffprobe_reads_it(path: Path, decoder: Decoder) -> None:
    mark(path, LOOP, decoder)
    asked = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path]
    answer = subprocess.run(asked, capture_output=True, check=True, timeout=60)
    assert not answer.stderr
    said = json.loads(answer.stdout)
    tags = {**said["format"].get("tags", {}), **said["streams"][0].get("tags", {})}
    tags = {name.lower(): value for name, value in tags.items()}
    tempo = {tags.get(name) for name in ("tbpm", "bpm", "tmpo")}
    assert tempo & {"127.98", "128"}
    assert "D#m" in (tags.get("tkey"), tags.get("key"), tags.get("initialkey"))
    if "tagged" in path.name or "front" in path.name:
        assert tags["title"] == "A title"


@pytest.mark.skipif(not shutil.which("sox"), reason="no sox")
def test_sox_hears_the_same(path: Path, decoder: Decoder) -> None:
    if path.suffix not in (".wav", ".aiff", ".flac"):
        pytest.skip("sox may be built without it")

    def heard() -> bytes:
        asked = ["sox", path, "-t", "raw", "-e", "signed", "-b", "32", "-"]
        return subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout

    before = heard()
    mark(path, LOOP, decoder)
    assert heard() == before
    assert before


def test_a_file_that_was_changed_meanwhile_stays_as_it_is(path: Path, decoder: Decoder) -> None:
    pending = prepared(path, LOOP, decoder)
    with path.open("ab") as file:
        file.write(b"more")
    theirs = path.read_bytes()
    with pytest.raises(ChangedSince):
        pending.take_place()
    assert path.read_bytes() == theirs
    assert list(path.parent.glob(".*")) == []
    with pytest.raises(ChangedSince):
        prepared(path, LOOP, decoder, expected="0" * 64)


def test_a_damaged_file_is_refused_or_sounds_the_same(path: Path, decoder: Decoder) -> None:
    chance = random.Random(path.name)
    whole = path.read_bytes()
    for _ in range(12):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(min(len(broken), 600))] = chance.randrange(256)
        path.write_bytes(broken[: chance.randint(len(broken) // 2, len(broken))])
        before = path.read_bytes()
        refused = None
        try:
            prepared(path, LOOP, decoder).discard()
        except (FileError, TaggingError) as error:
            refused = error.code
        assert refused != "sound_differs", before[:64]
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cut.wav", written(tone(), "WAV", "PCM_16")[:-500], "cut short"),
        ("streamed.wav", written(tone(), "WAV", "PCM_16").replace(b"data", b"data", 1), ""),
        ("sun.au", written(tone(), "AU", "PCM_16"), "no place"),
    ],
)
def test_what_cannot_be_written_safely_is_refused(
    tmp_path: Path, decoder: Decoder, name: str, content: bytes, says: str
) -> None:
    place = tmp_path / name
    place.write_bytes(content)
    if not says:
        at = content.index(b"data") + 4
        place.write_bytes(content[:at] + bytes(4) + content[at + 4 :])
        says = "where its sound ends"
    with pytest.raises(NotWritable, match=says):
        prepared(place, LOOP, decoder)


def test_a_new_file_that_sounds_otherwise_is_thrown_away(
    tmp_path: Path, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "one.wav"
    place.write_bytes(FILES["plain.wav"]())
    before = place.read_bytes()

    def wrong(fd: int, marks: Marks) -> Splice:
        at = before.index(b"data") + 1000  # one sample is another one
        return replaced(len(before), [(at, at + 1, bytes([before[at] ^ 0x40]))])

    monkeypatch.setattr("workers.tagging.rewrite.splice_of", wrong)
    with pytest.raises(SoundDiffers):
        prepared(place, LOOP, decoder)
    assert place.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["one.wav"]


@pytest.mark.parametrize("name", ["plain.wav", "plain.aiff", "plain.flac", "plain.ogg", "plain.mp3", "plain.m4a"])
def test_a_disk_that_fills_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path, decoder: Decoder, name: str) -> None:
    place = tmp_path / name
    place.write_bytes(FILES[name]())
    before = place.read_bytes()
    decoder.start()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, unlimited[1]))
    try:
        with pytest.raises(WriteRefused):
            prepared(place, LOOP, decoder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert place.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_sound_of_a_long_file_is_compared_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "long.wav"
    place.write_bytes(FILES["plain.wav"]())
    content = place.read_bytes()

    def wrong(fd: int, marks: Marks) -> Splice:
        return replaced(len(content), [(len(content) - 2, len(content) - 1, bytes([content[-2] ^ 0x40]))])

    monkeypatch.setattr("workers.tagging.rewrite.splice_of", wrong)
    with Decoder(DecodeSettings(max_analyzed_s=0.1)) as decoder, pytest.raises(SoundDiffers):
        prepared(place, LOOP, decoder)
    assert place.read_bytes() == content


@pytest.mark.parametrize(
    "name", ["plain.aiff", "tagged.flac", "plain.ogg", "tagged.opus", "tagged_2_4.mp3", "tagged.m4a"]
)
def test_mutagen_reads_it(tmp_path: Path, decoder: Decoder, name: str) -> None:
    mutagen = pytest.importorskip("mutagen")
    place = tmp_path / name
    place.write_bytes(FILES[name]())
    mark(place, LOOP, decoder)
    said = {str(key).lower(): str(value) for key, value in mutagen.File(place).tags.items()}
    tempo = next(said[key] for key in ("tbpm", "bpm", "tmpo") if key in said)
    assert round(float(tempo.strip("[]'"))) == 128
    assert any("D#m" in value or "D# minor" in value for value in said.values()), said


def test_a_file_with_two_names_is_refused(tmp_path: Path, decoder: Decoder) -> None:
    place = tmp_path / "one.wav"
    place.write_bytes(FILES["plain.wav"]())
    os.link(place, tmp_path / "two.wav")
    with pytest.raises(NotWritable, match="several names"):
        prepared(place, LOOP, decoder)


def test_the_rights_of_a_file_stay_and_a_link_to_it_stays_a_link(tmp_path: Path, decoder: Decoder) -> None:
    place, link = tmp_path / "one.wav", tmp_path / "link.wav"
    place.write_bytes(FILES["plain.wav"]())
    place.chmod(0o640)
    link.symlink_to(place)
    mark(link, LOOP, decoder)
    assert link.is_symlink()
    assert place.stat().st_mode & 0o777 == 0o640
    assert hints(place).tag_bpm is not None


def test_nothing_is_written_where_the_folder_may_not_be_written(tmp_path: Path, decoder: Decoder) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    place = tmp_path / "shut" / "one.wav"
    place.parent.mkdir()
    place.write_bytes(FILES["plain.wav"]())
    place.parent.chmod(0o500)
    with pytest.raises(SampleMindError, match="check permissions"):
        prepared(place, LOOP, decoder)


def test_a_one_shot_gets_its_note_and_no_tempo(tmp_path: Path, decoder: Decoder) -> None:
    place = tmp_path / "stab.wav"
    place.write_bytes(FILES["plain.wav"]())
    mark(place, Marks(root_midi=45, root_cents=-8.0, one_shot=True), decoder)
    found = hints(place)
    assert (found.acid_oneshot, found.acid_root_midi, found.smpl_root_midi) == (True, 45, 45)
    assert (found.tag_bpm, found.acid_bpm) == (None, None)


def test_pages_behind_longer_comments_are_numbered_anew(tmp_path: Path, decoder: Decoder) -> None:
    place = tmp_path / "paged.ogg"
    place.write_bytes(FILES["paged.ogg"]())
    before = place.read_bytes().count(b"OggS")
    mark(place, LOOP, decoder)
    new = place.read_bytes()
    assert new.count(b"OggS") == before + 1
    starts = [at for at in range(len(new)) if new.startswith(b"OggS\0", at)]
    assert [int.from_bytes(new[at + 18 : at + 22], "little") for at in starts] == list(range(before + 1))


def test_a_journal_line_that_was_cut_is_passed_over(tmp_path: Path, decoder: Decoder) -> None:
    place = tmp_path / "one.wav"
    place.write_bytes(FILES["plain.wav"]())
    journal = Journal(tmp_path / "changes.jsonl")
    pending = prepared(place, LOOP, decoder)
    journal.add(pending.change)
    journal.add(pending.change)
    pending.discard()
    text = journal.path.read_bytes()
    journal.path.write_bytes(text[:-30])
    assert len(list(journal)) == 1
