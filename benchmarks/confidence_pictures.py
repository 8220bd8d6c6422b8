"""Pictures of confidence: is it honest, and what is left when only the sure answers are kept. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.scoring import abstention, ece, reliability

Pairs = Mapping[str, Sequence[tuple[float, bool]]]
_THRESHOLDS = tuple(n / 50 for n in range(50))


def _pyplot() -> Any:
    matplotlib = import_module("matplotlib")
    matplotlib.use("Agg")
    # the same figures make the same file
    matplotlib.rcParams.update({"svg.hashsalt": "samplemind", "font.size": 9, "axes.grid": True, "grid.alpha": 0.25})
    return import_module("matplotlib.pyplot")


def draw_reliability(pairs: Pairs, path: Path) -> None:
    """For each confidence: how sure against how often right, with how many answers there are of each."""
    plt = _pyplot()
    shown = {name: found for name, found in pairs.items() if found}
    figure, axes = plt.subplots(1, len(shown), figsize=(2.9 * len(shown), 3.0), sharey=True, squeeze=False)
    for ax, (name, found) in zip(axes[0], shown.items(), strict=True):
        bins = reliability(found)
        most = max(len(part) for _, _, part in bins)
        ax.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--")
        for believed, right, part in bins:
            ax.bar(believed, right, width=0.06, color="#3b6ea5", alpha=0.25 + 0.75 * len(part) / most)
            ax.annotate(str(len(part)), (believed, right), ha="center", va="bottom", fontsize=6)
        ax.set(title=f"{name}: ECE {ece(found):.3f}", xlabel="confidence", xlim=(0, 1.03), ylim=(0, 1.08))
    axes[0][0].set_ylabel("share that is right")
    _write(plt, figure, path)


def draw_abstention(pairs: Pairs, asked: Mapping[str, int], path: Path) -> None:
    """For each kind of answer: how many are kept above a threshold, and how many of them are right."""
    plt = _pyplot()
    shown = {name: found for name, found in pairs.items() if found}
    figure, axes = plt.subplots(1, len(shown), figsize=(2.9 * len(shown), 3.0), sharey=True, squeeze=False)
    for ax, (name, found) in zip(axes[0], shown.items(), strict=True):
        rows = abstention(found, asked[name], _THRESHOLDS)
        answered, right = [row[1] for row in rows], [row[2] for row in rows]
        ax.plot(answered, right, color="#3b6ea5")
        for threshold in (0.0, 0.5, 0.8):
            row = rows[round(threshold * 50)]
            ax.plot(row[1], row[2], "o", color="#a53b3b", markersize=4)
            ax.annotate(f"{threshold:g}", (row[1], row[2]), textcoords="offset points", xytext=(3, 4), fontsize=7)
        ax.set(title=name, xlabel="share answered", xlim=(0, 1.03), ylim=(0.5, 1.01))
    axes[0][0].set_ylabel("share of answers that is right")
    _write(plt, figure, path)


def _write(plt: Any, figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    # trailing blanks are all that matplotlib leaves that a linter minds
    path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").splitlines()) + "\n", "utf-8")
