"""Whether a ledger is ready: it has to answer from its storage, not only to greet."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import bson
import pytest

from cli.cluster.probes import mongo_ready
from tests.servers import mongo_server, running


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
