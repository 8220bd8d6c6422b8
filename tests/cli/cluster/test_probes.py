"""Whether a server is ready: it has to answer from its storage, or to write to it, not only to greet."""

from __future__ import annotations

import socket
import sqlite3
import struct
import threading
from contextlib import closing
from pathlib import Path

import bson
import pytest

from cli.cluster.probes import chroma_ready, http_ready, mongo_ready
from tests.servers import chroma_server, mongo_server, running


@pytest.mark.integration
def test_a_running_ledger_is_ready_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    with running(mongo_server(tmp_path)) as server:
        ready = mongo_ready(server.port)
        assert ready()
    assert not ready()


def _serve(listening: socket.socket, replies: list[dict[str, object]]) -> None:
    """Give so many answers, whatever is asked, on one connection."""
    client, _ = listening.accept()
    with client:
        for reply in replies:
            size = struct.unpack("<i", client.recv(4, socket.MSG_WAITALL))[0]
            client.recv(size - 4, socket.MSG_WAITALL)
            body = struct.pack("<iB", 0, 0) + bson.encode(reply)
            client.sendall(struct.pack("<iiii", 16 + len(body), 1, 1, 2013) + body)


@pytest.mark.parametrize(("found", "ready"), [({"ok": 1.0}, True), ({"ok": 0.0, "code": 1}, False)])
def test_a_ledger_whose_storage_gave_up_is_not_ready_although_it_greets(found: dict[str, object], ready: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        greeting: dict[str, object] = {"isWritablePrimary": True, "ok": 1.0}
        serving = threading.Thread(target=_serve, args=(listening, [greeting, found]))
        serving.start()
        assert mongo_ready(listening.getsockname()[1])() is ready
        serving.join()


@pytest.mark.integration
def test_an_index_whose_database_stays_locked_is_not_ready_although_it_greets(tmp_path: Path) -> None:
    with running(chroma_server(tmp_path)) as server:
        ready, greets = chroma_ready(server.port), http_ready("127.0.0.1", server.port, "/api/v2/heartbeat")
        assert ready()
        assert ready(), "asking has changed something"
        with closing(sqlite3.connect(tmp_path / "chroma" / "chroma.sqlite3", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")  # as a write does that ended in a full disk
            assert greets()
            assert not ready()
            holder.execute("ROLLBACK")
        assert ready()
    assert not ready()
