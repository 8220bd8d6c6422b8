from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import soundfile

from benchmarks import performance_page
from benchmarks.cluster import LOOPS, ONE_SHOTS, Report, Run, write_files
from benchmarks.cluster_report import agreement, draw, markdown, scaling
from tests.servers import PROJECT

COUNTED = {"files": {"ledger": 100.0, "/metrics": 100.0}, "chunks": {"ledger": 2.0, "Flower's API": 2.0}}


def report() -> Report:
    """One worker takes 10 s, two take 6 s and a tenth more CPU a file."""
    made = Report("a machine", 2, "3.11", [], [0.05, 0.07], [0.08, 0.1], [2.0, 2.2], [2.5, 3.5], [200.0, 210.0])
    for kind, workers in itertools.product((LOOPS, ONE_SHOTS), (1, 2)):
        for more in (0.0, 0.2):
            seconds = (10.0 if workers == 1 else 6.0) + more
            cost = 10.0 if workers == 1 else 11.0
            servers = {"gateway": 0.1, "ledger": 1.0}
            made.runs.append(
                Run(kind, workers, 100, seconds, seconds - 1, seconds - 0.5, 10.0, cost, servers, 0.9, COUNTED)
            )
    return made


def test_what_is_written_is_what_the_schema_says() -> None:
    schema = json.loads((PROJECT / "benchmarks" / "cluster_schema.json").read_text())
    jsonschema.validate({"schema": 1, **asdict(report())}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 1, **asdict(report()), "worker_mb": []}, schema)


def test_scaling_is_of_files_a_second_and_without_the_servers_of_cpu_a_file() -> None:
    measured, without = scaling(report(), LOOPS)
    assert measured == pytest.approx(10.1 / 6.1, rel=0.01)
    assert without == pytest.approx(2 * 10 / 11)


def test_the_page_says_whether_the_sides_agree() -> None:
    made = report()
    assert "They agree." in agreement(made)
    lost = {**COUNTED, "chunks": {"ledger": 2.0, "Flower's API": 1.0}}
    made.runs[0] = replace(made.runs[0], counted=lost)
    assert "THEY DIFFER: chunks" in agreement(made)
    assert "1.82" in markdown(made)
    assert "<= 1.4" in markdown(made)


def test_each_file_is_another_content_and_the_same_sound(tmp_path: Path) -> None:
    y = np.random.default_rng(1).uniform(-0.5, 0.5, (441, 2))
    soundfile.write(tmp_path / "sound.wav", y, 44100, "PCM_16")
    sound = (tmp_path / "sound.wav").read_bytes()
    files = sorted(write_files(tmp_path / "many", sound, 5, itertools.count()).rglob("*.wav"))
    assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == len(files) == 5
    heard = [soundfile.read(file)[0] for file in [tmp_path / "sound.wav", *files]]
    assert all(np.array_equal(heard[0], each) for each in heard)


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draw(report(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"cluster-scaling.png", "cluster-scaling.svg"}


def test_a_part_that_is_measured_anew_leaves_the_others_as_they_are() -> None:
    page = (PROJECT / "docs" / "performance.md").read_text()
    head, parts = performance_page.taken_apart(page)
    assert head.startswith("# How fast it is")
    assert "\n".join([head, *(parts[module] for module in performance_page.PARTS if module in parts)]) == page
