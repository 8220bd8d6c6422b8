"""``samplemind analyze``, as people and scripts call it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cli.analyze import gather

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    t = np.arange(11025) / 22050
    (tmp_path / "b").mkdir()
    for name in ("a.wav", "b/c.wav"):
        soundfile.write(tmp_path / name, (0.5 * np.sin(2 * np.pi * 220 * t)).astype(np.float32), 22050)
    (tmp_path / "b" / "notes.txt").write_text("not a sound")
    return tmp_path


def run(*arguments: str, stdin: bytes | None = None) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "analyze", *arguments],
        cwd=PROJECT,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_every_file_gets_a_line_in_order_and_the_exit_code_is_0(library: Path) -> None:
    code, rows, said = run(str(library), str(library / "gone.wav"))
    assert code == 0
    assert said == "samplemind: 2 of 4 files could not be analysed; the reason stands in the line of each.\n"
    assert [Path(row["path"]).name for row in rows] == ["a.wav", "c.wav", "notes.txt", "gone.wav"]
    assert [row.get("reason", {}).get("code") for row in rows] == [None, None, "not_audio", "vanished"]


def test_paths_come_from_standard_input_and_lines_go_to_a_file(library: Path, tmp_path: Path) -> None:
    listed = b"\0".join(os.fsencode(library / name) for name in ("b/c.wav", "a.wav"))
    out = tmp_path / "out.ndjson"
    code, rows, _ = run("--stdin", "-j", "1", "--output", str(out), stdin=listed)
    assert (code, rows) == (0, [])
    assert [Path(json.loads(line)["path"]).name for line in out.read_text().splitlines()] == ["c.wav", "a.wav"]


def test_a_full_disk_is_said_in_a_sentence_and_nothing_more_is_tried(library: Path) -> None:
    code, _, said = run("-o", "/dev/full", *[str(library / "a.wav")] * 30)
    assert code == 1
    assert said == "samplemind: Cannot write to /dev/full: No space left on device. The lines before are whole.\n"


def test_a_sound_is_not_written_over_by_lines_and_earlier_lines_are(library: Path) -> None:
    sound, lines = library / "a.wav", library / "lines"
    before = sound.read_bytes()
    code, rows, said = run("-o", str(sound), str(library / "b" / "c.wav"))
    assert (code, rows) == (2, [])
    assert "holds no lines of an analysis" in said
    assert sound.read_bytes() == before
    for content in (b"", b'{"path": "earlier"}\n'):
        lines.write_bytes(content)
        assert run("-o", str(lines), str(library / "gone.wav"))[0] == 0
        assert json.loads(lines.read_bytes())["path"].endswith("gone.wav")


@pytest.mark.parametrize("arguments", [[], ["-j", "0", "x.wav"], ["--jobs", "many", "x.wav"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    code, rows, said = run(*arguments)
    assert (code, rows) == (2, [])
    assert "Traceback" not in said


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_DECODE__MAX_FILE_MB", "much")
    code, rows, said = run("x.wav")
    assert (code, rows) == (2, [])
    assert said.startswith("samplemind: Setting decode.max_file_mb (SAMPLEMIND_DECODE__MAX_FILE_MB): ")


def at_a_terminal(*arguments: str, lines: Path | None = None) -> bytes:
    """What a terminal shows of standard error, and of standard output where it does not go to the file `lines`."""
    above, below = pty.openpty()
    shown = b""
    command = [sys.executable, "-m", "cli", "analyze", *arguments]
    with lines.open("wb") if lines else nullcontext(below) as printed:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=printed, stderr=below)
    os.close(below)
    try:
        while select.select([above], [], [], 60)[0]:
            shown += os.read(above, 65536)
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(above)
        process.wait(timeout=60)
    return shown


def test_a_bar_with_the_time_left_is_on_standard_error_only(library: Path) -> None:
    lines = library / "lines"
    shown = at_a_terminal("-j", "1", *[str(library / "a.wav")] * 40, lines=lines)
    assert len(lines.read_bytes().splitlines()) == 40
    assert b"analysing" in shown
    assert re.search(rb"\d+/40", shown)
    assert re.search(rb"\d:\d\d:\d\d", shown)


def test_there_is_no_bar_between_lines_nor_where_none_is_wanted(library: Path) -> None:
    assert json.loads(at_a_terminal(str(library / "a.wav")))["status"] == "done"
    assert at_a_terminal("--no-progress", str(library / "a.wav"), lines=library / "lines") == b""


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_reader_that_has_enough_is_no_error(library: Path, processes: str) -> None:
    command = f"{sys.executable} -m cli analyze -j {processes} {' '.join([str(library / 'a.wav')] * 100)} | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=PROJECT, capture_output=True, timeout=120, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert b"Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_is_130_without_a_traceback_and_says_how_far_it_came(library: Path, processes: str) -> None:
    command = [sys.executable, "-m", "cli", "analyze", "-j", processes, *[str(library / "a.wav")] * 5000]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(rb"samplemind: Stopped after [\d,]+ of 5,000 files; the lines written are whole.\n", said)


def test_a_folder_without_a_file_is_said_to_be_so(tmp_path: Path) -> None:
    assert run(str(tmp_path)) == (0, [], "samplemind: There is no file below what was named.\n")


def test_folders_are_walked_as_the_cluster_walks_them(library: Path) -> None:
    (library / "b" / "up").symlink_to(library)
    (library / "b" / "out").symlink_to("/etc")
    (library / ".hidden.wav").write_bytes(b"")
    (library / "__MACOSX").mkdir()
    (library / "__MACOSX" / "a.wav").write_bytes(b"")
    (library / "loop.wav").symlink_to("loop.wav")
    found = [os.path.relpath(path, library) for path in gather([str(library)], None)]
    assert found == ["a.wav", "b/c.wav", "b/notes.txt", "loop.wav"]


def test_patterns_expand_and_one_that_matches_nothing_stays(library: Path) -> None:
    assert list(gather([str(library / "**" / "*.wav")], None)) == [str(library / "a.wav"), str(library / "b" / "c.wav")]
    assert list(gather([str(library / "*.flac")], None)) == [str(library / "*.flac")]


def test_a_list_may_hold_newlines_where_nul_separates() -> None:
    assert list(gather(["-"], b"/gone/a\nb.wav\0/gone/c.wav\0")) == ["/gone/a\nb.wav", "/gone/c.wav"]
    assert list(gather(["-"], b"/gone/a.wav\r\n/gone/b.wav\n")) == ["/gone/a.wav", "/gone/b.wav"]
