"""The pieces of the demo library: loops of known tempo and key, one-shots of known note, two short tracks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cli.synth import drums, tones
from cli.synth.drums import groove
from cli.synth.dsp import Signal, finished, highpass, room, seconds
from cli.synth.harmony import Rhythm, Scale, arpeggio, chords, melody, roots
from cli.synth.tones import Instrument, line

FOUR = {
    "k": "X...x...X...x...",
    "c": "....X.......X...",
    "o": "..x...x...x...x.",
    "h": "x-x-x-x-x-x-x-x-",
    "m": "x-x-x-x-",
}
BOOM_BAP = {"d": "X..x..x...x.....", "f": "....X.......X...", "h": "x.x.x.x.x.x.x.x."}
BREAK = {"k": "X.x.......xx....", "s": "....X..-.-..X..-", "h": "x.x.x.x.x.x.x.x."}
TRAP = {"b": "X......x..x.....", "c": "........X.......", "h": "x.x.xxx.x.x.x-x-", "r": "...x......x....."}
TECHNO = {"k": "X...X...X...X...", "h": "..X...X...X...X.", "w": "...x..x....x....", "c": "....x.......x..."}
HALF = {"b": "X.....x.........", "f": "........X.......", "m": "x-x-x-x-x-x-x-x-", "r": "..x........x...."}
LATIN = {"k": "X..X..x.X..X..x.", "w": "x..x..x...x.x...", "m": "x-xx-xx-", "t": "......x.......xx"}

PUSH = ((0.0, 0.75, 0), (0.75, 0.5, 0), (1.5, 0.5, 7), (2.0, 0.75, 2), (2.75, 0.5, 0), (3.5, 0.5, 2))
OFFBEAT = ((0.5, 0.4, 0), (1.5, 0.4, 4), (2.5, 0.4, 0), (3.5, 0.4, 2))
LONG = ((0.0, 3.5, 0),)
SIXTEENTHS = tuple((n / 4, 0.2, (0, 0, 7, 2, 0, 4, 0, 2, 0, 0, 2, 3, 4, 2, 6, 7)[n]) for n in range(16))


@dataclass(frozen=True)
class Sound:
    """A piece and the truth about it."""

    path: str
    make: Callable[[], Signal]
    kind: str
    bpm: float | None = None
    beats: int | None = None
    key: str | None = None
    note: str | None = None


def _drum_loop(path: str, bpm: float, rows: dict[str, str], bars: int = 4, swing: float = 0.0) -> Sound:
    def make() -> Signal:
        return finished(room(groove(rows, bpm, 4 * bars, path, swing=swing), 0.45, 0.08, path))

    return Sound(path, make, "loop", bpm, 4 * bars)


def _bass_loop(path: str, bpm: float, key: str, degrees: tuple[int, ...], how: Instrument, rhythm: Rhythm) -> Sound:
    def make() -> Signal:
        events = roots(Scale.named(key), degrees, 4.0, rhythm)
        return finished(line(how, events, bpm, 4 * len(degrees), path), -2.0)

    return Sound(path, make, "loop", bpm, 4 * len(degrees), key)


def _chord_loop(path: str, bpm: float, key: str, degrees: tuple[int, ...], how: Instrument, size: int = 3) -> Sound:
    def make() -> Signal:
        events = chords(Scale.named(key), degrees, 4.0, size=size)
        low = [(start, length, (notes[0] - 12,)) for start, length, notes in events]
        beats = 4 * len(degrees)
        mix = line(how, events, bpm, beats, path) + 0.35 * line(how, low, bpm, beats, path + "low")
        return finished(room(mix, 1.6, 0.35, path), -2.0)

    return Sound(path, make, "loop", bpm, 4 * len(degrees), key)


def _arpeggio_loop(path: str, bpm: float, key: str, degrees: tuple[int, ...], how: Instrument) -> Sound:
    def make() -> Signal:
        events = arpeggio(Scale.named(key), degrees, 4.0, (0, 1, 2, 3, 4, 3, 2, 1), 0.5)
        return finished(room(line(how, events, bpm, 4 * len(degrees), path), 1.2, 0.3, path), -2.0)

    return Sound(path, make, "loop", bpm, 4 * len(degrees), key)


def _tune_loop(path: str, bpm: float, key: str, text: str, how: Instrument, step: float = 0.5) -> Sound:
    def make() -> Signal:
        beats = round(len(text) * step)
        return finished(room(line(how, melody(Scale.named(key), text, step), bpm, beats, path), 1.4, 0.35, path), -2.0)

    return Sound(path, make, "loop", bpm, round(len(text) * step), key)


def band(path: str, bpm: float, key: str, degrees: tuple[int, ...], rows: dict[str, str], how: Instrument) -> Signal:
    """(frames, 2): drums, bass and chords over one round of the chords."""
    scale, beats = Scale.named(key), 4 * len(degrees)
    harmony = line(how, chords(scale, degrees, 4.0, size=4), bpm, beats, path)
    low = line(tones.bass, roots(scale, degrees, 4.0, PUSH), bpm, beats, path)
    mix = room(0.5 * highpass(harmony, 160), 1.5, 0.3, path)
    beat = groove(rows, bpm, beats, path, swing=0.2)
    return mix + (0.55 * low + 0.9 * beat)[:, None]


def _band_loop(
    path: str, bpm: float, key: str, degrees: tuple[int, ...], rows: dict[str, str], how: Instrument
) -> Sound:
    return Sound(path, lambda: finished(band(path, bpm, key, degrees, rows, how)), "loop", bpm, 4 * len(degrees), key)


def _track(path: str, bpm: float, key: str, degrees: tuple[int, ...], how: Instrument, rows: dict[str, str]) -> Sound:
    tune = "5-3-1-..6-5-3-..4-.3.2..1---...."

    def make() -> Signal:
        scale, beats = Scale.named(key), 4 * len(degrees)
        full = band(path, bpm, key, degrees, rows, how)
        loud = {letter: steps for letter, steps in rows.items() if letter not in "hmo"}
        drums_in = 0.9 * groove(loud, bpm, beats, path, swing=0.2)[:, None]
        lead = room(0.28 * line(tones.bell, melody(scale, tune, 0.5), bpm, beats, path), 1.8, 0.4, path + "tune")
        whole = np.concatenate([0.7 * (full - drums_in), full, full + lead])
        t = np.arange(len(whole)) / 44100
        fade = np.clip(t / 1.5, 0, 1) * np.clip((t[-1] - t) / 4.0, 0, 1)
        return finished(whole * fade[:, None])

    return Sound(path, make, "track", bpm, 12 * len(degrees), key)


def _one_shot(path: str, how: Instrument, midi: int, held_s: float) -> Sound:
    def make() -> Signal:
        sound = how(midi, held_s)
        return finished(sound * np.minimum(1.0, (len(sound) - np.arange(len(sound))) / 400), -1.0)

    return Sound(path, make, "one-shot", note=tones.note_name(midi))


def _hit(path: str, make: Callable[[], Signal]) -> Sound:
    return Sound(path, lambda: finished(make(), -0.5), "one-shot")


LOOPS = (
    _drum_loop("loops/drums/Dusty Boom Bap 88bpm.wav", 88.0, BOOM_BAP, swing=0.55),
    _drum_loop("loops/drums/House Groove 124 BPM.wav", 124.0, FOUR),
    _drum_loop("loops/drums/Lazy Sunday.wav", 74.5, BOOM_BAP, swing=0.4),
    _drum_loop("loops/drums/techno_drive_132bpm.flac", 132.0, TECHNO),
    _drum_loop("loops/drums/Jungle Break.aif", 172.5, BREAK),
    _drum_loop("loops/drums/Trap Bounce.wav", 140.0, TRAP),
    _drum_loop("loops/drums/Latin Cowbell 101.wav", 101.0, LATIN),
    _drum_loop("loops/drums/Half Step_70.wav", 70.0, HALF, bars=2),
    _bass_loop("loops/bass/Round Bass Am 100bpm.wav", 100.0, "A minor", (0, 0, 3, 4), tones.bass, PUSH),
    _bass_loop("loops/bass/Acid Line.wav", 127.5, "E minor", (0, 0, 3, 0), tones.acid, SIXTEENTHS),
    _bass_loop("loops/bass/offbeat_Fmin.flac", 122.0, "F minor", (0, 3, 4, 0), tones.bass, OFFBEAT),
    _chord_loop("loops/chords/Warm Pad Cmaj 80bpm.wav", 80.0, "C major", (0, 5, 3, 4), tones.pad),
    _chord_loop("loops/chords/Rhodes After Dark.ogg", 92.0, "D minor", (0, 3, 4, 0), tones.keys, 4),
    _chord_loop("loops/chords/Organ Sunrise G major.wav", 110.0, "G major", (0, 3, 4, 0), tones.organ),
    _arpeggio_loop("loops/melody/Pluck Arp F#m 128bpm.wav", 128.0, "F# minor", (0, 3, 4, 0), tones.pluck),
    _arpeggio_loop("loops/melody/Glass Steps.wav", 96.25, "D# major", (0, 4, 5, 3), tones.pluck),
    _tune_loop("loops/melody/Music Box.aiff", 78.0, "D major", "5.3.1.3.6.5.3.1.4.3.2.5.1---....", tones.bell),
    _tune_loop(
        "loops/melody/lead_hook_Bmin_145bpm.wav", 145.0, "B minor", "1.1.3.2.1.7.5-5.1.1.3.5.4.2.1---", tones.lead
    ),
    _band_loop("loops/full/Deep House Cm 122bpm.flac", 122.0, "C minor", (0, 5, 4, 0), FOUR, tones.keys),
    _band_loop("loops/full/Roller.wav", 174.0, "G minor", (0, 5, 3, 4), BREAK, tones.pad),
)

ONE_SHOTS = (
    _hit("one-shots/kicks/Kick Punch.wav", drums.kick),
    _hit("one-shots/kicks/Kick Dusty.wav", lambda: drums.kick("dusty")),
    _hit("one-shots/snares/Snare Tight.wav", drums.snare),
    _hit("one-shots/snares/Snare Fat.aif", lambda: drums.snare("fat")),
    _hit("one-shots/hats/Hat Closed.wav", lambda: drums.hat(0.05)),
    _hit("one-shots/hats/Hat Open.flac", lambda: drums.hat(0.4)),
    _hit("one-shots/perc/Clap.wav", drums.clap),
    _hit("one-shots/perc/Cowbell.wav", drums.cowbell),
    _hit("one-shots/perc/Rim.wav", drums.rim),
    _hit("one-shots/perc/Tom Low.wav", lambda: drums.tom(92.0)),
    _hit("one-shots/perc/Crash.ogg", drums.crash),
    _hit("one-shots/perc/Shaker.wav", drums.shaker),
    _one_shot("one-shots/808/808 Deep.wav", lambda midi, held: drums.boom_bass(tones.hertz(midi), held), 29, 1.4),
    _one_shot("one-shots/bass/Round Bass C2.wav", tones.bass, 36, 0.9),
    _one_shot("one-shots/bass/Acid Stab.wav", tones.acid, 45, 0.5),
    _one_shot("one-shots/keys/Electric Piano D4.wav", tones.keys, 62, 1.2),
    _one_shot("one-shots/keys/Organ Hold.flac", tones.organ, 57, 1.0),
    _one_shot("one-shots/plucks/Pluck A3.wav", tones.pluck, 57, 0.4),
    _one_shot("one-shots/plucks/Kalimba-ish.ogg", tones.pluck, 76, 0.2),
    _one_shot("one-shots/bells/Bell E5.wav", tones.bell, 76, 0.6),
    _one_shot("one-shots/leads/Lead G#4.aiff", tones.lead, 68, 0.8),
)

TRACKS = (
    _track("tracks/Night Drive.mp3", 105.0, "A minor", (0, 3, 4, 0), tones.pad, TECHNO),
    _track("tracks/Morning Walk.flac", 96.0, "G major", (0, 3, 4, 0), tones.keys, BOOM_BAP),
)

SILENCE = Sound("oddities/Silent Take.wav", lambda: np.zeros(len(seconds(2.0))), "silence")

EVERYTHING = (*LOOPS, *ONE_SHOTS, *TRACKS, SILENCE)
