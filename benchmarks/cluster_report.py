"""What `benchmarks.cluster` says: as a page, and as pictures of its scaling."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.cluster import LOOPS, ONE_SHOTS, WANTED, Report, Run
from benchmarks.measure import table

SCALING_WANTED: Final = 1.8
COLD_WANTED_S: Final = 5.0
_HEAD: Final = ["what", "median", "spread", "", "wanted"]


def spread(values: Sequence[float]) -> float:
    """Half of the range, as a share of the median: of so few values there are no quartiles."""
    return (max(values) - min(values)) / 2 / statistics.median(values)


def row(what: str, values: Sequence[float], unit: str, wanted: str = "", digits: int = 2) -> list[str]:
    """A line of the table: the median of these, and how they scatter."""
    return [what, f"{statistics.median(values):,.{digits}f}", f"± {100 * spread(values):.0f} %", unit, wanted]


def scaling(report: Report, kind: str) -> tuple[float, float]:
    """Two workers against one: in files a second as measured, and with the servers' load taken out.

    The second asks what two workers would do with a core each: twice as much, but for what a file costs more CPU.
    """

    def median(value: Callable[[Run], float], workers: int) -> float:
        return statistics.median(value(run) for run in report.of(kind, workers))

    def speed(run: Run) -> float:
        return run.files / run.seconds

    def cost(run: Run) -> float:
        return run.worker_ms

    return median(speed, 2) / median(speed, 1), 2 * median(cost, 1) / median(cost, 2)


def rows_of(report: Report, kind: str) -> list[list[str]]:
    """The lines of one kind of files."""
    runs = [*report.of(kind, 1), *report.of(kind, 2)]
    lines = []
    for workers in (1, 2):
        some = report.of(kind, workers)
        name = f"{kind}, {workers} worker{'s' if workers > 1 else ''}"
        lines.append(row(name, [run.files / run.seconds for run in some], "files/s", digits=1))
        lines.append(
            row("  the share of that time in which they had a core", [100 * r.busy for r in some], "%", digits=0)
        )
    measured, without = scaling(report, kind)
    lines += [
        row("  workers, CPU", [run.worker_ms for run in runs], "ms a file"),
        row("  bare pipeline, CPU", [run.bare_ms for run in runs], "ms a file"),
        row("  workers / bare pipeline", [run.worker_ms / run.bare_ms for run in runs], "x", f"<= {WANTED[kind]:g}"),
        ["  two workers / one, servers on the same cores", f"{measured:.2f}", "", "x", ""],
        ["  the same with the servers' load taken out", f"{without:.2f}", "", "x", f">= {SCALING_WANTED:g}"],
    ]
    return lines


def servers(report: Report) -> str:
    """Where the servers' CPU went."""
    names = sorted({name for run in report.runs for name in run.servers_ms})
    kinds = (LOOPS, ONE_SHOTS)

    def cell(kind: str, name: str) -> str:
        return f"{statistics.median(run.servers_ms.get(name, 0) for run in report.runs if run.kind == kind):.2f}"

    def together(kind: str) -> str:
        return f"{statistics.median(sum(run.servers_ms.values()) for run in report.runs if run.kind == kind):.2f}"

    rows = [[name, *(cell(kind, name) for kind in kinds)] for name in names]
    return table(["CPU, ms a file", *kinds], [*rows, ["**together**", *map(together, kinds)]])


def agreement(report: Report) -> str:
    """What each side counted over all jobs, and whose clock says what."""
    sums: dict[str, dict[str, float]] = {}
    for run in report.runs:
        for what, sides in run.counted.items():
            for side, count in sides.items():
                of = sums.setdefault(what, {})
                of[side] = of.get(side, 0) + count
    heads = list(dict.fromkeys(side for sides in sums.values() for side in sides))
    rows = [[what, *(f"{sides[side]:.0f}" if side in sides else "-" for side in heads)] for what, sides in sums.items()]
    apart = [what for what, sides in sums.items() if len(set(sides.values())) > 1]
    verdict = f"THEY DIFFER: {', '.join(apart)}" if apart else "They agree."
    clocks = table(
        ["seconds of a job, median", "client", "ledger", "Flower's API, first chunk to last"],
        [
            [
                kind,
                *(
                    f"{statistics.median(getattr(run, name) for run in report.runs if run.kind == kind):.2f}"
                    for name in _CLOCKS
                ),
            ]
            for kind in (LOOPS, ONE_SHOTS)
        ],
    )
    return f"{table([f'{len(report.runs)} jobs', *heads], rows)}\n\n{verdict}\n\n{clocks}"


_CLOCKS: Final = ("seconds", "seconds_ledger", "seconds_flower")


def markdown(report: Report) -> str:
    """The page."""
    lines = [*rows_of(report, LOOPS), *rows_of(report, ONE_SHOTS)]
    lines += [
        row("one file alone: request to the start of its chunk", [1000 * s for s in report.to_start_s], "ms", digits=0),
        row("  to its end", [1000 * s for s in report.to_end_s], "ms", digits=0),
        row("a worker joins: process to the first chunk taken", report.cold_ready_s, "s"),
        row("  to its first result", report.cold_first_s, "s", f"< {COLD_WANTED_S:g}"),
        row("memory of a worker with its decoder, shared parts once", report.worker_mb, "MB", digits=0),
    ]
    where = f"{report.machine}, {report.cores} cores, Python {report.python}; {len(report.of(LOOPS, 1))} jobs of each."
    return "\n\n".join((where, table(_HEAD, lines), servers(report), agreement(report)))


def draw(report: Report, folder: Path) -> None:
    """Files a second with one and two workers, and what their CPU would allow: ``cluster-scaling.png`` and ``.svg``."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "samplemind"
    from matplotlib import pyplot as plt

    figure, places = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for place, kind in zip(places, (LOOPS, ONE_SHOTS), strict=True):
        _draw_one(place, report, kind)
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("png", "svg"):
        figure.savefig(
            folder / f"cluster-scaling.{ending}", dpi=110, metadata={"Date": None} if ending == "svg" else None
        )
    plt.close(figure)


def _draw_one(place: Any, report: Report, kind: str) -> None:
    speeds = [[run.files / run.seconds for run in report.of(kind, workers)] for workers in (1, 2)]
    medians = [statistics.median(values) for values in speeds]
    errors = [
        [m - min(v) for m, v in zip(medians, speeds, strict=True)],
        [max(v) - m for m, v in zip(medians, speeds, strict=True)],
    ]
    place.errorbar([1, 2], medians, yerr=errors, marker="o", capsize=4, label="measured, servers on the same cores")
    costs = [statistics.median(run.worker_ms for run in report.of(kind, workers)) for workers in (1, 2)]
    place.plot(
        [1, 2], [n * 1000 / cost for n, cost in zip((1, 2), costs, strict=True)], "--", label="a core for each worker"
    )
    place.set(title=kind, xlabel="workers", ylabel="files a second", xticks=[1, 2])
    place.set_ylim(bottom=0)
    place.legend(fontsize="small", loc="upper left")
