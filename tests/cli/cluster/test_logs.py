from __future__ import annotations

from pathlib import Path

from cli.cluster.logs import last_lines, last_words, rotate


def test_a_process_goes_on_writing_after_its_log_was_rotated(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("ab", buffering=0) as log:
        log.write(b"x" * 200)
        assert rotate(path, limit=100)
        log.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 200


def test_only_so_many_old_logs_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    for number in range(6):
        path.write_text(f"{number}" * 200)
        rotate(path, limit=100, kept=3)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    assert (tmp_path / "a.log.1").read_text()[0] == "5"
    assert (tmp_path / "a.log.3").read_text()[0] == "3"


def test_a_small_or_missing_log_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("short")
    assert not rotate(tmp_path / "a.log", limit=100)
    assert not rotate(tmp_path / "none.log", limit=100)


def test_last_lines_are_those_with_something_in_them(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\n\ntwo\n\xffthree\n\n")
    assert last_lines(tmp_path / "a.log", 2) == ["two", "\ufffdthree"]
    assert last_lines(tmp_path / "none.log") == []


def test_the_last_words_are_the_sentence_for_people_not_the_structured_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text('{"event": "started"}\nNot listening: no key.\n{"event": "ended"}\n')
    assert last_words(path) == "Not listening: no key."
    path.write_text('{"event": "ended"}\n')
    assert last_words(path) == '{"event": "ended"}'
