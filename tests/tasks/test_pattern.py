from __future__ import annotations

import time
import unicodedata

import pytest

from tasks.pattern import compile_pattern
from workers.errors import BadPattern


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("**/*", "kick.wav", True),
        ("**/*", "drums/808/kick.wav", True),
        ("*.wav", "kick.wav", True),
        ("*.wav", "KICK.WAV", True),
        ("*.wav", "drums/kick.wav", False),
        ("*.wav", "kick.wave", False),
        ("Kick*.wav", "kick1.wav", False),
        ("**/*.{wav,flac}", "a/b/c.FLAC", True),
        ("**/*.{wav,flac}", "c.wav", True),
        ("**/*.{wav,flac}", "c.mp3", False),
        ("drums/**/*.wav", "drums/kick.wav", True),
        ("drums/**/*.wav", "drums/a/b/kick.wav", True),
        ("drums/**/*.wav", "bass/kick.wav", False),
        ("drums/**", "drums/a/b", True),
        ("drums/**", "drums", False),
        ("{drums,bass}/*.wav", "bass/a.wav", True),
        ("a{1,{2,3}}.wav", "a3.wav", True),
        ("a/**/b/**/c", "a/x/b/y/z/c", True),
        ("a/**/b/**/c", "a/x/y/c", False),
        ("[0-9]?.wav", "7x.wav", True),
        ("[!0-9]*.wav", "7x.wav", False),
        ("[]a]*", "]x", True),
        ("[[]old]*.wav", "[old] kick.wav", True),
        ("a[^b]", "a^", True),
        ("*.tar.gz", "x.tar.GZ", True),
        ("*", "line\nbreak.wav", True),
        ("k.ck.wav", "kick.wav", False),
        ("**/**/*.wav", "kick.wav", True),
    ],
)
def test_means_what_a_shell_means(pattern: str, path: str, meant: bool) -> None:
    assert compile_pattern(pattern).matches(path) is meant


@pytest.mark.parametrize(
    "pattern",
    ["", "/a", "a//b", "../a", "a/./b", "a/", "a**", "{a", "a}", "[a", "[z-a]", "a\\b", "a\0", "x" * 1025, "{a,b}" * 9],
)
def test_refuses_what_makes_no_sense(pattern: str) -> None:
    with pytest.raises(BadPattern):
        compile_pattern(pattern)


def test_matches_names_written_by_macos() -> None:
    assert compile_pattern("é*.wav").matches(unicodedata.normalize("NFD", "été.wav"))


def test_leaves_out_folders_in_which_nothing_can_match() -> None:
    pattern = compile_pattern("drums/*/kick*.wav")
    top = pattern.start()
    assert not pattern.step(top, "bass")
    drums = pattern.step(top, "drums")
    assert pattern.leads_on(drums)
    inner = pattern.step(drums, "808")
    assert pattern.accepts(pattern.step(inner, "kick.wav"))
    assert not pattern.step(inner, "more")


def test_takes_no_time_for_patterns_made_to_take_long() -> None:
    began = time.perf_counter()
    assert not compile_pattern("*a" * 40 + "b").matches("a" * 255)
    assert not compile_pattern("**/a/" * 40 + "b").matches("a/" * 100 + "c")
    assert time.perf_counter() - began < 20
