"""Row B1: mean, standard deviation, least and most of a file's time and a batch's: ``python -m benchmarks.backend``.

Clock time of what a caller waits for, the decoder's process included and kernels compiled; a quiet machine is needed.
Key, tempo and the spectrum's descriptors come out of one pass, so the time of a file is that of all of them, and is
held against the least that was hoped for any. CPU time and its limit: ``python -m benchmarks.pipeline``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import table
from benchmarks.pipeline import BATCH_CORES, BATCH_FILES, batch
from config.environment import cap_threads, use_kernel_cache

KEY_S, TEMPO_S, BATCH_S = 0.5, 1.0, 30.0
"""What the row asks for: a key, a tempo, a batch of 100."""


@dataclass(frozen=True)
class Waited:
    """How long a caller waited, in seconds, over some runs."""

    what: str
    runs: int
    mean: float
    std: float
    min: float
    max: float
    wanted: float

    @property
    def reached(self) -> bool:
        """Whether even the longest wait was short enough."""
        return self.max < self.wanted


def waited(what: str, taken: list[float], wanted: float) -> Waited:
    """The figures of two runs or more."""
    mean, std = statistics.fmean(taken), statistics.stdev(taken)
    return Waited(what, len(taken), mean, std, min(taken), max(taken), wanted)


def again(call: Callable[[], object], runs: int) -> list[float]:
    """Seconds of each run; a first one is not counted."""
    call()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return taken


def shown(found: list[Waited]) -> str:
    """The figures as a table, in milliseconds."""
    head = ["what", "runs", "mean, ms", "std", "min", "max", "wanted, ms", ""]
    rows = [
        [each.what, str(each.runs)]
        + [f"{1000 * figure:.1f}" for figure in (each.mean, each.std, each.min, each.max)]
        + [f"{1000 * each.wanted:g}", "reached" if each.reached else "NOT REACHED"]
        for each in found
    ]
    return table(head, rows)


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backend", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the results here")
    parser.add_argument("--runs", type=int, default=20, help="of each file, 2 or more")
    parser.add_argument("--batches", type=int, default=3, help="of 100 files, 2 or more")
    options = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    from benchmarks.pipeline_material import usual_ones
    from config.settings import DecodeSettings
    from workers.audio.decode import Decoder
    from workers.file import analyze_path
    from workers.kernels import warm

    warm()
    found: list[Waited] = []
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as name:
        files = usual_ones(Path(name))
        with Decoder(DecodeSettings()) as decoder:
            for what, path in files.items():
                taken = again(partial(analyze_path, decoder, str(path)), max(2, options.runs))
                found.append(waited(f"key, tempo and all else of {what}", taken, min(KEY_S, TEMPO_S)))
        batches = [batch(files["30 s, FLAC"], Path(name))["again"] for _ in range(max(2, options.batches))]
        found.append(waited(f"{BATCH_FILES} FLAC files of 30 s in {BATCH_CORES} processes", batches, BATCH_S))
    print(shown(found))
    if options.json:
        report: dict[str, Any] = {"cores": os.cpu_count(), "rows": [asdict(each) for each in found]}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
