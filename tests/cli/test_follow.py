from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli.errors import CommandError, Interrupted
from cli.follow import conservation, counts_text, duration, speed, watch
from cli.gateway import Unreachable, events


def job(state: str, **counts: int) -> dict[str, Any]:
    names = ("submitted", "pending", "done", "reused", "duplicate", "skipped", "failed")
    return {"id": "j", "state": state, "counts": {name: counts.get(name, 0) for name in names}}


def test_events_are_read_from_a_stream_with_heartbeats() -> None:
    lines = [": here", "", "event: progress", "id: 1", 'data: {"a": 1}', "", "event: end", "id: 1.end", "data:{}", ""]
    assert list(events(iter(lines))) == [("progress", "1", {"a": 1}), ("end", "1.end", {})]


class Scripted:
    """A gateway whose stream breaks now and then."""

    def __init__(self, *streams: list[Any]) -> None:
        self.streams = list(streams)
        self.last_ids: list[str | None] = []

    def get(self, path: str) -> dict[str, Any]:
        return job("running" if self.streams else "complete", submitted=2, done=2)

    def stream(self, path: str, last_id: str | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
        self.last_ids.append(last_id)
        for each in self.streams.pop(0):
            if isinstance(each, BaseException):
                raise each
            yield each


def test_a_broken_stream_is_taken_up_where_it_broke() -> None:
    gateway = Scripted(
        [("progress", "7", job("running", submitted=2, pending=1, done=1)), Unreachable("gone")],
        [Unreachable("still gone")],
        [("end", "8.end", job("complete", submitted=2, done=2))],
    )
    assert watch(gateway, "j")["state"] == "complete"  # type: ignore[arg-type]
    assert gateway.last_ids == [None, "7", "7"]


def test_the_end_is_left_to_whoever_watched(capsys: pytest.CaptureFixture[str]) -> None:
    watch(Scripted([("end", "1.end", job("complete", submitted=2, done=2))]), "j")  # type: ignore[arg-type]
    assert "complete" not in capsys.readouterr().err


def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back() -> None:
    with pytest.raises(Interrupted, match=r"jobs watch j") as caught:
        watch(Scripted([KeyboardInterrupt()]), "j")  # type: ignore[arg-type]
    assert caught.value.exit_code == 130


def test_the_law_is_said_as_a_sum_and_a_breach_is_an_error() -> None:
    counts = job("complete", submitted=5, done=3, failed=2)["counts"]
    assert conservation(counts) == "5 submitted = 3 done + 0 reused + 0 duplicate + 0 skipped + 2 failed"
    with pytest.raises(CommandError, match="do not add up"):
        conservation({**counts, "failed": 1})


def test_numbers_are_said_for_people() -> None:
    assert [duration(12.4), duration(200), duration(3900)] == ["12 s", "3 min 20 s", "1 h 05 min"]
    assert (
        counts_text(job("running", submitted=1200, pending=200, done=1000)["counts"]) == "1,000 of 1,200 (done 1,000)"
    )
    assert speed({**job("running"), "files_per_s": 12.34, "eta_s": 61}) == "12.3 files/s, 1 min 01 s left"
    assert speed({**job("running"), "files_per_s": None, "eta_s": None}) == ""
