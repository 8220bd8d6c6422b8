"""Where the time of one one-shot goes, stage by stage: ``python -m benchmarks.stages [--repeats N]``.

Each stage's function is watched from outside while files are analysed, and each kernel within it: what is left of a
stage is Python, numpy and the way into compiled code. Medians over files; the decoder's process by its own clock.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.measure import table
from config.environment import cap_threads, use_kernel_cache

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

STAGES = {
    "header and name": ("audio.decode:probe", "audio.decode:read_hints"),
    "asking the decoder": ("audio.decode:Decoder._ask",),
    "walk over the waveform: levels, peaks, mix, defects": (
        "analysis:survey",
        "analysis:to_mono",
        "analysis.loudness:measure",
        "analysis.defects:find_defects",
    ),
    "spectra, 2048 and 1024": ("analysis.overview:analyze_spectra",),
    "onsets and periods": ("analysis.overview:find_onsets", "analysis.overview:measure_periodicity"),
    "chroma": ("analysis.overview:measure_chroma",),
    "envelope": (
        "analysis.overview:amplitude_envelope",
        "analysis.overview:describe_shape",
        "analysis.overview:describe_course",
    ),
    "note": ("analysis.pitch:estimate_pitch",),
    "kind, pulse, tonality, class": (
        "analysis.kind:describe",
        "analysis:_tempo_and_kind",
        "analysis:_key",
        "analysis:_instrument",
    ),
    "vector": ("analysis.embedding:embed",),
    "pictures": ("analysis.preview:draw",),
}
"""What is watched: ``module:function`` below `workers`. A stage within another counts for the outer one."""

REST, HELPER = "between them: names, roundings, the answer's objects", "the decoder's process"


class Watch:
    """Nanoseconds of each stage of one file, and those of them in kernels."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self.compiled: Counter[str] = Counter()
        self._inside: str | None = None

    def stage(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its time counted for a stage."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            if self._inside is not None:
                return function(*args, **kwargs)
            self._inside, began = name, time.thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[name] += time.thread_time_ns() - began
                self._inside = None

        return watched

    def kernel(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A kernel, its time counted for the stage it is called in."""

        def watched(*args: Any) -> Any:
            began = time.perf_counter_ns()  # the processor's clock takes as long to ask as a small kernel to run
            try:
                return function(*args)
            finally:
                self.compiled[self._inside or REST] += time.perf_counter_ns() - began

        return watched

    def take(self) -> tuple[Counter[str], Counter[str]]:
        """What was counted since the last time."""
        taken = self.spent, self.compiled
        self.spent, self.compiled = Counter(), Counter()
        return taken


def found(place: str) -> tuple[Any, str]:
    """The module or class that holds the function at a place of `STAGES`, and its name there."""
    module, _, path = place.partition(":")
    owner: Any = import_module(f"workers.{module}")
    *outer, last = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    return owner, last


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let every stage and every kernel be watched. All kernels must have been called once: none is compiled now."""
    from workers.kernels.compiled import kernels

    compiled = {id(kernel) for kernel in kernels}
    with ExitStack() as patches:
        for name, places in STAGES.items():
            for place in places:
                owner, last = found(place)
                patches.enter_context(patch.object(owner, last, watch.stage(name, getattr(owner, last))))
        for home in [home for name, home in sys.modules.items() if name.startswith("workers.kernels.")]:
            for attribute, value in list(vars(home).items()):
                if id(value) in compiled:
                    patches.enter_context(patch.object(home, attribute, watch.kernel(value)))
        yield


def measure(decoder: Decoder, path: Path, repeats: int) -> dict[str, tuple[float, float]]:
    """Microseconds of each stage of the file, and those of them in kernels; medians of `repeats`."""
    from workers.audio.files import open_regular
    from workers.file import analyze_file

    fd, watch = open_regular(path), Watch()
    runs: list[tuple[Counter[str], Counter[str]]] = []
    try:
        for _ in range(10):
            analyze_file(decoder, fd, path.name)
        clock = Path(f"/proc/{decoder.helper_pid}/schedstat")
        before = _helper_ns(clock)
        with watched(watch):
            gc.collect()
            gc.disable()
            for _ in range(repeats):
                began = time.thread_time_ns()
                analyze_file(decoder, fd, path.name)
                whole = time.thread_time_ns() - began
                spent, compiled = watch.take()
                spent[REST] = whole - spent.total()
                runs.append((spent, compiled))
        helper = (_helper_ns(clock) - before) / repeats / 1000
    finally:
        gc.enable()
        os.close(fd)
    medians = {
        name: (_median(run[0][name] for run in runs), _median(run[1][name] for run in runs)) for name in (*STAGES, REST)
    }
    return {**medians, HELPER: (helper, 0.0)}


def _helper_ns(clock: Path) -> int:
    return int(clock.read_text().split()[0]) if clock.exists() else 0


def _median(nanoseconds: Iterator[int]) -> float:
    return statistics.median(nanoseconds) / 1000


def beside(decoder: Decoder, path: Path, repeats: int) -> dict[str, float]:
    """Microseconds of what comes before and behind the analysis of a file: its hash, and its answer as JSON."""
    from workers.audio.files import content_hash, open_regular
    from workers.file import analyze_file, describe

    fd = open_regular(path)
    try:
        analysis = analyze_file(decoder, fd, path.name)
        calls: dict[str, Callable[[], object]] = {
            "content hash": lambda: content_hash(fd),
            "the answer as JSON": lambda: json.dumps(describe("x", analysis, "x")),
        }
        return {name: _median(_timed(call) for _ in range(repeats)) for name, call in calls.items()}
    finally:
        os.close(fd)


def _timed(call: Callable[[], object]) -> int:
    began = time.thread_time_ns()
    call()
    return time.thread_time_ns() - began


def as_markdown(what: str, measured: dict[str, tuple[float, float]], others: dict[str, float]) -> str:
    """The table of one file."""
    whole = sum(spent for spent, _ in measured.values())
    rows = [
        [name, f"{spent:.0f}", f"{compiled:.0f}", f"{spent - compiled:.0f}", f"{100 * spent / whole:.0f} %"]
        for name, (spent, compiled) in measured.items()
    ]
    compiled = sum(compiled for _, compiled in measured.values())
    rows.append(["**together**", f"{whole:.0f}", f"{compiled:.0f}", f"{whole - compiled:.0f}", "100 %"])
    rows += [[f"beside it: {name}", f"{spent:.0f}", "", "", ""] for name, spent in others.items()]
    return table([f"{what}: stage", "µs", "in kernels", "else", "share"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="files of each kind")
    options = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    from benchmarks.pipeline_material import short_ones
    from config.settings import DecodeSettings
    from workers.audio.decode import Decoder
    from workers.kernels import warm

    warm()
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as folder, Decoder(DecodeSettings()) as decoder:
        for what, path in short_ones(Path(folder)).items():
            measured = measure(decoder, path, options.repeats)
            print(as_markdown(what, measured, beside(decoder, path, options.repeats)), end="\n\n")


if __name__ == "__main__":
    main()
