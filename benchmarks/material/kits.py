"""Drum sounds by their role: Hydrogen's kits, LMMS's drums, and some made by arithmetic."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.material import finish
from benchmarks.material.fonts import SR

_KITS = Path("/usr/share/hydrogen/data/drumkits")
_LMMS = Path("/usr/share/lmms/samples/drums")
_ROLES = (
    ("rim", r"side.?stick|stick|rim ?click|rim\b"),
    ("kick", r"kick|bass ?drum|djembe.*bass|thump"),
    ("clap", r"clap|snap"),
    ("snare", r"snare|slap"),
    ("open", r"(open|opened|oh+|op\b|op ).*|semi-?open"),
    ("hat", r"hat|hh"),
    ("ride", r"ride"),
    ("crash", r"crash|china|splash|cymbal"),
    ("tom", r"tom|dunun|sangban|kenkeni.*head"),
    ("shaker", r"shaker|maraca|fxshake"),
    ("tambourine", r"tamb"),
    ("cowbell", r"cowbell|bell"),
    ("conga", r"conga|djembe.*tone|drum \d"),
    ("bongo", r"bongo"),
    ("clave", r"clave?|wood"),
)
CLASSES = {
    "kick": "kick",
    "snare": "snare",
    "hat": "hat",
    "open": "hat",
    "ride": "cymbal",
    "crash": "cymbal",
    "tom": "tom",
    "clap": "clap",
    "rim": "perc",
    "shaker": "perc",
    "tambourine": "perc",
    "cowbell": "perc",
    "conga": "perc",
    "bongo": "perc",
    "clave": "perc",
}
"""The class of a one-shot, by its role in a kit."""
_STAND_INS = {
    "open": "hat", "ride": "hat", "rim": "snare", "clap": "snare", "crash": "open", "tambourine": "hat",
    "shaker": "hat", "cowbell": "rim", "conga": "tom", "bongo": "conga", "clave": "rim", "tom": "kick",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kit:
    """Files by role; each a sound of its own."""

    name: str
    files: Mapping[str, tuple[Path, ...]]


@functools.cache
def kits() -> tuple[Kit, ...]:
    """Every kit on this machine with a kick and a snare; perhaps none."""
    found = [_hydrogen(path) for path in sorted(_KITS.glob("*/drumkit.xml"))]
    if _LMMS.exists():
        found.append(_folder("lmms", _LMMS))
    return tuple(kit for kit in found if kit.files.get("kick") and kit.files.get("snare"))


def role_of(name: str) -> str | None:
    """The role that a drum's name says."""
    low = name.lower().replace("_", " ")
    open_hat = re.search(r"(open|oh+\b|opened|\bop\b)", low) and re.search(r"hat|hh|side", low)
    if open_hat:
        return "open"
    return next((role for role, pattern in _ROLES if role != "open" and re.search(pattern, low)), None)


def _hydrogen(path: Path) -> Kit:
    files: dict[str, list[Path]] = {}
    for instrument in (e for e in ElementTree.parse(path).iter() if e.tag.endswith("instrument")):
        children = {e.tag.split("}")[-1]: e for e in instrument}
        role = role_of((children["name"].text or "") if "name" in children else "")
        names = [e.text or "" for e in instrument.iter() if e.tag.endswith("filename")]
        audio = [path.parent / name for name in names if (path.parent / name).is_file()]
        if role and audio:
            files.setdefault(role, []).append(audio[-1])  # the loudest of its layers
    return Kit(path.parent.name, {role: tuple(found) for role, found in files.items()})


def _folder(name: str, folder: Path) -> Kit:
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.ogg")):
        if (role := role_of(path.stem)) and _readable(path):
            files.setdefault(role, []).append(path)
    return Kit(name, {role: tuple(found) for role, found in files.items()})


def _readable(path: Path) -> bool:
    """Some of LMMS's are WAV by content and broken."""
    try:
        return bool(soundfile.info(path).frames > 0)
    except soundfile.LibsndfileError:
        return False


