"""A job's files as Parquet: typed columns, written row group by row group while they are sent."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool

from api.columns import FIRST, PLACES, RECORDS, row_of
from api.tables import Export

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

GROUP_ROWS: Final = 10_000
"""Rows of one group: some 15 MB until they are written."""


class _Sink(io.RawIOBase):
    """Takes what the writer writes until it is sent."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        with memoryview(data) as view:
            self._held += view
            self._at += view.nbytes
            return view.nbytes

    def taken(self) -> bytes:
        """What was written since this was asked last."""
        held, self._held = self._held, bytearray()
        return bytes(held)


class Groups:
    """Rows on their way into a file, in batches of Arrow until a group is full."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        self.schema = _schema(pyarrow).with_metadata(dict(facts))
        self._sink = _Sink()
        texts = [field.name for field in self.schema if field.type == pyarrow.string()]
        self._writer: ParquetWriter = ParquetWriter(
            self._sink, self.schema, compression="zstd", use_dictionary=texts, write_statistics=True
        )
        self._batches: list[pyarrow.RecordBatch] = []
        self._rows = 0

    def add(self, rows: list[dict[str, Any]]) -> bytes:
        """Take rows; what can be sent by now."""
        import pyarrow

        if rows:
            self._batches.append(pyarrow.RecordBatch.from_pylist(rows, schema=self.schema))
            self._rows += len(rows)
        if self._rows >= GROUP_ROWS:
            self._flush()
        return self._sink.taken()

    def end(self) -> bytes:
        """The last group and the table of contents, without which the file is none."""
        self._flush()
        self._writer.close()
        return self._sink.taken()

    def _flush(self) -> None:
        import pyarrow

        if self._batches:
            self._writer.write_table(pyarrow.Table.from_batches(self._batches), row_group_size=self._rows)
            self._batches, self._rows = [], 0


def _schema(arrow: Any) -> pyarrow.Schema:
    types = {
        "text": arrow.string(),
        "whole": arrow.int64(),
        "real": arrow.float64(),
        "reals": arrow.list_(arrow.float64()),
    }

    def type_of(place: str, kind: str) -> Any:
        if kind != "records":
            return types[kind]
        fields = RECORDS[place]
        if "" in fields:
            return arrow.list_(types[fields[""]])
        return arrow.list_(arrow.struct([(name, types[each]) for name, each in fields.items()]))

    columns = [(name, types[kind]) for name, kind in FIRST.items()]
    columns += [(name, type_of(place, kind)) for name, (place, kind) in PLACES.items()]
    return arrow.schema([*columns, ("more", arrow.string())])


async def parquet(export: Export, facts: Mapping[str, str]) -> AsyncIterator[bytes]:
    """The file in pieces; `facts` stand in its head as text. Without its last piece it cannot be opened."""
    groups = await run_in_threadpool(Groups, facts)
    async for piece in export.pieces(lambda rows: groups.add([row_of(row, sample) for row, sample in rows])):
        if piece:
            yield piece
    yield await run_in_threadpool(groups.end)
