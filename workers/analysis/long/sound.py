"""A long file from its first stretch to its `Analysis`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis import defects, instrument, kind, loudness, pitch, timbre
from workers.analysis.long import fused
from workers.analysis.long.edges import Clipping, Edges, ends_of
from workers.analysis.long.passing import Outline, Spectrum
from workers.analysis.long.resampling import resampler
from workers.analysis.long.windows import WINDOW_S, View, Windows, look
from workers.analysis.mono import SILENT_PEAK, SR, louder_if_it_cancels
from workers.analysis.resolution import Resolution
from workers.kernels.waveform import TILE, Ends, Survey, Surveyor
from workers.model import Analysis, Analyzed, AudioInfo, Kind

if TYPE_CHECKING:
    from workers.audio.hints import Hints

_PIECE_S = 24
_PIECE_SAMPLES = 1 << 21
"""A piece is looked at while 8 MB of it are at hand."""

Floats = NDArray[np.float32]


class LongSound:
    """All that is remembered of a signal, (frames, channels), while it goes by.

    Parameters
    ----------
    info : AudioInfo
        What the container says; its rate and channels are believed, its length is not.
    hints : Hints
        What the file name and the chunks say.
    window_s : float
        Length of the windows that are listened to for tempo and key.
    """

    def __init__(self, info: AudioInfo, hints: Hints, window_s: float = WINDOW_S) -> None:
        sr, channels = info.sample_rate_hz, info.channels
        self._info, self._hints = info, hints
        halved = sr == 2 * SR
        self._mix = Surveyor(channels, sr, halved=halved)
        self._one = Surveyor(1, sr, halved=halved)
        self._channel: int | None = None
        """The channel that speaks for all, -1 for the mix; decided by the first piece that sounds."""
        self._resample = resampler(SR if halved else sr)
        self._seen = _nothing(channels, self._mix.step)
        self._powers: list[NDArray[np.float64]] = [np.zeros(1)]
        self._edges = Edges()
        self._clipping = Clipping()
        self._resolution = Resolution(sr, info.subtype)
        self._spectrum, self._outline = Spectrum(), Outline()
        self._windows = Windows(lambda y, start_s: look(y, start_s, hints), window_s)
        self._piece = max(1, min(_PIECE_SAMPLES // channels, _PIECE_S * sr) // TILE) * TILE

    @property
    def frames(self) -> int:
        """How many have gone by."""
        return self._seen.n_samples

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.frames / self._info.sample_rate_hz

    def take(self, y: Floats, *, last: bool) -> int:
        """Take the next frames, all if they are the `last`.

        Returns
        -------
        left : int
            How many at its end have to come again, before the next: 1 to `TILE`, none behind the last.
        """
        whole = len(y) if last else (len(y) - 1) // TILE * TILE
        for begin in range(0, whole, self._piece):
            end = min(whole, begin + self._piece)
            self._pass(y[begin:end], last=last and end == whole)
        return len(y) - whole

    def _pass(self, y: Floats, *, last: bool) -> None:
        seen = self._mix.take(y, last=last)
        self._clipping.add(y, seen.peaks, self.frames)
        self._edges.add(seen.peaks)
        self._resolution.take(y)
        self._powers[-1][-1] += seen.powers[0]
        self._powers.append(seen.powers[1:]) if len(seen.powers) > 1 else None
        self._seen = _both(self._seen, seen)
        mono = self._resample(self._mono(y, seen, last=last), last)
        self._spectrum.add(mono, last=last)
        self._outline.add(mono, last=last)
        self._windows.add(mono)

    def _mono(self, y: Floats, seen: Survey, *, last: bool) -> Floats:
        """The mix, or the channel that speaks for it, without the mean of all so far: that of a last bit is music."""
        means = self._seen.sums / self._seen.n_samples
        if self._channel is None and seen.peak >= SILENT_PEAK:
            louder = louder_if_it_cancels(seen, (seen.sums / len(y)).tolist())
            self._channel = -1 if louder is None else louder
        if self._channel is None or self._channel < 0:
            return np.asarray(seen.mono - np.float32(means.mean()))
        one = self._one.take(y[:, self._channel : self._channel + 1], last=last)
        return np.asarray(one.mono - np.float32(means[self._channel]))

    # -- saying

    def say(self, *, ended: bool, bad_samples: int, truncated: bool) -> Analysis:
        """What is said of it; `ended` unless it was left before its end. See `workers.analysis.analyze`."""
        self._windows.end()
        seen = self._seen._replace(powers=np.concatenate(self._powers))
        sr, n = self._info.sample_rate_hz, seen.n_samples
        whole_s = self.seconds if ended else max(self.seconds, self._info.duration_s)
        views, silent = self._windows.views, self._outline.peak < SILENT_PEAK
        means = seen.sums / n
        dc = float(means[np.abs(means).argmax()])
        ends = None if silent else self._ends(defects.audible(dc, seen.peak))
        tempo = fused.fuse_tempo(views, self._hints, whole_s, silent=silent)
        envelope, step_s = self._outline.shape()
        found = defects.of_the_whole(
            ends,
            n,
            sr,
            dc=dc,
            cancels=louder_if_it_cancels(seen, means.tolist()) is not None,
            bad_samples=bad_samples,
            truncated=truncated,
        )
        return Analysis(
            audio=replace(
                self._info,
                duration_s=round(whole_s, 6),
                frames=n if ended else max(n, self._info.frames),
                analyzed_s=round(self.seconds, 6),
                analyzed=Analyzed("windows", self._windows.spans),
            ),
            kind=_kind(views, whole_s, silent=silent),
            tempo=tempo,
            key=fused.fuse_key(views, self._hints, silent=silent),
            pitch=pitch.unknown("silence has no pitch" if silent else "not a single pitched sound"),
            loudness=loudness.measure(seen),
            spectrum=self._spectrum.described(self._outline.crossings / max(1, self._outline.n - 1)),
            envelope=timbre.envelope(envelope, step_s),
            rhythm=fused.fuse_rhythm(views, tempo),
            timbre=timbre.timbre(self._spectrum.cepstrum, self._spectrum.brightness, fused.tonalness(views)),
            defects=(*found, *self._resolution.defects()),
            vector=b"" if silent else fused.fuse_vector(views, tempo, whole_s),
            preview=self._outline.preview(self._spectrum),
            instrument=instrument.unknown("silence" if silent else "only one-shots have a class"),
        )

    def _ends(self, threshold: float) -> Ends:
        return ends_of(self._edges, self._clipping, self._seen.n_samples, threshold)


def _kind(views: tuple[View, ...], whole_s: float, *, silent: bool) -> Kind:
    if silent:
        return Kind("silence", 1.0)
    if not views:  # what sounds lies between the windows
        return Kind("long recording" if whole_s > kind.LONG_S else "track", 0.95)
    return fused.fuse_kind(views, whole_s)


def _nothing(channels: int, step: int) -> Survey:
    return Survey(
        mono=np.zeros(0, np.float32),
        halved=False,
        n_samples=0,
        sums=np.zeros(channels),
        energies=np.zeros(channels),
        peaks=np.zeros(1, np.float32),
        powers=np.zeros(0),
        step=step,
        true_peak=0.0,
        mono_energy=0.0,
    )


def _both(before: Survey, seen: Survey) -> Survey:
    """Sums and highest of two stretches."""
    return before._replace(
        n_samples=before.n_samples + seen.n_samples,
        sums=before.sums + seen.sums,
        energies=before.energies + seen.energies,
        peaks=np.maximum(before.peaks, np.float32(seen.peak)),
        true_peak=max(before.true_peak, seen.true_peak),
        mono_energy=before.mono_energy + seen.mono_energy,
    )
