"""What an analysis says. Frozen, without I/O, without numpy: the gateway reads it too.

Unknown is ``None`` with a ``reason``, never a default that pretends. Shapes here are what
``GET /v1/samples/{id}`` and ``samplemind analyze`` print; field order is the order printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ANALYZER_VERSION = "1.5.0"
"""Changes when any number an analysis prints may change: samples are keyed by it."""

VECTOR_VERSION = 2
"""Changes when the meaning of any dimension of the vector changes."""

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

ASPECTS: Mapping[str, tuple[int, int]] = {
    "timbre": (0, 40),
    "pitch": (40, 64),
    "rhythm": (64, 88),
    "dynamics": (88, 104),
    "spectrum": (104, 128),
}
"""Each aspect's half-open range of dimensions in the vector."""

VECTOR_DIMENSIONS = 128

KindLabel = Literal["one-shot", "loop", "track", "long recording", "silence"]
InstrumentLabel = Literal[
    "kick",
    "snare",
    "clap",
    "hat",
    "cymbal",
    "tom",
    "percussion",
    "bass",
    "lead",
    "chord",
    "pad",
    "fx",
    "vocal",
    "unknown",
]
Mode = Literal["major", "minor"]
DefectCode = Literal[
    "clipping",
    "dc_offset",
    "silent_head",
    "silent_tail",
    "phase_cancelling",
    "click_at_seam",
    "non_finite_samples",
    "truncated",
    "padded_bits",
    "upsampled",
]
Policy = Literal["whole", "windows"]


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the container says and what was decoded."""

    duration_s: float
    sample_rate_hz: int
    channels: int
    container: str
    subtype: str
    frames: int
    analyzed_s: float
    """Seconds that were listened to, from the start: less than `duration_s` where a file is longer than may be."""
    analyzed: Analyzed = field(default_factory=lambda: Analyzed("whole", ()))
    pcm_xxh128: str | None = None
    """XXH3 of 128 bits over all its decoded samples: interleaved float32, little endian. The same in a WAV and in a
    FLAC made of it, and before and after its tags were written; ``None`` where not all of it was decoded."""


@dataclass(frozen=True, slots=True)
class Analyzed:
    """How the file was listened to."""

    policy: Policy
    """``windows``: levels, envelope, spectrum, timbre and defects are of the whole, tempo and key of the windows."""
    windows: tuple[tuple[float, float], ...]
    """Start and end of each, in seconds; one from start to end where the policy is ``whole``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One-shot, loop, track, long recording or silence."""

    label: KindLabel
    confidence: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source says of the tempo, and its weight among all (0 to 1)."""

    source: str
    bpm: float
    weight: float


@dataclass(frozen=True, slots=True)
class Tempo:
    """Beats a minute, or ``None`` with the reason."""

    bpm: float | None
    confidence: float
    beats: int | None
    evidence: tuple[Evidence, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class KeyEvidence:
    """What one source says of the key, and its weight among all (0 to 1)."""

    source: str
    key: str
    """``C minor``, or a tonic alone where the source names no mode."""
    weight: float


@dataclass(frozen=True, slots=True)
class Key:
    """Tonic and mode, or ``None`` with the reason."""

    tonic: str | None
    mode: Mode | None
    label: str | None
    camelot: str | None
    confidence: float
    tuning_cents: float | None
    reason: str | None
    open_key: str | None = None
    """As Traktor writes it: ``C minor`` is ``10m``, ``C major`` is ``1d``."""
    runner_up: str | None = None
    """The likeliest of the other 23 keys, as in `label`."""
    margin: float | None = None
    """How much likelier the key is than the runner-up, as a difference of probabilities."""
    evidence: tuple[KeyEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Pitch:
    """The root note of a sound with one pitch, or ``None`` with the reason."""

    note: str | None
    """Scientific name with octave, ``A4`` = 440 Hz."""
    midi: int | None
    hz: float | None
    cents: float | None
    """Distance from the note's tempered frequency."""
    confidence: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a one-shot is, ``unknown`` where it could be several things, or ``None`` with the reason."""

    label: InstrumentLabel | None
    confidence: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Loudness:
    """Levels; ``None`` for digital silence or, for the integrated one, for what is too short to be gated."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    rms_dbfs: float | None
    crest_db: float | None


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong with the file: what, where, how much, in words."""

    code: DefectCode
    message: str
    at_s: float | None = None
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """Small pictures kept beside the analysis, so that the gateway needs no decoder."""

    peaks: bytes
    """Waveform: PEAKS pairs of signed 8-bit (lowest, highest), in time order."""
    mel: bytes
    """Spectrogram: MEL_ROWS x MEL_COLUMNS unsigned 8-bit, rows from low to high, 0 = -80 dB below the loudest."""


PEAKS = 256
MEL_ROWS = 48
MEL_COLUMNS = 128

Descriptors = Mapping[str, float | int | tuple[float, ...] | None]
"""Named numbers; the unit is in the name (``centroid_hz``)."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that is said of one content."""

    audio: AudioInfo
    kind: Kind
    tempo: Tempo
    key: Key
    pitch: Pitch
    loudness: Loudness
    spectrum: Descriptors
    envelope: Descriptors
    rhythm: Descriptors
    timbre: Descriptors
    defects: tuple[Defect, ...]
    vector: bytes = field(repr=False)
    """VECTOR_DIMENSIONS little-endian float32, or empty where the sound is silent."""
    preview: Preview = field(repr=False)
    instrument: Instrument = Instrument(None, 0.0, "not looked at")

    def to_dict(self) -> dict[str, Any]:
        """Everything but the vector and the preview, as plain JSON types."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__ if name not in ("vector", "preview")}


_ATOMS = frozenset((float, int, str, bool, type(None)))


def _plain(value: Any) -> Any:
    """As `dataclasses.asdict`, which takes five times as long: it copies each number, too."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is tuple:
        return tuple([_plain(inner) for inner in value])
    if kind is dict:
        return {name: _plain(inner) for name, inner in value.items()}
    names = getattr(kind, "__dataclass_fields__", None)
    return value if names is None else {name: _plain(getattr(value, name)) for name in names}


def sample_id(content_hash: str, options_hash: str = "0", version: str = ANALYZER_VERSION) -> str:
    """The id of a content's analysis: SHA-256 of the bytes (hex), analyser version, hash of the options."""
    return f"{content_hash}-{version}-{options_hash}"


def camelot(tonic: str, mode: Mode) -> str:
    """The key on the Camelot wheel: ``C minor`` is ``5A``, ``C major`` is ``8B``."""
    fifths = (TONICS.index(tonic) * 7) % 12
    number = (fifths + (7 if mode == "major" else 4)) % 12 + 1
    return f"{number}{'B' if mode == 'major' else 'A'}"


def open_key(tonic: str, mode: Mode) -> str:
    """The key in Open Key notation: ``C minor`` is ``10m``, ``C major`` is ``1d``."""
    fifths = (TONICS.index(tonic) * 7) % 12
    number = (fifths + (0 if mode == "major" else 9)) % 12 + 1
    return f"{number}{'d' if mode == 'major' else 'm'}"
