"""A job's files as Parquet, read back by pyarrow's own reader."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from api import parquet as writing
from api.columns import PLACES, row_of
from api.tables import COLUMNS, Export
from stores.filters import at
from stores.memory import MemoryStores
from stores.records import FileRef, FileRow, NewJob, Priority
from tests.api.gateway import Gateway, clipping, done, failed
from tests.workers.analysis.sounds import cadence, drum_loop, info_of
from workers.analysis import analyze
from workers.audio.hints import Hints
from workers.model import Defect


@pytest.fixture
def job(gateway: Gateway) -> str:
    """A job with real analyses, the same content again, and one that failed."""
    rows = {}
    for name, y in (("loop.wav", drum_loop(120)), ("chords.wav", cadence(9, "minor"))):
        said = analyze(y, info_of(y), Hints(name_bpm=120.0, name_tonic="A", name_mode="minor"))
        said = replace(said, defects=(*clipping(), Defect("truncated", "Cut.")))
        rows[name] = done(gateway.sample(name, **{one: getattr(said, one) for one in said.__slots__}))
    return gateway.folder_job({**rows, "gleich ü.wav": rows["loop.wav"], "=a.txt": failed()}).id


def download(gateway: Gateway, job: str) -> pyarrow.parquet.ParquetFile:
    answer = gateway.client.get(f"/v1/exports/{job}?format=parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"].endswith(f'job-{job}.parquet"')
    return pyarrow.parquet.ParquetFile(io.BytesIO(answer.content))


def test_it_says_what_ndjson_says_of_every_file(gateway: Gateway, job: str) -> None:
    said = [json.loads(line) for line in gateway.client.get(f"/v1/exports/{job}").text.splitlines()]
    found = download(gateway, job).read().to_pylist()
    assert len(found) == len(said) == 4
    for row, expected in zip(found, said, strict=True):
        for name in ("index", "root", "path", "status", "sample_id"):
            assert row[name] == expected[name], name
        assert row["analyzer"] == expected.get("analyzer")
        for name, (place, _) in PLACES.items():
            assert row[name] == at(expected, place), name


def test_every_field_of_an_analysis_has_a_column(gateway: Gateway, job: str) -> None:
    assert download(gateway, job).read().column("more").to_pylist() == [None] * 4, "api.columns lacks these fields"


def test_a_failed_file_has_its_reason(gateway: Gateway, job: str) -> None:
    last = download(gateway, job).read().to_pylist()[-1]
    told = {name: value for name, value in last.items() if value is not None}
    assert told == {
        "index": 3,
        "root": "library",
        "path": "=a.txt",
        "status": "failed",
        "reason_code": "not_audio",
        "reason": "This is not an audio file.",
    }


def test_numbers_are_numbers_and_lists_are_lists(gateway: Gateway, job: str) -> None:
    schema = download(gateway, job).schema_arrow
    assert str(schema.field("bpm").type) == "double"
    assert str(schema.field("midi").type) == "int64"
    assert str(schema.field("key").type) == "string"
    assert schema.field("mfcc").type.value_type == pyarrow.float64()
    assert {each.name for each in schema.field("defects").type.value_type} == {"code", "message", "at_s", "amount"}
    assert COLUMNS.keys() <= set(schema.names)
    assert schema.metadata[b"job"] == job.encode()


def test_what_has_no_column_or_another_type_is_kept_as_json(gateway: Gateway, job: str) -> None:
    one = next(iter(gateway.stores.samples.many([gateway.sample("odd.wav")]).values()))
    odd: dict[str, Any] = dict(one.analysis)
    odd["tempo"] = {"bpm": "fast", "beats": 1 << 60, "evidence": [{"source": "ear", "who": "me"}]}
    odd["loudness"] = {"rms_dbfs": 1 << 60, "peaks": {"left": [1.0, True]}}
    odd["pitch"] = "C"
    row = FileRow(0, FileRef("library", "\udcff.wav"), done(one.id))
    cells = row_of(row, replace(one, analysis=odd))
    pyarrow.RecordBatch.from_pylist([cells], schema=writing.Groups({}).schema)
    assert (cells["bpm"], cells["beats"], cells["note"], cells["path"]) == (None, 1 << 60, None, "\\udcff.wav")
    assert json.loads(cells["more"]) == {
        "tempo": {"bpm": "fast", "evidence": [{"source": "ear", "who": "me"}]},
        "loudness": {"rms_dbfs": 1 << 60, "peaks": {"left": [1.0, True]}},
        "pitch": "C",
    }


def export_of(files: int) -> Export:
    stores = MemoryStores()
    job, _ = stores.ledger.create_job(NewJob("ann", Priority.NORMAL, None))
    for n in range(0, files, 200):
        some = range(n, min(n + 200, files))
        stores.ledger.add_chunk(job.id, n // 200, n, [FileRef("library", f"{i}.wav") for i in some])
    stores.ledger.accept_job(job.id)
    return Export(stores.ledger, stores.samples, job.id)


async def pieces_of(export: Export) -> list[bytes]:
    return [piece async for piece in writing.parquet(export, {})]


def test_it_is_written_group_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_ROWS", 1000)
    pieces = asyncio.run(pieces_of(export_of(2700)))
    file = pyarrow.parquet.ParquetFile(io.BytesIO(b"".join(pieces)))
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [1000, 1000, 700]
    assert file.read(["index"]).column("index").to_pylist() == list(range(2700))
    assert len(pieces) > 3  # each group is sent when it is full


def test_half_a_file_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_ROWS", 1000)
    whole = b"".join(asyncio.run(pieces_of(export_of(1500))))
    with pytest.raises(pyarrow.ArrowInvalid):
        pyarrow.parquet.ParquetFile(io.BytesIO(whole[:-200]))


def test_a_job_without_files_is_a_table_without_rows() -> None:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(b"".join(asyncio.run(pieces_of(export_of(0))))))
    assert (file.metadata.num_rows, file.schema_arrow.names[0]) == (0, "index")


def test_the_gateway_loads_arrow_only_when_asked() -> None:
    said = "import sys; import api.app, api.__main__; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], cwd=Path(__file__).parents[2], check=False).returncode == 0
