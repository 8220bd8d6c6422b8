"""The whole analysis, from file to answer: ``python -m benchmarks.pipeline [--json PATH] [--quick]``.

CPU time of one thread, the decoder's process included, kernels compiled; medians and half the interquartile range. Each
file's limit is measured beside it, in turns: decode, mix and one 2048/512 STFT at its own rate. After them
librosa, where it is installed, is asked for the same (load, beat_track, chroma and correlation, six spectral features).
Then a batch of 100 FLAC files on two cores, a cold process with its caches present, and the most memory that a long
file takes.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import optional, table
from config.environment import cap_threads, child_environment, use_kernel_cache

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

WANTED_MS = {
    "one-shot 0.9 s, WAV 16": 2.0,
    "loop 8.4 s, WAV 16": 14.0,
    "30 s, WAV 16": 30 * 1.3,
    "30 s, FLAC": 30 * 2.0,
}
WANTED_RATIO = 3.0
BATCH_FILES, BATCH_CORES, WANTED_BATCH_S = 100, 2, 4.0
WANTED_COLD_S, WANTED_MB = 2.0, 400
SHORT_S, SHORT_REPEATS = 2.0, 8
"""Files as short as this are measured so many times as often: a neighbour on the machine weighs more on them."""


@dataclass(frozen=True)
class Row:
    """One class of file, milliseconds of CPU; a spread is a share."""

    what: str
    seconds: float
    ours_ms: float
    ours_spread: float
    limit_ms: float
    librosa_ms: float | None
    wanted_ms: float | None

    @property
    def ratio(self) -> float:
        """Against decode, mix and one STFT."""
        return self.ours_ms / self.limit_ms

    @property
    def reached(self) -> bool:
        return self.ratio <= WANTED_RATIO and (self.wanted_ms is None or self.ours_ms <= self.wanted_ms)


class Clock:
    """CPU seconds of this process and of its decoder, without those that it takes to ask for them."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def of(self, call: Callable[[], object]) -> float:
        """What a call takes."""
        theirs, mine = self._theirs(), time.process_time()
        call()
        mine = time.process_time() - mine
        return mine + self._theirs() - theirs

    def _theirs(self) -> float:
        clock = Path(f"/proc/{self._decoder.helper_pid}/schedstat")
        return int(clock.read_text().split()[0]) / 1e9 if clock.exists() else 0.0