@functools.lru_cache(maxsize=256)
def load(path: Path) -> NDArray[np.float32]:
    """A drum's sound at `SR`, shape (frames, 2), at most 4 s, its loudest sample 1."""
    y, sr = soundfile.read(path, dtype="float32", always_2d=True, frames=4 * 96000)
    y = finish.resampled(np.repeat(y[:, :1], 2, axis=1) if y.shape[1] == 1 else y[:, :2], sr, SR)[: 4 * SR]
    return np.asarray(y / max(1e-6, float(np.abs(y).max())), np.float32)


def drum_set(rng: np.random.Generator) -> tuple[str, dict[str, NDArray[np.float32]]]:
    """A kit chosen at random, one sound for each role; a third are made by arithmetic."""
    found = kits()
    if not found or rng.random() < 0.33:
        return "made", {role: made_drum(role, rng) for role in CLASSES}
    kit = found[int(rng.integers(len(found)))]
    out = {}
    for role in CLASSES:
        use: str | None = role
        while use is not None and use not in kit.files:
            use = _STAND_INS.get(use)
        if use is None:
            out[role] = made_drum(role, rng)
        else:
            files = kit.files[use]
            out[role] = load(files[int(rng.integers(len(files)))])
    return kit.name, out


def made_drum(role: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """A drum by arithmetic, shape (frames, 2)."""
    kind = CLASSES[role] if role != "open" else "open"
    seconds = {"kick": 0.5, "snare": 0.35, "hat": 0.12, "open": 0.6, "cymbal": 1.6, "tom": 0.6, "clap": 0.35}
    t = np.arange(int(SR * seconds.get(kind, 0.2) * rng.uniform(0.6, 1.6))) / SR
    white = rng.standard_normal(len(t))
    if kind in ("kick", "tom"):
        low = rng.uniform(38, 62) if kind == "kick" else rng.uniform(70, 190)
        hz = low * (1 + rng.uniform(1, 6) * np.exp(-t * rng.uniform(20, 60)))
        body = np.sin(2 * np.pi * np.cumsum(hz) / SR) * np.exp(-t * rng.uniform(5, 14))
        y = body + rng.uniform(0, 0.3) * white * np.exp(-t * 300)
    elif kind == "snare":
        body = np.sin(2 * np.pi * rng.uniform(150, 260) * t) * np.exp(-t * 25)
        y = rng.uniform(0.2, 0.9) * body + _bright(white, 0.5) * np.exp(-t * rng.uniform(9, 25))
    elif kind == "clap":
        bursts = np.sum([np.exp(-np.abs(t - d) * 250) * (t >= d) for d in (0, 0.011, 0.022)], axis=0)
        y = _bright(white, 0.7) * (bursts + 0.6 * np.exp(-t * 18))
    elif kind in ("hat", "open", "cymbal"):
        metal = np.sum([np.sign(np.sin(2 * np.pi * hz * t)) for hz in rng.uniform(2000, 9000, 6)], axis=0)
        y = _bright(white + 0.4 * metal, 0.95) * np.exp(-t * {"hat": 45, "open": 8, "cymbal": 3}[kind])
    elif role in ("shaker", "tambourine"):
        y = _bright(white, 0.95) * np.minimum(1, t / 0.02) * np.exp(-t * rng.uniform(20, 50))
    else:
        pitch = rng.uniform(300, 2600)
        y = (np.sin(2 * np.pi * pitch * t) + 0.6 * np.sin(2 * np.pi * pitch * 1.48 * t)) * np.exp(
            -t * rng.uniform(25, 60)
        )
    y = y / max(1e-6, float(np.abs(y).max()))
    return finish.fade(np.repeat(y[:, None], 2, axis=1).astype(np.float32), SR)


def _bright(y: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    return y - amount * np.concatenate([[0.0], y[:-1]])
