from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.records import FileRef, Reason
from tasks.cutting import Cutter, cost_s, has_audio_name


def file(n: int, size: int, name: str = "wav") -> FileRef:
    return FileRef("library", f"{n}.{name}", size=size)


def cut(files: list[FileRef], cost: float = 4.0, most: int = 200) -> list[list[FileRef]]:
    cutter = Cutter(cost, most, 600)
    chunks = [chunk for one in files for chunk in cutter.add(one)]
    return [*chunks, *cutter.end()]


@given(
    st.lists(st.integers(0, 10**9), max_size=300),
    st.floats(0.01, 10),
    st.integers(1, 50),
)
def test_every_file_is_in_one_chunk_in_order_and_no_chunk_is_empty_or_too_long(
    sizes: list[int], cost: float, most: int
) -> None:
    files = [file(n, size) for n, size in enumerate(sizes)]
    chunks = cut(files, cost, most)
    assert [one for chunk in chunks for one in chunk] == files
    assert all(1 <= len(chunk) <= most for chunk in chunks)
    # without its last file a chunk is within the cost, so none takes longer than one file more
    assert all(sum(cost_s(one) for one in chunk[:-1]) <= cost + 1e-9 for chunk in chunks)


def test_the_last_chunks_get_smaller() -> None:
    chunks = cut([file(n, 200_000) for n in range(5000)])
    assert len(chunks[0]) == 200
    assert len(chunks[-1]) < 100
    tail = [len(chunk) for chunk in chunks[-8:]]
    assert tail == sorted(tail, reverse=True)


def test_a_small_folder_is_shared_among_workers() -> None:
    assert len(cut([file(n, 200_000) for n in range(200)])) >= 2


def test_a_pause_gives_whole_chunks_and_only_without_any_a_part() -> None:
    cutter = Cutter(4.0, 10, 600)
    for n in range(25):
        assert list(cutter.add(file(n, 1000))) == []
    assert [len(chunk) for chunk in cutter.pause(nothing_yet=True)] == [10, 10]
    assert list(cutter.end()) == []
    assert list(cutter.add(file(0, 1000))) == []
    assert list(cutter.pause(nothing_yet=False)) == []
    assert list(cutter.add(file(0, 1000))) == []
    assert [len(chunk) for chunk in cutter.pause(nothing_yet=True)] == [1]


def test_long_files_cost_more_up_to_what_is_analysed() -> None:
    short, track, hours = file(0, 20_000), file(0, 40 << 20), file(0, 4 << 30)
    assert cost_s(short) < 0.01 < cost_s(track) < cost_s(hours)
    assert cost_s(file(0, 10 << 20, "mp3")) > cost_s(file(0, 10 << 20, "wav"))
    assert cost_s(hours, 600) - cost_s(hours, 60) == pytest.approx(540 * 0.003)
    assert cost_s(FileRef("library", "x", reason=Reason("a", "b"))) < cost_s(short)


@pytest.mark.parametrize(
    ("path", "audio"),
    [("a/b.WAV", True), ("kick.flac", True), ("readme.txt", False), ("wav", False), ("a.wav/b", False)],
)
def test_knows_names_that_promise_audio(path: str, audio: bool) -> None:
    assert has_audio_name(path) is audio
