from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cli.cluster.embedded import COMFORTABLE_SAMPLES, outgrown
from cli.cluster.folder import DataFolder
from cli.cluster.plan import Options, make_plan
from cli.cluster.report import _addresses, samples_in
from config.settings import Settings


def test_the_number_of_samples_is_read_from_the_gateways_figures() -> None:
    body = b"# TYPE samplemind_samples gauge\nsamplemind_samples 31000.0\nsamplemind_samples_indexed 5.0\n"
    assert samples_in((200, body)) == 31000
    assert samples_in((503, body)) is None
    assert samples_in((200, b"nothing")) is None
    assert samples_in(None) is None


def test_a_library_that_outgrows_the_embedded_ledger_is_told_what_to_do() -> None:
    assert outgrown(COMFORTABLE_SAMPLES) is None
    said = outgrown(COMFORTABLE_SAMPLES + 1)
    assert said is not None
    assert "25,001" in said
    assert "SAMPLEMIND_MONGO__URL" in said


def test_the_command_to_go_on_with_names_the_data_folder_where_it_would_look_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "my data")
    folder.make()
    plan = make_plan(Settings(data_dir=folder.path), folder, Options({"library": tmp_path}))
    plan.ports.close()
    said = dict(_addresses(plan))["next"].partition("      ")[0]
    assert shlex.split(said) == ["./samplemind", "submit", "library:", "--watch", "--data-dir", str(folder.path)]
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(folder.path))
    assert dict(_addresses(plan))["next"].partition("      ")[0] == "./samplemind submit library: --watch"
