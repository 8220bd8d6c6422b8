from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.cluster.toml import dumps, plain
from cli.errors import CommandError
from config.settings import Settings

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
value = text | st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False) | st.lists(text, max_size=3)


@given(st.dictionaries(text, value | st.dictionaries(text, value, max_size=4), max_size=5))
def test_what_is_written_reads_back_the_same(values: dict[str, object]) -> None:
    assert tomllib.loads(dumps(values)) == values


def test_every_setting_survives_the_way_to_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        data_dir=tmp_path,
        roots={"library": tmp_path / 'odd "name" ünï 🥁\n'},
        mongo={"url": "mongodb://u:p%40ss@h/?directConnection=true"},
        gateway={"allowed_hosts": ("a.example", "b.example")},
        flower={"basic_auth": "admin:secret"},
    )
    file = tmp_path / "settings.toml"
    file.write_text(dumps(plain(settings)))
    monkeypatch.setenv("SAMPLEMIND_CONFIG_FILE", str(file))
    assert Settings() == settings


def test_a_folder_whose_name_is_no_text_is_refused_with_its_name() -> None:
    with pytest.raises(CommandError, match="udcff"):
        dumps({"roots": {"a": "/music/\udcff"}})
