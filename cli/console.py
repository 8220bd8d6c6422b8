"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

from functools import lru_cache

from rich import markup
from rich.console import Console

from workers.naming import visible


@lru_cache(maxsize=1)
def out() -> Console:
    """Standard output. Plain, unwrapped lines where it is not a terminal."""
    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=200, soft_wrap=True)


@lru_cache(maxsize=1)
def err() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def escape(text: str) -> str:
    """Text that is not ours as it may stand in ours: it colours nothing, and does nothing to the terminal."""
    return markup.escape(visible(text))
