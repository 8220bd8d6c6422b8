"""A job's files to take away."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet
import pytest

from api.tables import COLUMNS, Export, cell
from stores.memory import MemoryStores
from stores.records import FileRef, NewJob, Priority
from tests.api.gateway import Gateway, clipping, done, failed


@pytest.fixture
def job(gateway: Gateway) -> str:
    """A job with an analysed file, the same again, and one that failed."""
    one = gateway.sample("kick.wav", defects=clipping())
    rows = {"kick.wav": done(one), "=cmd|calc.wav": done(one), 'a "b", c\n.wav': failed()}
    return gateway.folder_job(rows).id


def test_ndjson_has_every_file_with_its_analysis(gateway: Gateway, job: str) -> None:
    answer = gateway.client.get(f"/v1/exports/{job}")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert job in answer.headers["content-disposition"]
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[0]["tempo"]["bpm"] == 120
    assert rows[0]["root"] == "library"
    assert rows[1]["path"] == "=cmd|calc.wav"
    assert rows[2]["status"] == "failed"
    assert "tempo" not in rows[2]


def test_csv_has_every_file_with_its_analysis(gateway: Gateway, job: str) -> None:
    answer = gateway.client.get(f"/v1/exports/{job}?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["index"] for row in rows] == ["0", "1", "2"]
    first = rows[0]
    assert (first["bpm"], first["key"], first["camelot"], first["defects"]) == ("120.0", "C minor", "5A", "clipping")
    assert (first["integrated_lufs"], first["note"], first["mfcc"]) == ("-14.2", "", "1.0 -2.0")
    assert rows[2]["path"] == 'a "b", c\n.wav'
    assert (rows[2]["reason_code"], rows[2]["bpm"]) == ("not_audio", "")


def test_a_name_that_is_no_text_is_there_in_bytes(gateway: Gateway) -> None:
    job, _ = gateway.stores.ledger.create_job(NewJob("local", Priority.NORMAL, None, None, "f"))
    gateway.stores.ledger.add_chunk(
        job.id, 0, 0, [FileRef("library", "a\\xff.wav", b"a\xff.wav"), FileRef("library", "b.wav")]
    )
    lines = gateway.client.get(f"/v1/exports/{job.id}").text.splitlines()
    assert [json.loads(line).get("path_b64") for line in lines] == ["Yf8ud2F2", None]
    rows = csv.DictReader(io.StringIO(gateway.client.get(f"/v1/exports/{job.id}?format=csv").text))
    assert [row["path_b64"] for row in rows] == ["Yf8ud2F2", ""]
    whole = pyarrow.parquet.read_table(
        io.BytesIO(gateway.client.get(f"/v1/exports/{job.id}?format=parquet").content), columns=["path_b64"]
    )
    assert whole["path_b64"].to_pylist() == ["Yf8ud2F2", None]


def test_no_cell_is_a_formula(gateway: Gateway, job: str) -> None:
    rows = list(csv.DictReader(io.StringIO(gateway.client.get(f"/v1/exports/{job}?format=csv").text)))
    assert rows[1]["path"] == "'=cmd|calc.wav"


def test_rekordbox_finds_each_file_that_was_analysed(gateway: Gateway, job: str) -> None:
    answer = gateway.client.get(f"/v1/exports/{job}?format=rekordbox&location=D:/My Samples")
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.headers["content-disposition"].endswith('.xml"')
    found = ElementTree.fromstring(answer.content).find("COLLECTION")
    assert found is not None
    assert found.get("Entries") == str(len(found)) == "2"
    first, second = found
    assert {name: first.get(name) for name in ("TrackID", "Name", "AverageBpm", "Tonality", "Comments", "Kind")} == {
        "TrackID": "1",
        "Name": "kick",
        "AverageBpm": "120.00",
        "Tonality": "Cm",
        "Comments": "5A",
        "Kind": "WAV File",
    }
    assert first.get("Location") == "file://localhost/D:/My%20Samples/kick.wav"
    assert second.get("Location") == "file://localhost/D:/My%20Samples/%3Dcmd%7Ccalc.wav"


def test_a_name_that_is_no_xml_is_still_a_collection(gateway: Gateway) -> None:
    one = gateway.sample("kick.wav")
    job = gateway.folder_job({'a "b" <c> & d\x01\n.wav': done(one)}).id
    answer = gateway.client.get(f"/v1/exports/{job}?format=rekordbox")
    track = ElementTree.fromstring(answer.content).find("COLLECTION/TRACK")
    assert track is not None
    assert track.get("Name") == 'a "b" <c> & d\n'


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert cell(text) == "'" + text


def test_numbers_stay_numbers() -> None:
    assert (cell(-14.2), cell(None), cell(0), cell("C#"), cell("a\0b")) == ("-14.2", "", "0", "C#", "ab")


@pytest.mark.parametrize("name", ["xml", "NDJSON", "Parquet", "../x"])
def test_other_formats_are_named(gateway: Gateway, job: str, name: str) -> None:
    answer = gateway.client.get(f"/v1/exports/{job}?format={name}")
    assert answer.status_code == 422
    assert "ndjson, csv, parquet, rekordbox" in answer.json()["detail"]


def test_no_such_job(gateway: Gateway) -> None:
    for form in ("csv", "ndjson"):
        assert gateway.client.get(f"/v1/exports/nope?format={form}").status_code == 404


def test_columns_name_each_place_once() -> None:
    assert len(set(COLUMNS.values())) == len(COLUMNS)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_memory_does_not_grow_with_the_job(tmp_path: Path, form: str) -> None:
    stores = MemoryStores()
    job, _ = stores.ledger.create_job(NewJob("ann", Priority.NORMAL, None))
    for n in range(100):
        stores.ledger.add_chunk(job.id, n, n * 200, [FileRef("library", f"{n}/{i}.wav") for i in range(200)])
    stores.ledger.accept_job(job.id)

    async def run() -> tuple[int, int]:
        table = Export(stores.ledger, stores.samples, job.id)
        lines, peak = 0, 0
        tracemalloc.start()
        async for piece in table.csv() if form == "csv" else table.ndjson():
            lines += piece.count(b"\n")
            peak = max(peak, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        return lines, peak

    import asyncio

    lines, peak = asyncio.run(run())
    assert lines == 20_000 + (form == "csv")
    assert peak < 8_000_000
