"""A command whose gateway is in the same process."""

from __future__ import annotations

from types import ModuleType

import pytest

from cli.found import Cluster
from cli.gateway import Gateway as Client
from tests.api.gateway import Gateway


def asks(command: ModuleType, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command of `cli` ask this gateway: no socket between them, all else as it is."""

    def connect(*_: object) -> Client:
        client = Client(Cluster("http://127.0.0.1"))
        monkeypatch.setattr(client, "_client", gateway.client)
        monkeypatch.setattr(Client, "__exit__", lambda *_: None)
        return client

    monkeypatch.setattr(command, "connect", connect)
