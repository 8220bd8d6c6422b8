"""Samples: found, shown, heard, seen."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from api.errors import Problem
from api.filters import parse_range
from api.spelling import spelled
from api.views import sample_view
from stores.records import SampleFilter
from tests.api.gateway import Gateway, analysis, clipping, vector
from workers.model import Key, Kind, Pitch, Preview, Tempo

FIXED = (
    "sample_id", "analyzer", "audio", "kind", "tempo", "key", "pitch", "loudness",
    "spectrum", "envelope", "rhythm", "timbre", "defects", "instrument", "files", "created_at", "yours",
)  # fmt: skip


def none() -> Tempo:
    return Tempo(None, 0.0, None, (), "too short for a tempo")


def found(gateway: Gateway, **query: str | int) -> set[str]:
    answer = gateway.client.get("/v1/samples", params=query)
    assert answer.status_code == 200, answer.text
    return {item["files"][0]["path"] for item in answer.json()["items"]}


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    """A few different sounds."""
    gateway.sample("loops/house_120.wav")
    gateway.sample("loops/dnb_174.wav", tempo=Tempo(174.0, 0.9, 32, (), None), defects=clipping())
    gateway.sample("kicks/Kick A.wav", kind=Kind("one-shot", 0.9), tempo=none())
    note = Pitch("A4", 69, 440.0, 0.0, 0.9, None)
    key = Key("A", "major", "A major", "11B", 0.7, 0.0, None)
    gateway.sample("notes/a4.wav", pitch=note, key=key, tempo=none(), kind=Kind("one-shot", 0.9))
    return gateway


def test_a_sample_is_what_analyze_prints_and_where_it_was_seen(gateway: Gateway) -> None:
    one = gateway.sample("loops/house.wav")
    said = gateway.client.get(f"/v1/samples/{one}").json()
    assert tuple(said) == FIXED
    assert said["sample_id"] == one
    assert said["tempo"] == {
        "bpm": 120.0,
        "confidence": 0.94,
        "beats": 16,
        "evidence": [{"source": "length", "bpm": 120.0, "weight": 0.6}],
        "reason": None,
    }
    assert said["files"] == [{"root": "library", "path": "loops/house.wav"}]
    assert gateway.client.get("/v1/samples").json()["items"] == [said]


def test_a_number_that_json_cannot_say_is_null(gateway: Gateway) -> None:
    one = gateway.sample("a.wav", spectrum={"centroid_hz": float("nan"), "flatness": float("inf")})
    assert gateway.client.get(f"/v1/samples/{one}").json()["spectrum"] == {"centroid_hz": None, "flatness": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"house", "dnb", "Kick", "a4"}),
        ({"bpm": "118..122"}, {"house"}),
        ({"bpm": "121.."}, {"dnb"}),
        ({"bpm": "..121"}, {"house"}),
        ({"bpm": "174"}, {"dnb"}),
        ({"kind": "one-shot"}, {"Kick", "a4"}),
        ({"key": "A major"}, {"a4"}),
        ({"camelot": "11B"}, {"a4"}),
        ({"tonic": "C", "mode": "minor"}, {"house", "dnb", "Kick"}),
        ({"note": "A4"}, {"a4"}),
        ({"note": "A"}, {"a4"}),
        ({"text": "KICK a"}, {"Kick"}),
        ({"defect": "clipping"}, {"dnb"}),
        ({"duration": "..7.9"}, set()),
        ({"bpm": "100..", "kind": "loop", "text": "house", "cursor": "", "limit": ""}, {"house"}),
    ],
)
def test_every_filter_given_must_hold(library: Gateway, query: dict[str, str], expected: set[str]) -> None:
    assert {next(one for one in ("house", "dnb", "Kick", "a4") if one in path) for path in found(library, **query)} == (
        expected
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("bpm=fast", "bpm"),
        ("bpm=122..118", "bpm"),
        ("bpm=..", "bpm"),
        ("bpm=nan", "bpm"),
        ("bpm=1e3", "bpm"),
        ("bpm=118...122", "bpm"),
        ("bpm=" + "1" * 40, "bpm"),
        ("duration=inf..", "duration"),
        ("tempo=120", "tempo"),
        ("$where=1", "$where"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=x", "limit"),
        ("text=" + "x" * 501, "text"),
    ],
)
def test_a_query_that_makes_no_sense_names_its_field(gateway: Gateway, query: str, field: str) -> None:
    answer = gateway.client.get(f"/v1/samples?{query}")
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("query", ["key=C+moll", "kind=drum", "camelot=13A", "note=H4", "tonic=H", "mode=dorian"])
def test_a_value_that_no_sample_has_is_a_bad_filter(gateway: Gateway, query: str) -> None:
    answer = gateway.client.get(f"/v1/samples?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_filter")
    assert query.split("=")[0] in answer.json()["detail"]


def test_a_value_that_no_sample_has_is_answered_with_how_it_is_written(gateway: Gateway) -> None:
    assert "F# major" in gateway.client.get("/v1/samples?key=H+minor").json()["detail"]
    assert "one-shot" in gateway.client.get("/v1/samples?kind=drum").json()["detail"]


@pytest.mark.parametrize(
    "query", ["key=Eb+minor", "key=ebm", "key=D%23min", "tonic=E%E2%99%AD", "camelot=2a", "note=Eb4"]
)
def test_keys_and_notes_may_be_asked_for_as_musicians_write_them(gateway: Gateway, query: str) -> None:
    gateway.sample("other.wav")
    key = Key("D#", "minor", "D# minor", "2A", 0.9, 0.0, None)
    gateway.sample("mine.wav", key=key, pitch=Pitch("D#4", 63, 311.1, 0.0, 0.9, None))
    assert [item["files"][0]["path"] for item in gateway.client.get(f"/v1/samples?{query}").json()["items"]] == [
        "mine.wav"
    ]


@pytest.mark.parametrize(
    ("written", "kept"), [("Cb4", "B3"), ("B#3", "C4"), ("Fb", "E"), ("bb-1", "A#-1"), ("H4", "H4")]
)
def test_a_flat_or_sharp_that_leaves_its_octave_is_the_note_of_the_next(written: str, kept: str) -> None:
    assert spelled(SampleFilter(note=written)).note == kept


def test_a_capital_m_is_major_and_a_small_one_minor() -> None:
    asked = ("CM", "Cm", "c Major", "AbMIN", "Gb maj", "C", "C dorian")
    assert [spelled(SampleFilter(key=key)).key for key in asked] == [
        "C major", "C minor", "C major", "G# minor", "F# major", "C", "C dorian",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("118..122", (118, 122)),
        ("118..", (118, None)),
        ("..122", (None, 122)),
        ("120", (120, 120)),
        ("-3.5..+.5", (-3.5, 0.5)),
        ("5.", (5, 5)),
    ],
)
def test_ranges(text: str, bounds: tuple[float | None, float | None]) -> None:
    assert parse_range("bpm", text) == bounds


@pytest.mark.parametrize("text", ["", "..", "a", "1..b", "1..2..3", "1,5", "٣", "--1", "1 2"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(Problem):
        parse_range("bpm", text)


def test_pages_lead_through_every_sample_once(gateway: Gateway) -> None:
    names = {f"{n}.wav" for n in range(11)}
    for name in names:
        gateway.sample(name)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = gateway.client.get("/v1/samples", params={"limit": 4, "cursor": cursor}).json()
        seen += [item["files"][0]["path"] for item in page["items"]]
        cursor = page["next"]
    assert sorted(seen) == sorted(names)
    first = gateway.client.get("/v1/samples?limit=4").json()["next"]
    other = gateway.client.get("/v1/samples", params={"kind": "loop", "cursor": first})
    assert (other.status_code, other.json()["code"]) == (422, "bad_cursor")


# -- the file itself


@pytest.fixture
def sound(gateway: Gateway) -> str:
    """The address of the audio of a sample whose file holds 1000 bytes."""
    (gateway.settings.roots["library"] / "kick.wav").write_bytes(bytes(n % 251 for n in range(1000)))
    return f"/v1/samples/{gateway.sample('kick.wav')}/audio"


def test_the_file_can_be_heard(gateway: Gateway, sound: str) -> None:
    answer = gateway.client.get(sound)
    assert answer.status_code == 200
    assert (answer.headers["content-type"], answer.headers["content-length"]) == ("audio/wav", "1000")
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content == bytes(n % 251 for n in range(1000))
    head = gateway.client.head(sound)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "1000", b"")


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=900-", 900, 1000),
        ("bytes=-100", 900, 1000),
        ("bytes=0-0", 0, 1),
        ("bytes=999-5000", 999, 1000),
        ("bytes=-5000", 0, 1000),
    ],
)
def test_a_range_of_it(gateway: Gateway, sound: str, header: str, start: int, end: int) -> None:
    answer = gateway.client.get(sound, headers={"Range": header})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1000"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.content == bytes(n % 251 for n in range(start, end))


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_that_is_not_there(gateway: Gateway, sound: str, header: str) -> None:
    answer = gateway.client.get(sound, headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1000"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["bytes=5-2", "bytes=-", "items=0-1", "bytes=a-b", "bytes=0-1,5-6", "bytes=" + "9" * 5000 + "-", ""]
)
def test_a_range_that_is_none_is_ignored(gateway: Gateway, sound: str, header: str) -> None:
    answer = gateway.client.get(sound, headers={"Range": header})
    assert (answer.status_code, len(answer.content)) == (200, 1000)


def test_a_changed_file_is_sent_whole_and_an_unchanged_one_not_again(gateway: Gateway, sound: str) -> None:
    tag = gateway.client.get(sound).headers["etag"]
    assert gateway.client.get(sound, headers={"If-None-Match": tag}).status_code == 304
    ranged = {"Range": "bytes=0-9", "If-Range": tag}
    assert gateway.client.get(sound, headers=ranged).status_code == 206
    assert gateway.client.get(sound, headers={**ranged, "If-Range": '"old"'}).status_code == 200


def test_a_file_that_is_gone_is_404(gateway: Gateway, sound: str) -> None:
    (gateway.settings.roots["library"] / "kick.wav").unlink()
    answer = gateway.client.get(sound)
    assert (answer.status_code, answer.json()["code"]) == (404, "vanished")


def test_no_link_leads_out_of_the_root(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    top = gateway.settings.roots["library"]
    (top / "folder").symlink_to(tmp_path)
    (top / "file.wav").symlink_to(tmp_path / "secret")
    for name in ("folder/secret", "file.wav", "../secret", f"{tmp_path}/secret"):
        answer = gateway.client.get(f"/v1/samples/{gateway.sample(name)}/audio")
        assert (answer.status_code, answer.json()["code"]) == (404, "vanished"), name


def test_open_files_are_closed_again(gateway: Gateway, sound: str) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=5000-"}, {"If-None-Match": "x"}):
        for _ in range(5):
            gateway.client.get(sound, headers=headers)
            gateway.client.head(sound, headers=headers)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


# -- pictures


def test_the_waveform_as_numbers_and_pictures(gateway: Gateway) -> None:
    peaks = b"".join(bytes([(256 - n // 4) % 256, n // 4]) for n in range(256))
    one = gateway.sample("a.wav", preview=Preview(peaks, bytes(48 * 128)))
    said = gateway.client.get(f"/v1/samples/{one}/waveform").json()
    assert len(said["peaks"]) == 256
    assert said["peaks"][0] == [0, 0]
    assert said["peaks"][200] == [round(-50 / 127, 4), round(50 / 127, 4)]
    svg = gateway.client.get(f"/v1/samples/{one}/waveform?format=svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.content.startswith(b"<svg ")
    png = gateway.client.get(f"/v1/samples/{one}/waveform?format=png")
    picture = Image.open(io.BytesIO(png.content))
    assert picture.size == (1024, 256)
    assert picture.getpixel((1020, 128))[3] == 255  # type: ignore[index]
    assert picture.getpixel((1020, 2))[3] == 0  # type: ignore[index]


def test_the_spectrogram_has_low_frequencies_at_the_bottom(gateway: Gateway) -> None:
    mel = bytes([255] * 128) + bytes(47 * 128)
    one = gateway.sample("a.wav", preview=Preview(bytes(512), mel))
    answer = gateway.client.get(f"/v1/samples/{one}/spectrogram")
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content)).convert("L")
    width, height = picture.size
    assert picture.getpixel((width // 2, height - 1)) > 200  # type: ignore[operator]
    assert picture.getpixel((width // 2, 1)) < 30  # type: ignore[operator]


def test_without_a_picture_404(gateway: Gateway) -> None:
    one = gateway.sample("a.wav", preview=Preview(b"", b""))
    for path in ("waveform", "waveform?format=svg", "waveform?format=png", "spectrogram"):
        assert gateway.client.get(f"/v1/samples/{one}/{path}").status_code == 404
    assert gateway.client.get(f"/v1/samples/{one}/waveform?format=gif").status_code == 422


def test_the_view_leaves_nothing_of_an_analysis_out(gateway: Gateway) -> None:
    one = gateway.sample("a.wav", vector=vector(timbre=[1.0]))
    view = sample_view(gateway.stores.samples.get(one))
    assert set(analysis().to_dict()) <= set(view)
