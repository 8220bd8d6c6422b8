"""``python -m api.describe``: the API described as JSON, without any server. The web app takes its types from it."""

from __future__ import annotations

import json
import sys
from typing import Any

from api.app import create_app
from config.settings import Settings
from stores.memory import MemoryStores


class _NobodyListens:
    """A sender of messages that are never sent: nothing is submitted here."""

    def scan(self, job_id: str, *, ahead: bool = False) -> None:
        """Nothing."""

    def chunks(self, priority: Any, chunk_ids: Any) -> None:
        """Nothing."""


def description() -> dict[str, Any]:
    """The OpenAPI document of a gateway with default settings."""
    stores = MemoryStores()
    app = create_app(Settings(), stores=stores, vectors=stores.vectors, pulse=stores.pulse, sender=_NobodyListens())
    return app.openapi()


if __name__ == "__main__":
    json.dump(description(), sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    sys.stdout.write("\n")
