"""Writes ``docs/performance.md``: runs the benchmarks one after the other and keeps what they print. ``make bench``."""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HEAD = """# How fast it is

Written by `make bench` on {date}; do not edit. {machine}, {cores} cores, Python {python}. CPU time of one thread,
compile time apart, both sides of a ratio in turns in the same run; medians, with their spread. How right it is:
see [accuracy.md](accuracy.md).
"""

PARTS = {
    "benchmarks.pipeline": """## A whole file, from disk to answer

*Limit* is decode, mix to mono and one 2048/512 STFT at the file's own rate: what nobody can do without.""",
    "benchmarks.backend": """## What a caller waits for

Clock time, so a busy neighbour shows. Key, tempo and all else come out of one pass: there is no less to wait for.""",
    "benchmarks.stages": """## Where the time of a short one goes

CPU time, each function watched from outside; *in kernels* is compiled code and the way into it, *else* is Python and
numpy. What was tried against it, and what came of it: [0022](decisions/0022-what-a-one-shot-costs.md).""",
    "benchmarks.long_files": """## Files of any length

One piece of music again and again, analysed as it goes by. Memory is the most that was ever resident; what both
processes share is in the figure of each, and once in that of both together. `--hours 10` takes the same memory.""",
    "benchmarks.kernels": """## Kernels

Each against the reference that its claim names, installed and run beside it. Where a claim is beyond what one thread
can reach, the verdict says so: `find_peaks` is compiled in SciPy too; what is read once is bound by memory.""",
    "benchmarks.cluster": """## The cluster, end to end

Jobs go in over HTTP; what came of them is read from Flower's API, from both `/metrics` and from the ledger. The same
files go through the bare pipeline (hash, decode, analyse, describe) in turns with the jobs. Everything runs on one
machine on the embedded servers: workers, servers and this benchmark share its cores. Spread is half of the range. *With
the servers' load taken out*: what two workers do with a core each, twice as much but for what a file then costs more.

![Files a second with one worker and with two](pictures/cluster-scaling.svg)""",
    "benchmarks.main_job": """## The main job, through HTTP, queue, ledger and index

On the embedded servers, all of it on this machine.""",
}


def run(module: str, arguments: list[str]) -> str:
    """What a benchmark prints; its progress goes on to the terminal."""
    print(f"{module} …", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout)
    return done.stdout.strip()


def main() -> None:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance_page", description=__doc__)
    parser.add_argument("page", type=Path, nargs="?", default=Path("docs/performance.md"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="keep the other parts")
    parser.add_argument("--files", type=int, default=10_000, help="files of the main job")
    options = parser.parse_args()
    given = {
        "benchmarks.main_job": ["--files", str(options.files), "--many", "100000", "--empty", "--markdown"],
        "benchmarks.cluster": ["--pictures", str(options.page.parent / "pictures")],
    }
    today = datetime.now(UTC).date().isoformat()
    head = HEAD.format(
        date=today,
        machine=platform.processor() or platform.machine(),
        cores=os.cpu_count(),
        python=platform.python_version(),
    )
    kept: dict[str, str] = {}
    if options.page.exists() and set(options.only) != set(PARTS):
        head, kept = taken_apart(options.page.read_text())
    said = f"\nMeasured on {today}.\n" if kept else ""
    new = {module: f"{PARTS[module]}\n\n{run(module, given.get(module, []))}\n{said}" for module in options.only}
    parts = {**kept, **new}
    options.page.write_text("\n".join([head, *(parts[module] for module in PARTS if module in parts)]))


def taken_apart(page: str) -> tuple[str, dict[str, str]]:
    """A page's head, and its parts by the benchmark that wrote each."""
    headings = {said.partition("\n")[0]: module for module, said in PARTS.items()}
    head, *parts = re.split(r"\n(?=## )", page)
    return head, {headings[part.partition("\n")[0]]: part for part in parts}


if __name__ == "__main__":
    main()
