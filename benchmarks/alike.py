"""How alike the nearest sounds are: ``python -m benchmarks.alike LABELS.csv``.

For each labelled one-shot the share of its 5 nearest others that are of its class (its name's first word), by the score
of a search, by each aspect alone, and by the cosine of mean MFCCs, which is what most sample browsers compare.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.labels import read_labels
from workers.analysis import embedding, tempo
from workers.analysis.mono import to_mono
from workers.analysis.overview import Overview, measure
from workers.kernels.spectrogram import mfcc
from workers.model import ASPECTS

Doubles = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alike", description=__doc__)
    parser.add_argument("labels", type=Path)
    shots = [label for label in read_labels(parser.parse_args().labels) if label.one_shot]
    classes = [label.path.name.split("_")[0] for label in shots]
    seen = [_measured(label.path) for label in shots]
    ours = np.stack([_vector(one) for one in seen])
    theirs = {
        "mean MFCC 0 to 12": np.stack([mfcc(one.decibels, 13).mean(axis=1) for one in seen]),
        "mean MFCC 1 to 12": np.stack([mfcc(one.decibels, 13)[1:].mean(axis=1) for one in seen]),
        "mean MFCC 0 to 19": np.stack([mfcc(one.decibels, 20).mean(axis=1) for one in seen]),
    }
    found = {"search (mean of the aspects)": precision(likeness(ours, ASPECTS), classes)}
    found |= {f"  {name} alone": precision(likeness(ours, {name: span}), classes) for name, span in ASPECTS.items()}
    found |= {name: precision(likeness(X, {"all": (0, X.shape[1])}), classes) for name, X in theirs.items()}
    names = sorted(set(classes))
    print(f"{'precision@5 of ' + str(len(shots)) + ' one-shots':30} {'all':>5} " + " ".join(f"{n:>5}" for n in names))
    for name, hits in found.items():
        by_class = " ".join(f"{hits[np.array(classes) == one].mean():5.2f}" for one in names)
        print(f"{name:30} {hits.mean():5.3f} {by_class}")


def likeness(X: Doubles, aspects: Mapping[str, tuple[int, int]]) -> Doubles:
    """Mean of the aspects' cosines between all rows of X, (n, n): the score of a search."""
    units = [X[:, low:high] for low, high in aspects.values()]
    units = [U / np.maximum(np.linalg.norm(U, axis=1, keepdims=True), 1e-9) for U in units]
    return np.asarray(np.mean([U @ U.T for U in units], axis=0))


def precision(alike: Doubles, classes: Sequence[str], k: int = 5) -> Doubles:
    """Share of each sound's `k` nearest others that are of its class, (n,)."""
    names = np.array(classes)
    others = alike.copy()
    np.fill_diagonal(others, -np.inf)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, :k]
    return np.asarray((names[nearest] == names[:, None]).mean(axis=1))


def _measured(path: Path) -> Overview:
    y, sr = soundfile.read(path, dtype="float32", always_2d=True)
    mono = to_mono(y, sr)
    return measure(mono, mono.duration_s)


def _vector(seen: Overview) -> Doubles:
    return np.frombuffer(embedding.embed(seen, tempo.unknown("")), "<f4").astype(np.float64)


if __name__ == "__main__":
    main()
