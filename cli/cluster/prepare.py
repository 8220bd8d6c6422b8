"""Make the ledger ready, in a process of its own: ``python -m cli.cluster.prepare DATA_DIR``.

The supervisor stays small and without threads that way. What was found is written to ``run/prepared.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import structlog

from cli.cluster.before import openness
from cli.cluster.folder import DataFolder
from cli.errors import USAGE
from config.flower import is_loopback
from config.logging import configure_logging
from config.settings import get_settings
from stores.mongo import connect
from workers.errors import StoreError

log = structlog.get_logger(__name__)


def prepare(folder: DataFolder) -> dict[str, object]:
    """Make what is missing, check indexes after an unclean stop; what there is now."""
    stores = connect(get_settings().mongo, pool="worker")
    try:
        stores.ledger.prepare()
        repaired: list[str] = []
        if folder.verify_mark.exists():
            repaired = list(stores.ledger.verify_indexes())
            folder.verify_mark.unlink(missing_ok=True)
        return {"samples": stores.samples.count(), "keys": stores.keys.any(), "repaired": repaired}
    finally:
        stores.close()


def main() -> None:
    configure_logging(get_settings().log, part="prepare")
    folder = DataFolder(Path(sys.argv[1]))
    try:
        found = prepare(folder)
    except StoreError as error:
        log.error("the ledger could not be prepared", reason=str(error))
        raise SystemExit(1) from error
    host = get_settings().gateway.host
    if not found["keys"] and not is_loopback(host):
        print(openness(host), file=sys.stderr)
        raise SystemExit(USAGE)
    log.info("the ledger is ready", **found)
    folder.write_private(folder.prepared, json.dumps(found))


if __name__ == "__main__":
    main()
