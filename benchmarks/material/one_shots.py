"""One-shots: notes of many instruments with their pitch, drums, chords, effects, each with its class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, kits, synth
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import GM_DRUMS
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row

_PROGRAMS = {
    # class: programs of General MIDI with the lowest and highest note that they sound well on
    "bass": ((32, 28, 50), (33, 28, 50), (34, 28, 52), (35, 28, 50), (36, 28, 52), (38, 26, 52), (39, 26, 52)),
    "lead": (
        (0, 33, 96), (2, 36, 90), (4, 36, 90), (6, 36, 84), (7, 36, 84), (11, 48, 89), (12, 48, 89), (13, 60, 96),
        (8, 60, 96), (9, 62, 100), (10, 60, 90), (14, 48, 80), (15, 55, 84), (16, 36, 84), (19, 36, 84), (21, 48, 84),
        (22, 50, 86), (24, 40, 79), (25, 40, 79), (26, 40, 79), (27, 40, 84), (29, 40, 79), (30, 40, 79),
        (40, 55, 96), (41, 48, 84), (42, 36, 72), (45, 40, 84), (46, 36, 96), (47, 36, 57), (56, 54, 84), (57, 36, 70),
        (60, 41, 74), (65, 49, 80), (66, 44, 75), (68, 58, 88), (70, 36, 69), (71, 50, 88), (73, 60, 94), (74, 60, 92),
        (75, 60, 92), (78, 62, 92), (79, 57, 86), (80, 36, 92), (81, 36, 92), (104, 48, 77), (105, 48, 79),
        (106, 50, 79), (107, 50, 84), (108, 55, 84), (114, 55, 84),
    ),
    "pad": ((48, 36, 84), (49, 36, 84), (50, 36, 84), (88, 36, 84), (89, 36, 84), (90, 36, 84), (95, 36, 84)),
    "vocal": ((52, 43, 79), (53, 43, 79), (54, 43, 79), (85, 43, 79)),
}  # fmt: skip
_CHORDS = (
    (0, 4, 7),
    (0, 3, 7),
    (0, 4, 7, 11),
    (0, 3, 7, 10),
    (0, 5, 7),
    (0, 3, 6),
    (0, 4, 7, 10, 14),
    (0, 3, 7, 10, 14),
)
_TURNS = ("note", "drum", "note", "synth", "drum", "chord", "note", "drum", "synth", "effect")


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th, the kinds in turn."""
    turn = _TURNS[n % len(_TURNS)]
    return {"note": _note, "synth": _synth, "drum": _drum, "chord": chord, "effect": effect}[turn](rng)


def _row(
    piece: str, sound: str, source: str, *, note: int | None = None, cents: float = 0.0, no_key: bool = False
) -> Row:
    return Row(
        piece=f"shot-{piece}",
        slice="oneshots",
        kind="oneshot",
        source=source,
        sound=sound,
        note_midi=note,
        tuning_cents=cents,
        no_key=no_key,
        no_tempo=True,
    )


def stereo(y: NDArray[np.float64]) -> NDArray[np.float32]:
    """On both sides alike, its loudest sample 1."""
    return np.repeat((y / max(1e-6, float(np.abs(y).max())))[:, None], 2, axis=1).astype(np.float32)


