"""Names are other people's: they colour nothing and do nothing to a terminal."""

from __future__ import annotations

from pathlib import Path

import cli
from cli.console import escape
from workers.doctor.pages import html, markdown
from workers.doctor.report import Report

NASTY = "a\x1b[2J\n\u202e[red]b\x9b.wav"


def test_what_moves_the_cursor_is_written_out_and_letters_stay() -> None:
    assert escape(NASTY) == r"a\x1b[2J\n\u202e\[red]b\x9b.wav"
    assert escape("Kick é ドラム 🥁.wav") == "Kick é ドラム 🥁.wav"


def test_no_command_escapes_names_by_itself() -> None:
    folder = Path(cli.__path__[0])
    assert [each.name for each in folder.rglob("*.py") if "rich.markup" in each.read_text(encoding="utf-8")] == []


def test_a_report_does_nothing_to_a_terminal_either() -> None:
    made = Report(NASTY)
    made.add(NASTY, "failed", None, reason={"code": "not_audio", "message": "No audio."})
    for page in (markdown(made.to_dict()), html(made.to_dict())):
        assert not {"\x1b", "\u202e", "\x9b"} & set(page)
