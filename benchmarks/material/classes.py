"""More one-shots of each class, evenly: drums of many kits and fonts, voices, pads, leads, chords, basses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, kits, one_shots, synth
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import GM_DRUMS
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row

_TURNS = (
    *("snare", "vocal", "hat", "pad", "clap", "kick", "cymbal", "lead", "tom", "perc", "chord", "snare", "bass"),
    *("hat", "clap", "cymbal", "vocal", "perc", "tom", "fx"),
)
_DRUM_KITS = (0, 8, 16, 24, 25, 32, 40)
"""Standard, room, power, electronic, 808, jazz and brush kits, where a font has them."""
_VOWELS = {
    "a": ((730, 1.0), (1090, 0.5), (2440, 0.12), (3400, 0.06)),
    "e": ((530, 1.0), (1840, 0.3), (2480, 0.18), (3500, 0.06)),
    "i": ((280, 1.0), (2250, 0.25), (2890, 0.2), (3600, 0.08)),
    "o": ((570, 1.0), (840, 0.6), (2410, 0.05), (3300, 0.03)),
    "u": ((310, 1.0), (870, 0.25), (2250, 0.03), (3300, 0.02)),
}
"""Formants: where (Hz) and how strong."""
_PADS = (48, 49, 50, 51, 88, 89, 90, 91, 92, 94, 95)
_LEADS = (80, 81, 82, 83, 84, 86, 87, 22, 29, 30, 65, 66, 56, 73, 75, 40, 11, 13, 4, 0, 26, 104)


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th, the classes in turn."""
    sound = _TURNS[n % len(_TURNS)]
    if sound == "fx":
        made = one_shots.effect(rng)
    elif sound == "chord":
        made = one_shots.chord(rng)
    elif sound == "vocal" and rng.random() < 0.6:
        made = _voice(rng)
    elif sound in ("vocal", "pad", "lead", "bass"):
        made = _tone(sound, rng)
    else:
        made = _drum(sound, rng)
    y = made.y
    if rng.random() < 0.3:
        y = finish.shelved(y, SR, rng)
    if rng.random() < 0.25:
        y = finish.driven(y, rng)
    return replace(made, y=np.asarray(y, np.float32))


def _row(piece: str, sound: str, source: str, note: int | None = None) -> Row:
    return Row(
        piece=f"shot-{piece}",
        slice="oneshots",
        kind="oneshot",
        source=source,
        sound=sound,
        note_midi=note,
        no_key=sound in kits.CLASSES.values(),
        no_tempo=True,
    )


def _drum(sound: str, rng: np.random.Generator) -> Made:
    """From a kit, from a font's drum kits, by arithmetic; at another speed now and then."""
    role = str(rng.choice([role for role, said in kits.CLASSES.items() if said == sound]))
    way = rng.random()
    owners = [kit for kit in kits.kits() if role in kit.files]
    if way < 0.45 and owners:
        kit = owners[int(rng.integers(len(owners)))]
        path = kit.files[role][int(rng.integers(len(kit.files[role])))]
        y, piece, source = kits.load(path).copy(), f"{kit.name}-{path.stem}", f"kit:{kit.name}"
    elif way < 0.8:
        font, key, kit_number = fonts.pick(rng), int(rng.choice(GM_DRUMS[role])), int(rng.choice(_DRUM_KITS))
        hit = Part([Note(0, 0.5, key, int(rng.integers(60, 126)))], kit_number, drums=True)
        y, source = fonts.render(Song([hit], 120), font, reverb=False), f"font:{font.name}"
        piece = f"{font.name}-drum-{key}"
    else:
        y, piece, source = kits.made_drum(role, rng), f"made-{role}-{rng.integers(20)}", "arithmetic"
    if rng.random() < 0.4:
        y = finish.resampled(y, SR, SR * float(rng.uniform(0.75, 1.35)))
    return Made(one_shots.cut(y, rng), SR, _row(piece, sound, source))


