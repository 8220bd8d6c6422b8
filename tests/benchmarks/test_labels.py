"""Labels as older and newer CSVs have them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.labels import read_labels
from benchmarks.material.rows import Row, is_held, write_labels


def test_older_labels_take_their_piece_and_class_from_the_name(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "path,bpm,key,mode,kind,slice\na/song_x2.ogg,120,Bb,minor,loop,loops\nbd_808.ogg,,,,oneshot,o\n", "utf-8"
    )
    song, kick = read_labels(path)
    assert (song.piece, song.key, song.loop) == ("song", "A# minor", True)
    assert (kick.sound, kick.no_key, kick.no_tempo, kick.one_shot) == ("kick", True, True, True)


def test_a_row_that_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    row = Row("tune", "scores", "melody", "made", 88.25, "C#", "minor", metre="6/8", path="x/a.wav", dur=2.5)
    shot = Row("shot-1", "oneshots", "oneshot", "made", note_midi=45, sound="bass", no_tempo=True, path="x/b.wav")
    write_labels(path, [row, shot])
    tune, note = read_labels(path)
    assert (tune.piece, tune.bpm, tune.key, tune.metre) == ("tune", 88.25, "C# minor", "6/8")
    assert (note.note_midi, note.sound, note.no_tempo, note.no_key) == (45, "bass", True, False)


def test_a_quarter_of_the_pieces_is_held_and_known_ones_never_are() -> None:
    names = [f"piece-{n}" for n in range(400)]
    held = {name for name in names if is_held(name, frozenset())}
    assert 70 < len(held) < 130
    assert not any(is_held(name, frozenset(names)) for name in names)
