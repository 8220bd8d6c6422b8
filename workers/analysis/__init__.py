"""From samples to one `Analysis`: kernels composed, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis import defects, embedding, key, kind, loudness, pitch, preview, tempo, timbre
from workers.analysis.mono import to_mono
from workers.analysis.onsets import find_onsets
from workers.analysis.spectra import analyze_spectra
from workers.model import Analysis, AudioInfo

if TYPE_CHECKING:
    from workers.audio.hints import Hints


def analyze(
    y: NDArray[np.float32], info: AudioInfo, hints: Hints, *, bad_samples: int = 0, truncated: bool = False
) -> Analysis:
    """Everything that is said of one sound.

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
    mono = to_mono(y, info.sample_rate_hz)
    spectra = analyze_spectra(mono.y)
    onsets = find_onsets(spectra)
    e = timbre.amplitude_envelope(mono)
    shape = timbre.envelope(e)
    chroma = key.measure_chroma(mono)
    found_tempo = (
        tempo.unknown("silence has no tempo") if mono.silent else tempo.estimate_tempo(onsets, info.duration_s, hints)
    )
    found_kind = kind.classify(info.duration_s, mono.silent, onsets, shape, found_tempo.confidence)
    if found_kind.label == "one-shot":
        found_tempo = tempo.unknown("a single sound has no tempo")
    found_key = key.unknown("silence has no key") if mono.silent else key.estimate_key(chroma)
    decibels = timbre.mel_db(spectra)
    return Analysis(
        audio=info,
        kind=found_kind,
        tempo=found_tempo,
        key=found_key,
        pitch=pitch.estimate_pitch(mono, rhythmic=found_kind.label not in ("one-shot", "silence")),
        loudness=loudness.measure(y, info.sample_rate_hz),
        spectrum=timbre.spectrum(spectra, timbre.zero_crossing_rate(mono)),
        envelope=shape,
        rhythm=timbre.rhythm(onsets, info.duration_s, found_tempo.confidence),
        timbre=timbre.timbre(spectra, chroma.tonalness),
        defects=defects.find_defects(
            y, info.sample_rate_hz, mono, found_kind.label, bad_samples=bad_samples, truncated=truncated
        ),
        vector=b""
        if mono.silent
        else embedding.embed(
            {
                "timbre": decibels.mean(axis=1)[:40] / 20 + 2,
                "pitch": np.concatenate([chroma.mean, chroma.bass]),
                "rhythm": np.zeros(24),
                "dynamics": np.zeros(16),
                "spectrum": decibels.max(axis=1)[::2] / 20 + 2,
            }
        ),
        preview=preview.draw(mono, decibels),
    )
