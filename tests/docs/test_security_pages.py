"""What the pages on security name is there: tests, files, commands."""

from __future__ import annotations

import re

import pytest

from tests.servers import PROJECT

PAGES = [PROJECT / "SECURITY.md", PROJECT / "docs" / "threat-model.md", PROJECT / "docs" / "howto" / "secure.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_whatever_it_names_is_there(page: object) -> None:
    text = PAGES[PAGES.index(page)].read_text()  # type: ignore[arg-type]
    rooms = "api|config|deploy|docs|requirements|stores|tasks|tests|workers"
    named = re.findall(rf"`((?:{rooms}|\.github)/[\w./-]*)`", text)
    missing = [name for name in named if not (PROJECT / name).exists()]
    assert missing == []


def test_every_row_of_what_holds_has_a_test() -> None:
    text = (PROJECT / "docs" / "threat-model.md").read_text()
    rows = text.split("## What holds")[1].split("\n\n")[1].splitlines()[2:]
    assert len(rows) >= 15
    assert all("`tests/" in row for row in rows)


def test_every_command_for_keys_is_one() -> None:
    from cli.keys import keys

    text = (PROJECT / "docs" / "howto" / "secure.md").read_text()
    there = {command.name or command.callback.__name__ for command in keys.registered_commands if command.callback}
    assert set(re.findall(r"samplemind keys (\w+)", text)) == there
