"""Hints of chunks: what a sampler or ACID wrote, and what makes no sense."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.broken_files import DATA, FMT, chunk, riff, tone, written
from workers.audio.hints import Hints, read_hints
from workers.audio.probe import probe

Open = Callable[[bytes], int]


def acid(flags: int = 2, root: int = 57, beats: int = 8, tempo: float = 120.0) -> bytes:
    return chunk(b"acid", struct.pack("<IHHfIHHf", flags, root, 0x8000, 0.0, beats, 4, 4, tempo))


def smpl(note: int = 57, start: int = 100, end: int = 8099, loops: int = 1) -> bytes:
    head = struct.pack("<9I", 0, 0, 22675, note, 0, 0, 0, loops, 0)
    return chunk(b"smpl", head + struct.pack("<6I", 0, 0, start, end, 0, 0) * loops)


def hints(opened: Open, *chunks: bytes, name: str = "x.wav") -> Hints:
    return read_hints(name, probe(opened(riff(FMT, DATA, *chunks))))


def test_nothing_said_is_nothing_known(opened: Open) -> None:
    assert hints(opened) == Hints()


def test_acid_says_tempo_beats_and_root(opened: Open) -> None:
    assert hints(opened, acid()) == Hints(acid_bpm=120.0, acid_beats=8, acid_root_midi=57, acid_oneshot=False)


def test_acid_one_shots_have_no_tempo(opened: Open) -> None:
    assert hints(opened, acid(flags=3)) == Hints(acid_root_midi=57, acid_oneshot=True)


def test_acid_root_counts_only_where_it_is_flagged(opened: Open) -> None:
    assert hints(opened, acid(flags=0)).acid_root_midi is None


@pytest.mark.parametrize("tempo", [0.0, -5.0, 1e9, float("nan"), float("inf")])
def test_acid_tempos_that_cannot_be_are_none(opened: Open, tempo: float) -> None:
    assert hints(opened, acid(tempo=tempo)).acid_bpm is None


def test_smpl_says_root_and_loop_with_its_end_behind(opened: Open) -> None:
    assert hints(opened, smpl()) == Hints(smpl_root_midi=57, loop_frames=(100, 8100))


@pytest.mark.parametrize(("start", "end"), [(8099, 100), (0, 1 << 31), (0xFFFFFFFF, 0xFFFFFFFF), (0, 17640)])
def test_loops_outside_the_sound_are_none(opened: Open, start: int, end: int) -> None:
    assert hints(opened, smpl(start=start, end=end)).loop_frames is None


def test_a_loop_over_the_whole_sound_is_one(opened: Open) -> None:
    assert hints(opened, smpl(start=0, end=17639)).loop_frames == (0, 17640)


def test_notes_beyond_midi_are_none(opened: Open) -> None:
    assert hints(opened, smpl(note=128)).smpl_root_midi is None
    assert hints(opened, chunk(b"inst", bytes([200, 0, 0, 0, 0, 0, 0]))).smpl_root_midi is None


def test_inst_says_the_root_and_smpl_overrules_it(opened: Open) -> None:
    inst = chunk(b"inst", bytes([48, 0, 0, 0, 127, 0, 127]))
    assert hints(opened, inst) == Hints(smpl_root_midi=48)
    assert hints(opened, inst, smpl()).smpl_root_midi == 57


def test_cut_chunks_say_nothing(opened: Open) -> None:
    for size in (0, 1, 7, 23):
        assert hints(opened, chunk(b"acid", bytes(size)), chunk(b"smpl", bytes(size))) == Hints()
    assert hints(opened, chunk(b"smpl", bytes(35))) == Hints()
    assert hints(opened, chunk(b"smpl", smpl()[8 : 8 + 50])) == Hints(smpl_root_midi=57)


def test_names_and_chunks_are_kept_apart(opened: Open) -> None:
    said = hints(opened, acid(tempo=60), name="Loop_120bpm_Am.wav")
    assert (said.name_bpm, said.acid_bpm, said.name_tonic, said.name_mode) == (120, 60, "A", "minor")


def aiff_with(*chunks: tuple[bytes, bytes]) -> bytes:
    plain = written(tone(), "AIFF", "PCM_16")
    return plain + b"".join(name + struct.pack(">I", len(body)) + body for name, body in chunks)


def test_aiff_instruments_say_root_and_loop_between_markers(opened: Open) -> None:
    marks = (
        struct.pack(">H", 2) + struct.pack(">hIB3s", 1, 1000, 3, b"beg") + struct.pack(">hIB2sB", 2, 9000, 2, b"en", 0)
    )
    inst = struct.pack(">6bh", 57, 0, 0, 127, 1, 127, 0) + struct.pack(">3h3h", 1, 1, 2, 0, 0, 0)
    header = probe(opened(aiff_with((b"MARK", marks), (b"INST", inst))))
    assert read_hints("x", header) == Hints(smpl_root_midi=57, loop_frames=(1000, 9000))
    assert read_hints("x", probe(opened(aiff_with((b"INST", inst))))) == Hints(smpl_root_midi=57)
    assert read_hints("x", probe(opened(aiff_with((b"MARK", marks[:9]), (b"INST", inst[:5]))))) == Hints()


def test_apple_loops_say_their_beats(opened: Open) -> None:
    basc = struct.pack(">IIHHHHH", 1, 16, 48, 1, 4, 4, 0) + bytes(66)
    assert read_hints("x", probe(opened(aiff_with((b"basc", basc))))) == Hints(acid_beats=16)


def test_big_endian_chunks_are_read_as_such(opened: Open) -> None:
    sound = bytes(4000)
    fmt = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 2, 44100, 44100 * 4, 4, 16)
    body = struct.pack(">4sIIHHfIHHf", b"acid", 24, 2, 57, 0, 0.0, 8, 4, 4, 120.0)
    content = b"RIFX\0\0\0\0WAVE" + fmt + struct.pack(">4sI", b"data", len(sound)) + sound + body
    assert read_hints("x", probe(opened(content))).acid_bpm == 120
