"""Files of any length: ``python -m benchmarks.long_files [--hours 1 ...] [--formats WAV FLAC MP3] [--json PATH]``.

Writes one piece of music of each length and format, analyses it in a process of its own, and prints CPU time for each
second of audio (decoder included, kernels compiled), the most memory that was resident in worker and decoder, and what
was found. Both processes' figures count what they share; the memory of the two together is counted once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import soundfile

from benchmarks.measure import table
from config.environment import child_environment

WANTED_MB, WANTED_TOGETHER_MB = 400, 500
GROWTH = 1.3
"""A second of the longest file may cost so much more than one of the shortest."""

MEASURED = """
import json, sys, time
from pathlib import Path
from config.settings import DecodeSettings
from workers.audio.decode import Decoder
from workers.file import analyze_path
from workers.kernels import warm
def kept(process, file, name):
    lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))
def spent():
    return time.process_time() + int(Path(f"/proc/{decoder.helper_pid}/schedstat").read_text().split()[0]) / 1e9
together = [0.0]
def alive(done_s, whole_s):
    together.append(sum(kept(process, "smaps_rollup", "Pss:") for process in ("self", decoder.helper_pid)))
warm()
with Decoder(DecodeSettings()) as decoder:
    decoder.start()
    began, at = spent(), time.perf_counter()
    row = analyze_path(decoder, sys.argv[1], alive)
    assert row["status"] == "done", row
    audio = row["audio"]
    print(json.dumps({"cpu_s": spent() - began, "wall_s": time.perf_counter() - at, "seconds": audio["duration_s"],
        "worker_mb": kept("self", "status", "VmHWM"), "decoder_mb": kept(decoder.helper_pid, "status", "VmHWM"),
        "together_mb": max(together), "bpm": row["tempo"]["bpm"], "key": row["key"]["label"],
        "windows": len(audio["analyzed"]["windows"])}))
"""


@dataclass(frozen=True)
class Row:
    """One file: seconds, megabytes, and what was found."""

    format: str
    seconds: float
    cpu_s: float
    wall_s: float
    worker_mb: float
    decoder_mb: float
    together_mb: float
    windows: int
    bpm: float | None
    key: str | None

    @property
    def ms_a_second(self) -> float:
        """Milliseconds of CPU for a second of audio."""
        return 1000 * self.cpu_s / self.seconds

    @property
    def small(self) -> bool:
        """Whether it took no more memory than a file may."""
        return max(self.worker_mb, self.decoder_mb) <= WANTED_MB and self.together_mb <= WANTED_TOGETHER_MB


def write(path: Path, kind: str, hours: float) -> None:
    """Write so much music: a minute of it, again and again."""
    from benchmarks.pipeline_material import music
    from cli.synth.dsp import SR

    minute = music(60.0)
    container = "RF64" if kind == "WAV" and hours > 6 else kind
    subtype = None if kind == "MP3" else "PCM_16"
    with soundfile.SoundFile(path, "w", SR, 2, subtype, format=container) as file:
        for _ in range(round(60 * hours)):
            file.write(minute)


def measure(path: Path, kind: str) -> Row:
    """Analyse a file in a process of its own."""
    command = [sys.executable, "-c", MEASURED, str(path)]
    run = subprocess.run(command, env=child_environment(), check=True, capture_output=True, text=True)
    return Row(format=kind, **json.loads(run.stdout))


def in_proportion(rows: list[Row]) -> bool:
    """Whether a second of the longest file of each format costs what one of the shortest does."""
    by_format = {
        row.format: sorted((r for r in rows if r.format == row.format), key=lambda r: r.seconds) for row in rows
    }
    return all(of[-1].ms_a_second <= GROWTH * of[0].ms_a_second for of in by_format.values())


def as_markdown(rows: list[Row]) -> str:
    """The report."""
    head = ["file", "CPU, s", "ms a second", "worker, MB", "decoder, MB", "together, MB", "windows", "found", ""]
    lines = [
        [
            f"{row.format}, {row.seconds / 3600:g} h",
            f"{row.cpu_s:.1f}",
            f"{row.ms_a_second:.2f}",
            f"{row.worker_mb:.0f}",
            f"{row.decoder_mb:.0f}",
            f"{row.together_mb:.0f}",
            str(row.windows),
            f"{row.bpm or 'no tempo'}, {row.key or 'no key'}",
            "reached" if row.small else "NOT REACHED",
        ]
        for row in rows
    ]
    grown = "in proportion to the length" if in_proportion(rows) else "NOT IN PROPORTION to the length"
    wanted = f"wanted: {WANTED_MB} MB for either process, {WANTED_TOGETHER_MB} for both, for any length"
    return f"{table(head, lines)}\n\nCPU time is {grown}; {wanted}"


def main() -> None:
    """Write, measure, print, and keep if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_files", description=__doc__)
    parser.add_argument("--hours", type=float, nargs="+", default=[0.1, 1.0], help="lengths")
    parser.add_argument("--formats", nargs="+", choices=("WAV", "FLAC", "MP3"), default=["WAV", "FLAC", "MP3"])
    parser.add_argument("--json", type=Path, help="also write the results here")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as folder:
        for kind in options.formats:
            for hours in sorted(options.hours):
                path = Path(folder) / f"long.{kind.lower()}"
                write(path, kind, hours)
                rows.append(measure(path, kind))
                print(f"{kind}, {hours:g} h: {rows[-1].cpu_s:.1f} s of CPU", file=sys.stderr, flush=True)
                path.unlink()
    print(as_markdown(rows))
    if options.json:
        report = [{**asdict(row), "ms_a_second": row.ms_a_second, "small": row.small} for row in rows]
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
