"""What a comparison says: as rows, as the page of a pull request's comment, as JSON (`schema.json` beside it)."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.gate.rightness import Fell
from benchmarks.gate.turns import SLOWER, SURE, Ratio
from benchmarks.measure import table

MARK = "<!-- samplemind: benchmarks -->"
"""By this a pull request's comment is found again."""
HEAD = ["what", "base", "head", "head / base", "99 % between", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """One case. Seconds are of a call, a file or a job; `looks` how often it was measured."""

    case: str
    base_s: float
    head_s: float
    ratio: Ratio
    looks: int


@dataclass(frozen=True)
class Report:
    """Everything that was compared."""

    base: str
    head: str
    rows: Sequence[Row]
    alone: Sequence[str]
    missing: Mapping[str, str]
    answers: Sequence[Fell]

    @property
    def regressions(self) -> list[str]:
        """What must not land."""
        slower = [row.case for row in self.rows if row.ratio.verdict == "slower"]
        return slower + [f"accuracy: {each.question}" for each in self.answers if each.fell]

    @property
    def unclear(self) -> list[str]:
        """What was measured too badly, also the second time."""
        return [row.case for row in self.rows if row.ratio.verdict == "unclear"]


def markdown(report: Report) -> str:
    """The page."""
    found = report.regressions
    verdict = f"**Slower or less right: {', '.join(found)}**" if found else "Nothing is slower, nothing less right."
    parts = [f"{MARK}\n### Benchmarks: `{report.head}` against `{report.base}`\n\n{verdict}"]
    if report.rows:
        shown = [_cells(row) for row in sorted(report.rows, key=lambda row: -row.ratio.ratio)]
        parts.append(f"<details><summary>{_summary(report.rows)}</summary>\n\n{table(HEAD, shown)}\n\n</details>")
    if report.answers:
        head = ["right about", "files", "base", "head", ""]
        parts.append(table(head, [_answer_cells(each) for each in report.answers]))
    if report.unclear:
        parts.append(f"Too noisy to say: {', '.join(report.unclear)}.")
    if report.alone or report.missing:
        lacking = [*report.alone, *(f"{part} ({why})" for part, why in report.missing.items())]
        parts.append(f"On one side only, so not compared: {', '.join(lacking)}.")
    parts.append(
        f"CPU time, both in turns on {machine()}. A regression is a ratio beyond {SLOWER:.2f} with "
        f"{100 * SURE:.0f} % probability, in two looks. Again: `python -m benchmarks.compare --base {report.base}`."
    )
    return "\n\n".join(parts) + "\n"


def _summary(rows: Sequence[Row]) -> str:
    counts = {verdict: sum(row.ratio.verdict == verdict for row in rows) for verdict in ("slower", "faster", "same")}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def _cells(row: Row) -> list[str]:
    said = row.ratio.verdict.replace("same", "")
    again = " (measured again)" if row.looks > 1 else ""
    return [
        row.case,
        duration(row.base_s),
        duration(row.head_s),
        f"{row.ratio.ratio:.3f}",
        f"{row.ratio.low:.3f} to {row.ratio.high:.3f}",
        f"{said}{again}".strip(),
    ]


def _answer_cells(each: Fell) -> list[str]:
    changed = [f"{sign} {Path(path).name}" for sign, paths in (("-", each.lost), ("+", each.gained)) for path in paths]
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
    fell = "fell: " if each.fell else ""
    return [each.question, str(each.files), str(each.base_right), str(each.head_right), fell + shown]


def duration(seconds: float) -> str:
    """A time in the unit in which it is easy to read."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def machine() -> str:
    """This machine, in a few words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    name = model or platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def as_json(report: Report) -> dict[str, Any]:
    """For `schema.json`."""
    return {
        "schema": 1,
        "base": report.base,
        "head": report.head,
        "machine": machine(),
        "regressions": report.regressions,
        "unclear": report.unclear,
        "alone": list(report.alone),
        "missing": dict(report.missing),
        "rows": [
            {
                "case": row.case,
                "base_s": row.base_s,
                "head_s": row.head_s,
                **asdict(row.ratio),
                "verdict": row.ratio.verdict,
                "looks": row.looks,
            }
            for row in report.rows
        ],
        "answers": [{**asdict(each), "fell": each.fell} for each in report.answers],
    }