def _tone(sound: str, rng: np.random.Generator) -> Made:
    """A pad is held and comes slowly, a lead is there at once, a bass is low."""
    low, high = {"bass": (28, 48), "pad": (43, 76), "lead": (52, 88), "vocal": (48, 76)}[sound]
    pitch = int(rng.integers(low, high))
    held = float(rng.uniform(2, 7) if sound == "pad" else rng.choice([0.12, 0.3, 0.6, 1.2]))
    if sound in ("vocal",) or rng.random() < 0.5:
        programs = {"bass": (32, 33, 34, 35, 36, 37, 38, 39), "pad": _PADS, "lead": _LEADS, "vocal": (52, 53, 54, 85)}
        program = int(rng.choice(programs[sound]))
        font = fonts.pick(rng)
        note = Part([Note(0, held * 2, pitch, int(rng.integers(60, 124)))], program)
        y = fonts.render(Song([note], 120), font, reverb=bool(rng.random() < 0.3))[: int((held + 2) * SR)]
        return Made(one_shots.cut(y, rng), SR, _row(f"gm-{program}", sound, f"font:{font.name}", pitch))
    p = synth.patch(sound, rng)
    y = one_shots.stereo(synth.tone(p, pitch, held))
    return Made(one_shots.cut(y, rng), SR, _row(f"{sound}-{p.wave}", sound, "arithmetic", pitch))


def _voice(rng: np.random.Generator) -> Made:
    """A sung vowel, perhaps turning into another, with breath, vibrato and a consonant before it."""
    pitch = int(rng.integers(43, 74))
    t = np.arange(int(SR * rng.uniform(0.25, 2.2))) / SR
    x = t / t[-1]
    vibrato = rng.uniform(0, 0.35) * np.minimum(1, t / 0.4) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * t)
    scoop = -rng.uniform(0, 2) * np.exp(-t * rng.uniform(15, 40))
    drift = np.interp(x, np.linspace(0, 1, 8), rng.normal(0, 0.08, 8))
    hz = 440 * 2 ** ((pitch + vibrato + scoop + drift - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hz) / SR
    first, last = (_VOWELS[str(name)] for name in rng.choice(list(_VOWELS), 2))
    speaker = int(rng.integers(12))
    size = 0.9 + 0.03 * speaker
    y = np.zeros(len(t))
    for n in range(1, int(5000 / hz.min()) + 1):
        y += (_formants(n * hz, first, size) * (1 - x) + _formants(n * hz, last, size) * x) * np.sin(n * phase) / n**0.4
    y /= max(1e-6, float(np.abs(y).max()))
    breath = rng.uniform(0.005, 0.05) * rng.standard_normal(len(t))
    y = (y + breath) * np.minimum(1, t / rng.uniform(0.01, 0.08)) * np.minimum(1, (t[-1] - t) / rng.uniform(0.03, 0.2))
    if rng.random() < 0.5:
        y += rng.uniform(0.1, 0.5) * _bright_noise(len(t), rng) * np.exp(-(((t - 0.03) / 0.025) ** 2))
    if rng.random() < 0.5:
        return Made(one_shots.cut(one_shots.stereo(y), rng), SR, _row(f"voice-{speaker}", "vocal", "arithmetic", pitch))
    whole = finish.room(finish.fit(one_shots.stereo(y), len(y) + SR), SR, rng)
    return Made(finish.fade(whole, SR, 0.05), SR, _row(f"voice-{speaker}", "vocal", "arithmetic", pitch))


def _formants(hz: NDArray[np.float64], vowel: tuple[tuple[int, float], ...], size: float) -> NDArray[np.float64]:
    gains = [gain * np.exp(-(((hz - centre * size) / (90 + centre * 0.06)) ** 2)) for centre, gain in vowel]
    return np.asarray(np.sum(gains, axis=0) + 0.003, np.float64)


def _bright_noise(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.diff(rng.standard_normal(n + 1))
