"""Every broken file comes to its expected end, in its time, and the helper lives on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.broken_files import BrokenFile, make_broken
from workers.audio.decode import Decoder
from workers.audio.files import open_beneath
from workers.errors import FileError


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[BrokenFile]]:
    folder = tmp_path_factory.mktemp("broken")
    return folder, make_broken(folder)


def outcome(decoder: Decoder, folder: Path, name: bytes) -> str:
    try:
        fd = open_beneath(folder, name)
    except FileError as error:
        return error.code
    try:
        decoded = decoder.decode(fd, os.fsdecode(name))
    except FileError as error:
        return error.code if error.message else "no message"
    finally:
        os.close(fd)
    assert decoded.y.shape == (round(decoded.info.analyzed_s * decoded.info.sample_rate_hz), decoded.info.channels)
    assert decoded.info.duration_s >= decoded.info.analyzed_s > 0
    assert decoded.info.subtype
    return "ok"


def test_each_comes_to_its_expected_end(decoder: Decoder, library: tuple[Path, list[BrokenFile]]) -> None:
    folder, files = library
    decoder.start()
    pid = decoder.helper_pid
    wrong, slow = {}, {}
    for file in files:
        began = time.monotonic()
        got = outcome(decoder, folder, file.name)
        if got not in file.expect:
            wrong[file.name] = got
        if time.monotonic() - began > 10:
            slow[file.name] = time.monotonic() - began
    assert not wrong
    assert not slow
    assert decoder.helper_pid == pid


def test_there_are_many_and_each_is_named_once(library: tuple[Path, list[BrokenFile]]) -> None:
    _, files = library
    assert len(files) > 300
    assert sum("ok" not in file.expect for file in files) > 200  # that are no sound at all
    assert len({file.name for file in files}) == len(files)
    outcomes = set().union(*(file.expect for file in files))
    assert outcomes >= {
        "ok",
        "vanished",
        "not_a_regular_file",
        "symlink_loop",
        "outside_root",
        "empty_file",
        "not_audio",
    }
    assert outcomes >= {"unsupported_format", "broken_header", "decode_failed", "empty_audio", "no_finite_samples"}


def test_good_neighbours_do_not_notice(decoder: Decoder, library: tuple[Path, list[BrokenFile]]) -> None:
    folder, files = library
    for file in files[::3]:
        outcome(decoder, folder, file.name)
        assert outcome(decoder, folder, b"bext.wav") == "ok"
