"""Whether the processes of this machine or container get on: ``python -m tasks.alive [PART] [--signs-dir DIR]``.

For health checks (Docker, compose, Kubernetes): exits 0 where all get on, 1 where one does not or there is none. It
reads a file and asks neither the queue nor a database, so that their absence never has a worker killed. With
``--signs-dir`` it does not even read the settings.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tasks.signs import seen

PARTS = ("worker", "reconciler", "index")


def check(folder: Path, part: str | None) -> tuple[bool, list[str]]:
    """Whether all get on (of this part), and a sentence for each."""
    found = [each for each in seen(folder) if part in (None, each.part)]
    if not found:
        return False, [f"No {part or 'process'} has left a sign of life in {folder}."]
    said = [f"{each.part} (process {each.pid}) {each.trouble or 'gets on'}." for each in found]
    return not any(each.trouble for each in found), said


def main() -> int:
    """Say it and exit accordingly."""
    parser = argparse.ArgumentParser(prog="python -m tasks.alive", description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="only these processes")
    parser.add_argument("--signs-dir", type=Path, metavar="DIR", help="where they leave their signs of life")
    given = parser.parse_args()
    well, said = check(given.signs_dir or _usual_folder(), given.part)
    print("\n".join(said), file=sys.stdout if well else sys.stderr)
    return 0 if well else 1


def _usual_folder() -> Path:
    from config.settings import get_settings

    return get_settings().signs_dir


if __name__ == "__main__":
    raise SystemExit(main())
