from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from cli.settings_reference import entries, markdown, sections, shown
from config.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_says_what_the_settings_are() -> None:
    assert PAGE.read_text() == markdown(), "run: python -m cli.settings_reference > docs/settings.md"


def test_every_setting_is_described() -> None:
    every = [entry for _, _, found in sections() for entry in found]
    assert len(every) > 40
    assert all(entry.description.endswith((".", ".)")) for entry in every), [e for e in every if not e.description]
    assert all("typing" not in entry.kind and "<" not in entry.kind for entry in every)


def test_a_variable_is_the_one_that_is_read(monkeypatch: object) -> None:
    names = {entry.variable for entry in entries(Settings)}
    assert "SAMPLEMIND_DATA_DIR" in names
    assert not any("MONGO" in name for name in names)


def test_a_secret_is_never_shown() -> None:
    assert shown(SecretStr("hunter2")) == "(secret)"
