"""What the worker and its decoder helper say to each other: one JSON object a line, and a descriptor beside it.

The helper says ``{"ready": {...}}`` once, with the measures of its confinement that hold. Then, for each file, the
worker sends the descriptor with what its header says and the limits; the helper answers ``{"done": {...}}``,
``{"failed": code, "detail": ...}`` or, if it has to die of a bug, ``{"bug": traceback}``. Of a file
longer than the memory it answers one block; ``{"more": kept}`` asks for the next, behind so many samples.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from workers.audio.layout import Pcm, Probe
from workers.audio.outcome import Limits, Outcome
from workers.audio.sandbox import Confinement
from workers.errors import DecodeFailed, FileError

USUAL = 1 << 12
"""Hardly a message is longer, in bytes: room for so much is made each time, and for the rest when it comes."""

_BY_CODE: dict[str, type[FileError]] = {error.code: error for error in FileError.__subclasses__()}


def request(probe: Probe, limits: Limits) -> bytes:
    """The worker's line for one file."""
    said = {
        "container": probe.container,
        "subtype": probe.subtype,
        "sample_rate_hz": probe.sample_rate_hz,
        "channels": probe.channels,
        "frames": probe.frames,
        "decoding": probe.decoding,
        "demuxer": probe.demuxer,
        "pcm": probe.pcm.plain() if probe.pcm else None,
        "truncated": probe.truncated,
    }
    return json.dumps({"probe": said, "seconds": limits.seconds, "bytes": limits.bytes}).encode() + b"\n"


def more(kept: int) -> bytes:
    """The worker's line for the next block: the first `kept` samples in memory stay."""
    return json.dumps({"more": kept}).encode() + b"\n"


def read_more(line: bytes) -> int:
    """The same, read by the helper."""
    kept: int = json.loads(line)["more"]
    return kept


def read_request(line: bytes) -> tuple[Probe, Limits]:
    """The same, read by the helper."""
    said = json.loads(line)
    header: dict[str, Any] = said["probe"]
    if header["pcm"]:
        header["pcm"] = Pcm(**header["pcm"])
    return Probe(**header), Limits(said["seconds"], said["bytes"])


def done(outcome: Outcome) -> bytes:
    """The helper's line for a block that was decoded."""
    return json.dumps({"done": outcome.plain()}).encode() + b"\n"


def failed(error: FileError) -> bytes:
    """The helper's line for a file that could not be."""
    return json.dumps({"failed": error.code, "detail": error.detail[:500]}).encode() + b"\n"


def bug(traceback: str) -> bytes:
    """The helper's last line."""
    return json.dumps({"bug": traceback[-8000:]}).encode() + b"\n"


def ready(held: Confinement) -> bytes:
    """The helper's first line."""
    return json.dumps({"ready": asdict(held)}).encode() + b"\n"


def read_ready(said: dict[str, Any]) -> Confinement:
    """The same, read by the worker."""
    return Confinement(**said["ready"])


def read_failure(said: dict[str, Any]) -> FileError:
    """The error the helper named."""
    return _BY_CODE.get(said["failed"], DecodeFailed)(said["detail"])
