"""Structured logs on standard error: one JSON object a line, or lines for people."""

from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import Any, cast

from config.settings import LogSettings

# structlog would import rich for tracebacks in colours, which no log of ours has: a twentieth of a second at each start
_modules = cast(dict[str, ModuleType | None], sys.modules)
_rich = _modules.setdefault("rich", None)

import structlog  # noqa: E402

if _rich is None:
    del _modules["rich"]


def configure_logging(settings: LogSettings, **context: Any) -> None:
    """Send structlog's and the standard library's records to standard error in one form.

    `context` (a part's name, say) is bound to every line of this process.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if settings.json_lines else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for chatty in ("pymongo", "httpx", "httpcore", "chromadb", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(**context)


def get_logger(name: str) -> Any:
    """A logger that never writes to standard output, also in a process that did not configure logging.

    structlog's own default prints there, between the lines that ``samplemind analyze`` prints for programs.
    """
    if not structlog.is_configured():
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    return structlog.get_logger(name)
