"""One file on this core: opened, hashed, decoded, analysed, and said as one JSON object."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128, xxh3_128_hexdigest

from config.logging import get_logger
from workers.analysis import analyze
from workers.analysis.long.sound import LongSound
from workers.analysis.long.windows import WINDOW_S
from workers.audio.files import content_hash, open_regular, unchanged
from workers.errors import AnalysisFailed, ChangedWhileReading, DecoderCrashed, FileError, Left, OutOfMemory, StoreError
from workers.model import ANALYZER_VERSION, Analysis, sample_id
from workers.naming import named, spelled

if TYPE_CHECKING:
    from workers.audio.decode import Decoded, Decoder

log = get_logger(__name__)


Alive = Callable[[float, float], object]
"""Told now and then while a long file is analysed: seconds that have gone by, and seconds of the whole, if known."""


def _unheard(done_s: float, whole_s: float) -> None:
    pass


def analyze_file(decoder: Decoder, fd: int, name: str, alive: Alive = _unheard) -> Analysis:
    """Decode and analyse an open file.

    Parameters
    ----------
    decoder : Decoder
        This process's own.
    fd : int
        The file, open for reading at offset 0; stays open.
    name : str
        Its name without folders: evidence for tempo, key and note.
    alive : callable
        Told how far a long file is. What it raises as a `Left` or a `StoreError` ends the analysis.

    Raises
    ------
    FileError
        Why it could not be; `OutOfMemory` and `AnalysisFailed` among them, so that no file ends a worker.
    """
    try:
        return _analysis(decoder, fd, name, alive, again=True)
    except (FileError, Left, StoreError):
        raise
    except MemoryError as error:
        raise OutOfMemory from error
    except Exception as error:
        log.exception("analysis_failed", file=name)
        raise AnalysisFailed(type(error).__name__) from error


def _analysis(decoder: Decoder, fd: int, name: str, alive: Alive, *, again: bool) -> Analysis:
    decoded = decoder.decode(fd, name)
    if decoded.whole:
        found = analyze(
            decoded.y, decoded.info, decoded.hints, bad_samples=decoded.bad_samples, truncated=decoded.truncated
        )
        return _hashed(found, xxh3_128_hexdigest(decoded.y.data))
    try:
        return _passing(decoder, decoded, alive)
    except DecoderCrashed:
        if not (again and decoder.was_killed):
            raise
    log.warning("decoder_helper_killed", file=name)  # which says nothing of the file: once more, from its start
    os.lseek(fd, 0, os.SEEK_SET)
    return _analysis(decoder, fd, name, alive, again=False)


def _passing(decoder: Decoder, decoded: Decoded, alive: Alive) -> Analysis:
    """Analyse a file that is longer than what is held of one, block by block."""
    sound = LongSound(decoded.info, decoded.hints, min(WINDOW_S, decoder.settings.max_analyzed_s))
    left = sound.take(decoded.y, last=False)
    truncated, bad_samples, last = decoded.truncated, decoded.bad_samples, False
    digest = xxh3_128(decoded.y.data)
    most = decoder.settings.max_streamed_s * decoded.info.sample_rate_hz
    while not last:
        alive(sound.seconds, decoded.info.duration_s)
        block = decoder.go_on(left)
        truncated, bad_samples = truncated or block.truncated, bad_samples + block.bad_samples
        last = block.last or sound.frames + len(block.y) >= most
        digest.update(block.y[len(block.y) - block.frames :].data)
        left = sound.take(block.y, last=last)
    found = sound.say(ended=block.last, bad_samples=bad_samples, truncated=truncated)
    return _hashed(found, digest.hexdigest() if block.last else None)


def _hashed(found: Analysis, pcm_xxh128: str | None) -> Analysis:
    return replace(found, audio=replace(found.audio, pcm_xxh128=pcm_xxh128))


def analyze_path(decoder: Decoder, path: str | os.PathLike[str], alive: Alive = _unheard) -> dict[str, Any]:
    """Analyse the file at `path`: the object that `describe` makes, whatever happens to the file. Never raises."""
    place = os.fspath(path)
    try:
        fd = open_regular(place)
    except FileError as error:
        return describe(place, error)
    try:
        before = os.fstat(fd)
        known = sample_id(content_hash(fd))
        analysis = analyze_file(decoder, fd, os.path.basename(place), alive)
        if not unchanged(fd, before):
            raise ChangedWhileReading
    except FileError as error:
        return describe(place, error)
    finally:
        os.close(fd)
    return describe(place, analysis, known)


def describe(path: str, said: Analysis | FileError, known_as: str | None = None) -> dict[str, Any]:
    """The JSON object of one file: fields and their order are fixed for other people's tools.

    A name that is not UTF-8 is shown with ``\\xNN`` for its odd bytes, and `path_b64` has the bytes themselves.
    """
    raw = os.fsencode(path)
    text, bytes_of_it = named(raw)
    row: dict[str, Any] = {"path": text, **spelled(bytes_of_it)}
    if isinstance(said, FileError):
        return {**row, "status": "failed", "reason": {"code": said.code, "message": said.message}}
    return {
        **row,
        "status": "done",
        "sample_id": known_as,
        "analyzer": ANALYZER_VERSION,
        **finite(said.to_dict()),
    }


def finite(value: Any) -> Any:
    """`value` with ``None`` for every number that JSON has no word for, and tuples as lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return value
