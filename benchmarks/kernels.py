"""Rows K1 to K9 against the references they name: ``python -m benchmarks.kernels [--json PATH] [--only K3]``.

One thread, CPU time, both in turns, medians; what each returns is compared before anything is timed. The seed's claim
stands beside what was measured, reached or not. Compile time is apart: `fresh` with an empty cache, `cached` after it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Result, measure, table
from config.environment import cap_threads, child_environment

WARM = """
import json
from workers.kernels import warm
seconds = warm()
from workers.kernels.statistics import get_numba_stats
print(json.dumps({"warm_s": seconds, **get_numba_stats()}))
"""
KEPT = ("cpu", "warm_s", "compile_seconds", "signatures", "cache_hits", "cache_misses")
REFERENCES = ("numpy", "scipy", "pandas", "librosa", "numba")


def shown(result: Result) -> list[str]:
    """The result as cells of the table."""

    def time(us: float | None, spread: float | None) -> str:
        return "-" if us is None or spread is None else f"{us:,.4g} ± {100 * spread:.0f} %"

    verdict = {True: "reached", False: "not reached", None: ""}[result.reached]
    return [
        result.row,
        result.what,
        time(result.ours_us, result.ours_spread),
        result.reference_name,
        time(result.reference_us, result.reference_spread),
        "-" if result.ratio is None else f"{result.ratio:.3g}x",
        "-" if result.claim is None else f"{result.claim:g}x",
        " ".join(filter(None, [verdict, result.note])),
    ]


def compile_times() -> dict[str, dict[str, Any]]:
    """Seconds to have every kernel ready, in processes of their own: compiled, then loaded from the cache."""
    times = {}
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as cache:
        for name in ("fresh", "cached"):
            command = [sys.executable, "-c", WARM]
            run = subprocess.run(
                command, env=child_environment(NUMBA_CACHE_DIR=cache), capture_output=True, text=True, check=True
            )
            stats = json.loads(run.stdout)
            times[name] = {key: stats[key] for key in KEPT}
    return times


def installed() -> dict[str, str]:
    """Versions of what is compared."""
    found = {}
    for name in REFERENCES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the results here")
    parser.add_argument("--only", help="measure only this row, for instance K3")
    parser.add_argument("--repeats", type=int, default=25, help="samples of each side, 2 or more")
    arguments = parser.parse_args()
    cap_threads()
    cases = import_module("benchmarks.kernel_cases").cases()
    results = [measure(case, max(2, arguments.repeats)) for case in cases if arguments.only in (None, case.row)]
    head = ["row", "what", "ours, µs", "reference", "reference, µs", "ratio", "claim", "verdict"]
    print(table(head, [shown(result) for result in results]))
    times, versions = compile_times(), installed()
    for name, spent in times.items():
        print(
            f"{name}: every kernel ready after {spent['warm_s']:.2f} s, {spent['compile_seconds']:.2f} s of it "
            f"compiling {spent['cache_misses']} of {spent['signatures']} signatures"
        )
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    if arguments.json:
        report = {"versions": versions, "compile": times, "results": [asdict(result) for result in results]}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
