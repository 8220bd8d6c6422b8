"""From samples to one `Analysis`: kernels composed, no I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis import (
    beats,
    defects,
    embedding,
    instrument,
    key,
    kind,
    loudness,
    pitch,
    preview,
    resolution,
    tempo,
    timbre,
    worth,
)
from workers.analysis.mono import survey, to_mono
from workers.analysis.overview import Overview, measure
from workers.model import Analysis, Analyzed, AudioInfo, Descriptors, Instrument, Key, Kind, Pitch, Tempo

if TYPE_CHECKING:
    from workers.audio.hints import Hints

_SHORTEST_TEMPO_S = 0.5
_TONAL = ("bass", "lead", "chord", "pad", "vocal")
"""One-shots of these classes are tonal, even where no key can be told from them."""


def analyze(
    y: NDArray[np.float32], info: AudioInfo, hints: Hints, *, bad_samples: int = 0, truncated: bool = False
) -> Analysis:
    """Everything that is said of one sound. The same samples always give the same answer.

    Parameters
    ----------
    y : ndarray of float32, shape (frames, channels), finite
        The sound at its own rate; at least one frame.
    info : AudioInfo
        What the container says.
    hints : Hints
        What the file name and the chunks say; evidence, never the answer.
    bad_samples : int
        How many samples the decoder replaced by 0 because they were not finite.
    truncated : bool
        Whether the file ends before its header says.
    """
    sr = info.sample_rate_hz
    walked = survey(y, sr)
    levels = loudness.measure(walked)
    mono = to_mono(y, sr, walked)
    duration_s = len(y) / sr
    seen = measure(mono, duration_s)
    found_tempo, found_kind = _tempo_and_kind(seen, duration_s, info.duration_s, hints)
    heard = pitch.estimate_pitch(mono, rhythmic=found_kind.label not in ("one-shot", "silence"), hints=hints)
    said, drum = _instrument(seen, found_kind, heard)
    note = pitch.settled(heard, drum)
    return Analysis(
        audio=whole_of(info),
        kind=found_kind,
        tempo=found_tempo,
        key=_key(seen, note, said, hints),
        pitch=note,
        loudness=levels,
        spectrum=seen.spectrum,
        envelope=seen.shape,
        rhythm={
            **_rhythm(seen, found_tempo, duration_s),
            "seam_step_db": defects.seam_step_db(y) if found_kind.label == "loop" else None,
        },
        timbre=timbre.timbre(seen.cepstrum, seen.brightness, seen.chroma.tonalness),
        defects=(
            *defects.find_defects(
                y,
                sr,
                walked,
                mono,
                found_kind.label,
                bad_samples=bad_samples,
                truncated=truncated,
                rest_s=_rest_s(found_tempo),
            ),
            *resolution.find_false_resolution(y, sr, info.subtype),
        ),
        vector=b"" if mono.silent else embedding.embed(seen, found_tempo),
        preview=preview.draw(mono, seen.decibels),
        instrument=said,
    )


def whole_of(info: AudioInfo) -> AudioInfo:
    """Said of a file that was listened to from start to end."""
    end = round(info.analyzed_s, 6)
    return AudioInfo(
        duration_s=round(info.duration_s, 6),
        sample_rate_hz=info.sample_rate_hz,
        channels=info.channels,
        container=info.container,
        subtype=info.subtype,
        frames=info.frames,
        analyzed_s=end,
        analyzed=Analyzed("whole", ((0.0, end),)),
    )


def _tempo_and_kind(seen: Overview, duration_s: float, whole_s: float, hints: Hints) -> tuple[Tempo, Kind]:
    """Both together: a loop is known by its beats, and only what is not a one-shot has any."""
    if seen.mono.silent:
        return tempo.unknown("silence has no tempo"), kind.classify(whole_s, True, seen.whole)
    reason = "too short for a tempo" if duration_s < _SHORTEST_TEMPO_S else worth.why_no_pulse(seen)
    found = tempo.estimate_tempo(seen, duration_s, hints) if reason is None else tempo.unknown(reason)
    if reason is None and found.confidence < worth.LEAST_BELIEVED:
        found = tempo.unknown(worth.NONE_STANDS_OUT)
    # A note with minutes of silence behind it is no track.
    sounding_s = whole_s if whole_s <= kind.TRACK_S else min(whole_s, seen.mono.sounds_until_s)
    label = kind.classify(sounding_s, False, seen.whole)
    if label.label == "one-shot":
        found = tempo.unknown("a single sound has no tempo")
    elif label.label == "loop" and found.bpm is None:
        found = tempo.from_hints(duration_s, hints) or found
    elif label.label == "track" and found.beats in kind.EIGHT_BARS and whole_s <= kind.LONG_LOOP_S:
        label = replace(label, label="loop")
    return found, label


def _rhythm(seen: Overview, found: Tempo, duration_s: float) -> Descriptors:
    tracked = beats.find_beats(seen, found, duration_s)
    busy = timbre.rhythm(seen.onsets, duration_s, kind.repeats(seen.periodicity))
    return {**busy, **(beats.NONE if tracked is None else tracked.described)}


def _rest_s(found: Tempo) -> float:
    """How long a loop that is cut to its beats may rest at its end: two of them."""
    return 0.0 if found.bpm is None or found.beats is None else 120 / found.bpm


def _key(seen: Overview, note: Pitch, said: Instrument, hints: Hints) -> Key:
    chroma = seen.chroma
    if seen.mono.silent:
        return key.unknown("silence has no key")
    if note.note is not None and not chroma.empty:
        return key.unknown(f"a single note ({note.note}) belongs to many keys", chroma.tuning_cents)
    reason = worth.why_no_key(seen, hints)
    if reason == worth.NO_TONALITY and said.label in _TONAL:
        reason = "one chord or note belongs to many keys"
    return key.estimate_key(chroma, hints) if reason is None else key.unknown(reason, chroma.tuning_cents)


def _instrument(seen: Overview, found: Kind, note: Pitch) -> tuple[Instrument, float]:
    """The class of a one-shot, and how likely it is a drum."""
    if found.label == "silence":
        return instrument.unknown("silence"), 0.0
    if found.label != "one-shot":
        return instrument.unknown("only one-shots have a class"), 0.0
    probability = instrument.weigh(instrument.describe(seen, note))
    return instrument.named(probability), instrument.drum(probability)
