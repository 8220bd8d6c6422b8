"""This tree against another commit, on one machine in one run: ``python -m benchmarks.compare --base origin/main``.

Makes a worktree of the base, runs both in processes of their own and measures them in turns, CPU time: every kernel,
the pipeline by class of file, and the queue path in memory and on the embedded ledger. What looks slower, or is too
noisy to say, is measured a second time in new processes, and only that second look counts. Then both answer the demo
library, or labelled audio of yours: a file fewer that is right is a fall.

Exit 0: nothing is slower or less right. 1: something is. 2: nothing could be compared. Both run in this environment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.gate.processes import PROJECT, CannotCompare, Process, git, worktree
from benchmarks.gate.report import Report, Row, as_json, markdown
from benchmarks.gate.rightness import Fell, compared, demo_labels
from benchmarks.gate.turns import Pair, Start, in_turns, ratio_of

PARTS = ("kernels", "pipeline", "queue")
LAUNCHES, ROUNDS = 3, 7
FINE, WORSE, NOT_COMPARED = 0, 1, 2


def speeds(start: Start, launches: int, rounds: int) -> tuple[list[Row], list[str]]:
    """A row for every case that both have; those in doubt are measured again, twice as often."""
    first, alone = in_turns(start, launches, rounds)
    rows = {case: row_of(case, pairs, 1) for case, pairs in first.items()}
    doubtful = [case for case, row in rows.items() if row.ratio.verdict in ("slower", "unclear")]
    if doubtful:
        second, _ = in_turns(start, launches, 2 * rounds, doubtful)
        rows |= {case: row_of(case, pairs, 2) for case, pairs in second.items()}
    return list(rows.values()), alone


def row_of(case: str, pairs: Sequence[Pair], looks: int) -> Row:
    """What was measured of a case."""
    base, head = (statistics.median(getattr(pair, name) for pair in pairs) for name in ("base_s", "head_s"))
    return Row(case, base, head, ratio_of(pairs), looks)


def answers_of(start: Start, labels: Path) -> list[Fell]:
    """Who is right about the labelled files."""
    sides: tuple[Any, Any] = start()
    try:
        head, base = (side.answers(labels) for side in sides)
    finally:
        for side in sides:
            side.close()
    return compared(labels, head, base)


def compare(options: argparse.Namespace, tree: Path, folder: Path) -> Report:
    """Measure what is asked for; `tree` is the base's."""
    asked: dict[str, Any] = {"parts": options.parts, "folder": str(folder), "files": {}}
    if "pipeline" in options.parts:
        from benchmarks.pipeline_material import short_ones, usual_ones

        asked["files"] = {what: str(path) for what, path in {**short_ones(folder), **usual_ones(folder)}.items()}
    rows: list[Row] = []
    alone: list[str] = []
    missing: dict[str, str] = {}
    if options.parts:
        with ledger(folder, options.parts) as mongo:

            def start() -> tuple[Process, Process]:
                head, base = (
                    Process(each, {**asked, "mongo": mongo and {**mongo, "database": name}})
                    for each, name in ((PROJECT, "head"), (tree, "base"))
                )
                assert head.cases is not None
                assert base.cases is not None
                missing.update({**head.missing, **base.missing})
                return head, base

            rows, alone = speeds(start, options.launches, options.rounds)
    answers: list[Fell] = []
    if options.accuracy:
        labels = (options.labels or demo_labels(folder / "demo")).resolve()
        bare = {**asked, "parts": []}
        answers = answers_of(lambda: (Process(PROJECT, bare), Process(tree, bare)), labels)
    changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    head_name = git("rev-parse", "--short", "HEAD") + changed
    return Report(options.base, head_name, rows, alone, missing, answers)


@contextmanager
def ledger(folder: Path, parts: Sequence[str]) -> Iterator[dict[str, Any] | None]:
    """One embedded ledger for both sides, where the queue path is measured."""
    if "queue" not in parts:
        yield None
        return
    from tests.servers import mongo_server, running

    with running(mongo_server(folder)) as server:
        assert server.process is not None
        yield {"url": server.url, "pid": server.process.pid}


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="origin/main", help="the commit to compare with")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS), help="measure only these")
    parser.add_argument("--no-accuracy", dest="accuracy", action="store_false", help="leave the answers out")
    parser.add_argument("--labels", type=Path, help="labelled audio (benchmarks.labels) instead of the demo library")
    parser.add_argument("--launches", type=int, default=LAUNCHES, help="processes a side, 2 or more")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="samples of each case in each of them")
    parser.add_argument("--at", type=Path, help="keep the base's files here: its kernels are then compiled once")
    parser.add_argument("--markdown", type=Path, help="write the page there")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print and write; the exit status."""
    options = parsed(arguments)
    try:
        commit = git("rev-parse", "--verify", f"{options.base}^{{commit}}")
        with tempfile.TemporaryDirectory(prefix="samplemind-compare-") as name:
            place = (options.at or Path(name) / "base").resolve()
            with worktree(commit, place, keep=options.at is not None) as tree:
                report = compare(options, tree, Path(name))
    except CannotCompare as error:
        print(f"Nothing was compared: {error}.", file=sys.stderr)
        return NOT_COMPARED
    print(markdown(report))
    if options.markdown:
        options.markdown.write_text(markdown(report), "utf-8")
    if options.json:
        options.json.write_text(json.dumps(as_json(report), indent=1) + "\n", "utf-8")
    return WORSE if report.regressions else FINE


if __name__ == "__main__":
    sys.exit(main())