def in_turns(calls: dict[str, Callable[[], object]], clock: Clock, repeats: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds and spread of each call, one after the other."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for name, call in calls.items():
                taken[name].append(1000 * clock.of(call))
    finally:
        gc.enable()
    return {name: _summary(values) for name, values in taken.items()}


def _summary(values: list[float]) -> tuple[float, float]:
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, (high - low) / 2 / middle


def one_class(what: str, path: Path, decoder: Decoder, repeats: int) -> Row:
    """Measure ours, the limit and librosa on one file."""
    from workers.audio.files import open_regular
    from workers.file import analyze_file
    from workers.kernels.spectrogram import stft_power

    fd = open_regular(path)

    def limit() -> object:
        y = decoder.decode(fd, path.name).y
        mono = 0.5 * (y[:, 0] + y[:, 1]) if y.shape[1] == 2 else y[:, 0].copy()
        return stft_power(mono, n_fft=2048, hop_length=512)

    calls: dict[str, Callable[[], object]] = {"ours": lambda: analyze_file(decoder, fd, "x.wav"), "limit": limit}
    try:
        seconds = decoder.decode(fd, path.name).info.analyzed_s
        found = in_turns(calls, Clock(decoder), repeats if seconds > SHORT_S else SHORT_REPEATS * repeats)
        if optional("librosa") is not None:
            # Not in turns with ours: its 60 ms of other code before each would double what a one-shot takes.
            found |= in_turns({"librosa": lambda: librosa_answers(path)}, Clock(decoder), max(2, repeats // 3))
    finally:
        os.close(fd)
    theirs = found["librosa"][0] if "librosa" in found else None
    return Row(what, seconds, *found["ours"], found["limit"][0], theirs, WANTED_MS.get(what))


def librosa_answers(path: Path) -> object:
    """What a script of librosa's does for tempo, key and timbre."""
    librosa: Any = optional("librosa")
    warnings.filterwarnings("ignore", message="n_fft=.* is too large")  # what it says of every one-shot
    y, sr = librosa.load(path)
    tempo, beats = librosa.beat.beat_track(y=y, sr=sr)
    chroma = librosa.feature.chroma_cqt(y=y, sr=sr).mean(axis=1)
    S = abs(librosa.stft(y))
    names = ("centroid", "bandwidth", "rolloff", "flatness", "contrast")
    features = [getattr(librosa.feature, f"spectral_{name}")(S=S) for name in names]
    return tempo, beats, chroma, features, librosa.feature.mfcc(y=y, sr=sr)


def batch(flac: Path, folder: Path) -> dict[str, float]:
    """Seconds for a hundred FLAC files through `BatchAudioProcessor`; the second time, its processes are there."""
    from workers.batch import BatchAudioProcessor

    paths = [folder / f"batch{i:03}.flac" for i in range(BATCH_FILES)]
    for path in paths:
        shutil.copyfile(flac, path)
    processor = BatchAudioProcessor(n_jobs=BATCH_CORES)
    found = {}
    for name in ("first", "again"):
        began = time.perf_counter()
        rows = processor.process_batch([str(path) for path in paths])
        found[name] = time.perf_counter() - began
        assert all(row["status"] == "done" for row in rows)
    return found


def cold(path: Path, repeats: int) -> dict[str, float]:
    """Seconds from the start of a process to its first line, caches present: of CPU with its children, and of clock."""
    command = [sys.executable, "-m", "cli", "analyze", str(path)]
    spent, waited = [], []
    for _ in range(repeats + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, env=child_environment(), check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        waited.append(time.perf_counter() - began)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"cpu_s": statistics.median(spent[1:]), "wall_s": statistics.median(waited[1:])}


MOST_MEMORY = """
import sys
from pathlib import Path
from config.settings import DecodeSettings
from workers.audio.decode import Decoder
from workers.file import analyze_path
with Decoder(DecodeSettings()) as decoder:
    assert analyze_path(decoder, sys.argv[1])["status"] == "done"
    for process in ("self", decoder.helper_pid):
        status = Path(f"/proc/{process}/status").read_text().splitlines()
        print(next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")))
"""
"""Of these processes alone: what ``getrusage`` says of a child counts its parent's memory at the fork, too."""


def most_memory(path: Path) -> dict[str, float]:
    """Most megabytes that were resident in a worker and in its decoder while they analysed a long file."""
    command = [sys.executable, "-c", MOST_MEMORY, str(path)]
    run = subprocess.run(command, env=child_environment(), check=True, capture_output=True, text=True)
    worker, decoder = map(float, run.stdout.split())
    return {"worker_mb": worker, "decoder_mb": decoder}


def shown(row: Row) -> list[str]:
    """The row as cells of the table."""
    theirs = "-" if row.librosa_ms is None else f"{row.librosa_ms:.0f} ({row.librosa_ms / row.ours_ms:.0f}x)"
    return [
        row.what,
        f"{row.ours_ms:.2f} ± {100 * row.ours_spread:.0f} %",
        f"{row.ours_ms / row.seconds:.2f}",
        "-" if row.wanted_ms is None else f"{row.wanted_ms:g}",
        f"{row.limit_ms:.2f}",
        f"{row.ratio:.2f}x",
        theirs,
        "reached" if row.reached else "NOT REACHED",
    ]


def as_markdown(report: dict[str, Any], rows: list[Row]) -> str:
    """The report as a page."""
    head = ["file", "ours, ms", "ms a second", "wanted, ms", "decode + mix + STFT", "ratio (3.0)", "librosa, ms", ""]
    lines = [table(head, [shown(row) for row in rows]), ""]
    if "batch" in report:
        first, again = report["batch"]["first"], report["batch"]["again"]
        lines.append(
            f"{BATCH_FILES} FLAC files of 30 s on {BATCH_CORES} cores: {again:.2f} s, {first:.2f} s with the start of "
            f"the processes (wanted {WANTED_BATCH_S:g})"
        )
        lines.append(
            f"cold process to first line: {report['cold']['cpu_s']:.2f} s of CPU, {report['cold']['wall_s']:.2f} s of "
            f"clock (wanted {WANTED_COLD_S:g})"
        )
        lines.append(
            f"an hour of stereo: worker {report['memory']['worker_mb']:.0f} MB, decoder "
            f"{report['memory']['decoder_mb']:.0f} MB, of which they share what is decoded (wanted {WANTED_MB})"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the results here")
    parser.add_argument("--quick", action="store_true", help="the files only: no batch, no cold start, no hour")
    parser.add_argument("--repeats", type=int, default=15, help="samples of each, 2 or more")
    options = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    from benchmarks.pipeline_material import make
    from config.settings import DecodeSettings
    from workers.audio.decode import Decoder
    from workers.kernels import warm

    warm()
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as name, Decoder(DecodeSettings()) as decoder:
        files = make(Path(name))
        hour = files.pop("an hour, WAV 16")
        rows = [one_class(what, path, decoder, max(2, options.repeats)) for what, path in files.items()]
        report: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        report["rows"] = [{**asdict(row), "ratio": row.ratio, "reached": row.reached} for row in rows]
        if not options.quick:
            report["batch"] = batch(files["30 s, FLAC"], Path(name))
            report["cold"] = cold(files["one-shot 0.9 s, WAV 16"], 5)
            report["memory"] = most_memory(hour)
    print(as_markdown(report, rows))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
