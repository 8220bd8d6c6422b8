"""Ask the advisory service about every pin: ``make audit``, which is ``python requirements/audit.py`` with pip-audit.

Exit 0: nothing known that is not excused. 1: an advisory, or an excuse that is over (`exceptions.toml`; each has a
date). 3: the service could not be asked, so nothing is known; never taken for good news.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
GROUPS = ("gateway", "indexer", "worker", "flower", "cluster", "dev", "bench", "audit", "docs")
FINE, FOUND, UNKNOWN = 0, 1, 3


@dataclass(frozen=True)
class Excuse:
    """Why an advisory does not hold here, and until when that is believed."""

    id: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True)
class Advisory:
    """What is known of a pin. `names` are its id and its aliases."""

    group: str
    package: str
    version: str
    names: frozenset[str]
    fixed_in: tuple[str, ...]


class Unreachable(Exception):
    """The advisory service said nothing."""


def excuses(path: Path) -> list[Excuse]:
    """The file's exceptions; each needs all four fields."""
    return [Excuse(**each) for each in tomllib.loads(path.read_text())["exception"]]


def advisories(group: str, said: Mapping[str, Any]) -> list[Advisory]:
    """What pip-audit's JSON says of a group.

    Raises
    ------
    Unreachable
        Of a package it could say nothing: as good as not asked.
    """
    skipped = [each["name"] for each in said["dependencies"] if "skip_reason" in each]
    if skipped or not said["dependencies"]:
        raise Unreachable(f"nothing is known of {len(skipped)} packages, {', '.join(skipped[:3])} among them")
    return [
        Advisory(
            group,
            each["name"],
            each["version"],
            frozenset({flaw["id"], *flaw.get("aliases", ())}),
            tuple(flaw.get("fix_versions", ())),
        )
        for each in said["dependencies"]
        for flaw in each.get("vulns", ())
    ]


def verdict(found: Sequence[Advisory], excused: Sequence[Excuse], today: date) -> tuple[int, list[str]]:
    """Exit code, and a line for each thing to say."""
    lines, code = [], FINE
    for one in found:
        excuse = next((each for each in excused if each.package == one.package and each.id in one.names), None)
        what = f"{one.group}: {one.package} {one.version}: {', '.join(sorted(one.names))}"
        if excuse is None:
            code = FOUND
            lines.append(f"FOUND    {what}; fixed in {', '.join(one.fixed_in) or 'no release'}")
        elif excuse.until < today:
            code = FOUND
            lines.append(f"OVER     {what}; was excused until {excuse.until}: look again at why ({excuse.reason})")
        else:
            lines.append(f"excused  {what}, until {excuse.until}: {excuse.reason}")
    met = {name for one in found for name in one.names}
    lines += [f"unused   the exception for {each.package} {each.id}" for each in excused if each.id not in met]
    return code, lines


def ask(group: str) -> list[Advisory]:
    """What the service knows of a group's pins. Raises `Unreachable`."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "--timeout", "20", "-f", "json", "-r", str(HERE / f"{group}.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return advisories(group, json.loads(done.stdout))
    except ValueError:
        raise Unreachable((done.stderr.strip().splitlines() or ["no answer"])[-1][:200]) from None


def main(groups: Iterable[str]) -> int:
    """Ask for every group and say what was found."""
    found: list[Advisory] = []
    for group in groups:
        try:
            found += ask(group)
        except Unreachable as error:
            print(f"The advisory service could not be asked about {group}: {error}.", file=sys.stderr)
            print("Nothing is known of these pins. CI asks again on every push and each week.", file=sys.stderr)
            return UNKNOWN
    code, lines = verdict(found, excuses(HERE / "exceptions.toml"), date.today())
    print("\n".join(lines) or "No advisory for any pin.")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or GROUPS))
