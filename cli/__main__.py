"""``python -m cli``: run the command; an error is one sentence on standard error, never a traceback."""

from __future__ import annotations

import sys

from cli.app import app
from cli.errors import CommandError
from workers.naming import visible


def main() -> None:
    """Run the command line. Exit codes: 0 well, 1 failed, 2 called wrongly, 130 Ctrl-C."""
    try:
        app(prog_name="samplemind")
    except CommandError as error:
        print("samplemind: " + "\n".join(map(visible, str(error).split("\n"))), file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
