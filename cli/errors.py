"""What ends a command: one clear sentence on standard error and an exit code."""

from __future__ import annotations

FAILURE = 1
USAGE = 2
INTERRUPTED = 130


class CommandError(Exception):
    """A command cannot go on. The message is one sentence that says what to do."""

    exit_code = FAILURE


class UsageError(CommandError):
    """The command was called with what makes no sense."""

    exit_code = USAGE


class Interrupted(CommandError):
    """Ctrl-C: what was begun elsewhere goes on; the message says how to come back."""

    exit_code = INTERRUPTED
