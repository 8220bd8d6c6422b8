"""Pictures of sounds: that there is one for each, that it shows what was found, and that odd sounds have one too."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from cli.errors import UsageError
from cli.plots import run
from cli.plots.canvas import BLUE, HEIGHT, INNER, WIDTH, Canvas, _font, clock, plain, tick_step
from cli.plots.measures import FASTEST, SLOWEST, see
from cli.plots.page import _part
from tests.workers.analysis.sounds import Signal, as_frames, cadence, click_track, drum_loop, seconds
from workers.model import Tempo

PROJECT = Path(__file__).parents[2]
SR = 44100


def at(bpm: float | None, beats: int | None = None) -> Tempo:
    return Tempo(bpm, 1.0, beats, (), None)


def write(path: Path, y: Signal, sr: int = SR) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, y, sr, subtype="FLOAT")
    return path


def analyze(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    command = [sys.executable, "-m", "cli", "analyze", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=120, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_every_sound_has_a_picture_laid_out_as_the_files_are(tmp_path: Path, processes: str) -> None:
    write(tmp_path / "in" / "a.wav", drum_loop(120, 4))
    write(tmp_path / "in" / "b" / "a.wav", cadence(0, "major")[: 2 * SR])
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    out = tmp_path / "out"
    code, rows, said = analyze("-j", processes, "--plot", str(out), str(tmp_path / "in"))
    assert code == 0, said
    assert [row.get("plot") for row in rows] == [str(out / "a.wav.png"), str(out / "b" / "a.wav.png"), None]
    for row in rows[:2]:
        with Image.open(row["plot"]) as picture:
            assert picture.size == (WIDTH, HEIGHT)
            assert len(picture.convert("L").getcolors() or []) > 50
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == ["a.wav.png", "a.wav.png"]


def test_a_picture_changes_nothing_that_is_said(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.wav", drum_loop(100, 4)))
    _, plain, _ = analyze(path)
    _, drawn, _ = analyze("--plot", str(tmp_path / "out"), path)
    assert {**plain[0], "plot": str(tmp_path / "out" / "a.wav.png")} == drawn[0]


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    code, rows, said = analyze("--plot", str(tmp_path / "taken"), str(tmp_path / "x.wav"))
    assert (code, rows) == (2, [])
    assert "Cannot make the folder" in said


def test_without_pillow_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"call \./samplemind"):
        run.plotting(tmp_path, [])


def odd_sounds() -> dict[str, Signal]:
    rng = np.random.default_rng(0)
    return {
        "one sample": as_frames(np.array([0.5])),
        "silence": as_frames(np.zeros(SR)),
        "hundred samples": as_frames(rng.uniform(-0.5, 0.5, 100)),
        "twelve channels": np.repeat(drum_loop(120, 2), 12, axis=1),
        "five minutes": as_frames(0.1 * rng.standard_normal(300 * 4000)),
    }


@pytest.mark.parametrize("name", odd_sounds())
def test_odd_sounds_have_a_picture_too(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / f"{name} <&> \u266f.wav", odd_sounds()[name], 4000 if name == "five minutes" else SR)
    row = run.plotting(tmp_path / "out", [str(path)])(str(path))
    assert row["status"] == "done"
    with Image.open(row["plot"]) as picture:
        assert picture.size == (WIDTH, HEIGHT)


def test_a_steep_wave_is_drawn_as_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "kick.wav", as_frames(0.9 * np.cos(2 * np.pi * 60 * seconds(0.1))))
    row = run.plotting(tmp_path / "out", [str(path)])(str(path))
    with Image.open(row["plot"]) as picture:
        blue = (np.asarray(picture.convert("RGB"))[126:326] == BLUE).all(axis=2)
    columns = [np.flatnonzero(column) for column in blue.T if column.any()]
    assert len(columns) > 0.98 * INNER
    apart = [max(a.min(), b.min()) - min(a.max(), b.max()) for a, b in itertools.pairwise(columns)]
    assert max(apart) <= 2


def test_the_legend_says_only_what_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(Canvas, "heading", lambda self, box, name, explained: said.append(explained))
    path = write(tmp_path / "silence.wav", as_frames(np.zeros(SR)))
    run.plotting(tmp_path / "out", [str(path)])(str(path))
    assert said[0] == ""


def test_a_name_is_drawn_in_letters_that_the_font_has() -> None:
    drawn = plain("Gläser · Café Ñandú №5 \x1b[31m 太鼓.wav")
    assert drawn == "Glaser · Cafe Nandu No5 ?[31m ??.wav"
    boxes = bytes(_font(20).getmask("\N{LATIN SMALL LETTER A WITH DIAERESIS}"))
    assert not any(bytes(_font(20).getmask(letter)) == boxes for letter in drawn)


def test_of_a_long_file_it_is_said_how_much_is_drawn() -> None:
    assert _part({"duration_s": 300.0}, 240.0) == " (the first 240 s are drawn)"
    assert _part({"duration_s": 3.0}, 3.0) == ""


@pytest.mark.parametrize("bpm", [60, 97, 128, 174])
def test_beats_lie_on_the_clicks(bpm: float) -> None:
    seen = see(click_track(bpm, 8.0), SR, at(bpm), None, INNER)
    off = seen.beats * bpm / 60
    assert len(seen.beats) == pytest.approx(8 * bpm / 60, abs=1.5)
    assert np.abs(off - np.round(off)).max() * 60 / bpm < 0.03


def test_the_bars_of_a_loop_begin_at_its_start() -> None:
    seen = see(drum_loop(120, 16), SR, at(120.0, 16), None, INNER)
    assert seen.beats.tolist() == pytest.approx([n / 2 for n in range(16)])
    assert set(seen.downbeats) <= set(seen.beats)


def test_the_chroma_shows_the_note_and_the_tempogram_the_tempo() -> None:
    t = seconds(4)
    a = see(as_frames(0.5 * np.sin(2 * np.pi * 440 * t)), SR, at(None), 0.0, INNER)
    assert set(a.chroma[:, 200:1200].argmax(axis=0)) == {9}
    clicks = see(click_track(120, 10.0), SR, at(120.0), None, INNER)
    strong = np.geomspace(SLOWEST, FASTEST, len(clicks.tempogram))[clicks.tempogram.mean(axis=1).argmax()]
    assert min(abs(strong / wanted - 1) for wanted in (60, 120, 240)) < 0.03


def test_ticks_are_at_numbers_people_count_in() -> None:
    assert [tick_step(s) for s in (0.1, 2, 16, 200, 4000)] == [0.01, 0.2, 2, 30, 600]
    assert [clock(*at) for at in ((0.02, 0.01), (2.5, 0.5), (4, 2), (90, 30), (3660, 600))] == [
        "20 ms",
        "2.5 s",
        "4 s",
        "1:30",
        "1:01:00",
    ]
