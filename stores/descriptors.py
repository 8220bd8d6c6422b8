"""The numbers of an analysis that samples can be asked for by, and where they stand in it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DESCRIPTORS: Final[Mapping[str, str]] = {
    "audio.sample_rate_hz": "Hz",
    "audio.channels": "1 is mono",
    "kind.confidence": "0 to 1",
    "instrument.confidence": "0 to 1",
    "tempo.confidence": "0 to 1",
    "tempo.beats": "whole beats of a loop",
    "key.confidence": "0 to 1",
    "key.tuning_cents": "from A = 440 Hz",
    "pitch.midi": "60 is C4",
    "pitch.hz": "Hz",
    "pitch.cents": "from its note",
    "pitch.confidence": "0 to 1",
    "loudness.integrated_lufs": "LUFS",
    "loudness.true_peak_dbtp": "dBTP",
    "loudness.rms_dbfs": "dBFS",
    "loudness.crest_db": "dB",
    "spectrum.centroid_hz": "Hz",
    "spectrum.bandwidth_hz": "Hz",
    "spectrum.rolloff_hz": "Hz",
    "spectrum.flatness": "0 is a tone, 1 is noise",
    "spectrum.zero_crossing_rate": "0 to 1",
    "envelope.attack_s": "seconds",
    "envelope.decay_s": "seconds",
    "envelope.effective_duration_s": "seconds",
    "envelope.temporal_centroid": "0 is its start, 1 its end",
    "envelope.end_level_db": "dB under its loudest",
    "rhythm.onset_count": "onsets",
    "rhythm.onset_rate_hz": "onsets a second",
    "rhythm.pulse_clarity": "0 to 1",
    "rhythm.first_beat_s": "seconds",
    "rhythm.first_downbeat_s": "seconds",
    "rhythm.beats_per_bar": "beats",
    "rhythm.swing_ratio": "1 is straight, 2 a triplet",
    "rhythm.seam_step_db": "dB where a loop closes",
    "timbre.tonalness": "0 to 1",
    "timbre.brightness": "0 to 1",
}
"""Place -> what the number means."""
