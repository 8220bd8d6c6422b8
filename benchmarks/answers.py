"""Who is asked what a file is, and what was answered: from this analyser, from a peer, or from an earlier run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.labels import Labelled
from benchmarks.scoring import Answer, Said

if TYPE_CHECKING:
    from workers.model import Analysis


def ask_us(labels: Sequence[Labelled], *, names: bool = False) -> list[Answer]:
    """Analyse every file, one after the other, on this core; the first twice, so that nothing is compiled in between.

    File names are hidden unless `names`: with them a loop that says its tempo would be no test.
    """
    # only here: a peer is asked in an environment that has none of this
    from config.environment import cap_threads, use_kernel_cache

    cap_threads()
    use_kernel_cache()
    from config.settings import get_settings
    from workers.audio.decode import Decoder
    from workers.audio.files import open_regular
    from workers.errors import FileError
    from workers.file import analyze_file
    from workers.kernels import warm

    warm()
    answers = []
    with Decoder(get_settings().decode) as decoder:
        for label in [*labels[:1], *labels]:
            fd = open_regular(label.path)
            with open(fd, "rb"):
                begin = time.process_time()
                try:
                    said = analyze_file(decoder, fd, label.path.name if names else "hidden")
                except FileError as error:
                    raise SystemExit(f"{label.path}: {error}") from error
                answers.append(Answer(label, _said(label, said, time.process_time() - begin)))
    return answers[1:]


def _said(label: Labelled, a: Analysis, cpu_s: float) -> Said:
    named = None if a.instrument.label in (None, "unknown") else a.instrument.label
    return Said(
        path=str(label.path),
        bpm=a.tempo.bpm,
        tempo_confidence=a.tempo.confidence,
        key=a.key.label,
        key_confidence=a.key.confidence,
        note_midi=a.pitch.midi,
        note_confidence=a.pitch.confidence,
        kind=a.kind.label,
        kind_confidence=a.kind.confidence,
        sound="perc" if named == "percussion" else named,
        sound_confidence=a.instrument.confidence,
        audio_s=a.audio.analyzed_s,
        cpu_s=cpu_s,
    )


def ask_peer(name: str, labels: Sequence[Labelled]) -> list[Answer]:
    """Ask another analyser, the first file twice."""
    from benchmarks.peers import peer

    ask = peer(name)
    return [Answer(label, ask(label.path)) for label in [*labels[:1], *labels]][1:]


def save(path: Path, answers: Iterable[Answer]) -> None:
    """One line of JSON for each answer."""
    lines = [json.dumps(answer.said.to_dict()) for answer in answers]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def load(path: Path, labels: Sequence[Labelled]) -> list[Answer]:
    """The answers of an earlier run to those of these files that it was asked."""
    lines = path.read_text("utf-8").splitlines()
    said = {answer.path: answer for answer in (Said(**json.loads(line)) for line in lines)}
    return [Answer(label, said[str(label.path)]) for label in labels if str(label.path) in said]