def cut(y: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Without silence at its end; some cut short, some with a room around them."""
    if rng.random() < 0.25:
        y = finish.room(finish.fit(y, len(y) + SR // 2), SR, rng)
    loud = np.flatnonzero(np.abs(y).max(axis=1) > 10 ** (-rng.uniform(45, 70) / 20) * float(np.abs(y).max()))
    y = y[: int(loud[-1]) + 1] if len(loud) else y
    if rng.random() < 0.2:
        y = y[: max(SR // 10, int(len(y) * rng.uniform(0.3, 0.8)))]
    if rng.random() < 0.1:
        y = np.concatenate([np.zeros((int(rng.uniform(0.005, 0.12) * SR), 2), np.float32), y])
    return finish.fade(y[: 8 * SR], SR, 0.004)


def _sung(program: int, notes: list[int], held: float, rng: np.random.Generator, cents: float) -> Made:
    font = fonts.pick(rng)
    song = Song([Part([Note(0, held * 2, p, int(rng.integers(60, 120))) for p in notes], program)], 120, cents)
    y = fonts.render(song, font, reverb=bool(rng.random() < 0.4))
    return Made(cut(y[: int((held + 3) * SR)], rng), SR, _row(f"gm-{program}", "", f"font:{font.name}"))


def _note(rng: np.random.Generator) -> Made:
    sound = str(rng.choice(list(_PROGRAMS), p=(0.2, 0.6, 0.1, 0.1)))
    programs = _PROGRAMS[sound]
    program, low, high = programs[int(rng.integers(len(programs)))]
    pitch = int(rng.integers(low, high + 1))
    cents = float(rng.uniform(-30, 30)) if rng.random() < 0.2 else 0.0
    made = _sung(program, [pitch], float(rng.choice([0.15, 0.4, 1.0, 2.5])), rng, cents)
    row = _row(made.row.piece[5:], sound, made.row.source, note=pitch, cents=cents)
    return Made(made.y, SR, row)


def _synth(rng: np.random.Generator) -> Made:
    role = str(rng.choice(["bass", "lead", "pluck", "pad", "keys"], p=(0.35, 0.2, 0.2, 0.15, 0.1)))
    p = synth.patch(role, rng)
    low, high = {"bass": (24, 50), "pad": (40, 76)}.get(role, (40, 90))
    pitch = int(rng.integers(low, high))
    y = synth.tone(p, pitch, float(rng.uniform(0.15, 3.5 if role == "pad" else 1.6)))
    sound = {"pluck": "lead", "keys": "lead"}.get(role, role)
    return Made(cut(stereo(y), rng), SR, _row(f"{role}-{p.wave}", sound, "arithmetic", note=pitch))


def chord(rng: np.random.Generator) -> Made:
    """Three to five notes at once, of a font or a synthesiser."""
    steps = _CHORDS[int(rng.integers(len(_CHORDS)))]
    root = int(rng.integers(43, 62))
    notes = [root + step + 12 * int(rng.random() < 0.2) for step in steps]
    if rng.random() < 0.5:
        program = int(rng.choice([0, 2, 4, 5, 7, 16, 18, 24, 25, 27, 48, 50, 52, 61, 62, 81, 89, 90]))
        made = _sung(program, notes, float(rng.uniform(0.3, 2.5)), rng, 0.0)
        return Made(made.y, SR, _row(f"chord-{made.row.piece[5:]}", "chord", made.row.source))
    p = synth.patch(str(rng.choice(["pad", "keys", "pluck", "lead"])), rng)
    seconds = float(rng.uniform(0.2, 2.5))
    voices = [synth.tone(p, note, seconds) for note in notes]
    return Made(cut(stereo(np.sum(voices, axis=0)), rng), SR, _row(f"chord-{p.wave}", "chord", "arithmetic"))


def _drum(rng: np.random.Generator) -> Made:
    classes = list(dict.fromkeys(kits.CLASSES.values()))
    wanted = str(rng.choice(classes))
    role = str(rng.choice([role for role, sound in kits.CLASSES.items() if sound == wanted]))
    way = rng.random()
    with_role = [kit for kit in kits.kits() if role in kit.files]
    if way < 0.5 and with_role:
        kit = with_role[int(rng.integers(len(with_role)))]
        path = kit.files[role][int(rng.integers(len(kit.files[role])))]
        y, piece, source = kits.load(path).copy(), f"{kit.name}-{path.stem}", f"kit:{kit.name}"
    elif way < 0.75:
        font, key = fonts.pick(rng), int(rng.choice(GM_DRUMS[role]))
        song = Song([Part([Note(0, 0.5, key, int(rng.integers(70, 126)))], drums=True)], 120)
        y, piece, source = fonts.render(song, font, reverb=False), f"{font.name}-drum-{key}", f"font:{font.name}"
    else:
        y, piece, source = kits.made_drum(role, rng), f"made-{role}-{rng.integers(20)}", "arithmetic"
    return Made(cut(y, rng), SR, _row(piece, wanted, source, no_key=True))


def effect(rng: np.random.Generator) -> Made:
    """Risers, falls, impacts, bursts of noise, zaps."""
    kind = str(rng.choice(["riser", "fall", "impact", "burst", "zap", "swish"]))
    t = np.arange(int(SR * rng.uniform(0.3, 5))) / SR
    x = t / t[-1]
    white = rng.standard_normal(len(t))
    if kind in ("riser", "fall"):
        way = x if kind == "riser" else 1 - x
        hz = rng.uniform(80, 300) * 2 ** (way * rng.uniform(2, 5))
        y = (np.sin(2 * np.pi * np.cumsum(hz) / SR) + rng.uniform(0.1, 1) * white) * way
    elif kind == "impact":
        y = np.cumsum(white) * 0.05 * np.exp(-t * 3) + white * np.exp(-t * 20)
    elif kind == "zap":
        hz = rng.uniform(2000, 8000) * np.exp(-t * rng.uniform(6, 30)) + 60
        y = np.sin(2 * np.pi * np.cumsum(hz) / SR) * np.exp(-t * 5)
    else:
        y = white * (np.exp(-t * 6) if kind == "burst" else np.sin(np.pi * x) ** 2)
    row = _row(f"fx-{kind}-{rng.integers(12)}", "fx", "arithmetic", no_key=True)
    return Made(finish.fade(stereo(y), SR), SR, row)
