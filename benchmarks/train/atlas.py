"""The landmarks of the map, and where they lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.train.sounds import Sound
from workers import atlas
from workers.analysis import embedding, tempo
from workers.model import VECTOR_VERSION, Tempo

LANDMARKS = 640
_PERPLEXITY = 30
VERSION = 1


class AtlasLesson:
    """t-SNE over every sound; some of them, taken at random, become landmarks."""

    edits = False
    judged_apart = False

    def __init__(self) -> None:
        self._vectors: list[bytes] = []

    def hear(self, sound: Sound) -> None:
        """Files only."""
        if sound.original and not sound.seen.mono.silent:
            said = tempo.unknown("") if sound.bpm is None else Tempo(sound.bpm, 1.0, None, (), None)
            self._vectors.append(embedding.embed(sound.seen, said))

    def learn(self) -> dict[str, object]:
        """The table of `atlas`."""
        X = atlas.directions(np.frombuffer(b"".join(self._vectors), "<f4").reshape(len(self._vectors), -1))
        places = laid_out(X)
        # at random: by farthest first, which takes what is odd, 3.9 and not 4.5 of 10 neighbours of other sounds stayed
        chosen = np.random.default_rng(0).permutation(len(X))[:LANDMARKS]
        print(f"{len(X)} sounds, {len(chosen)} landmarks")
        print(f"nearest neighbours that stay: {kept(X, places):.2f} of 10; beside 10 at random {10 * 10 / len(X):.2f}")
        return atlas.pack(atlas.Atlas(VECTOR_VERSION, VERSION, X[chosen], places[chosen]))


def laid_out(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Places of directions (n, 128) by t-SNE, (n, 2), spread evenly over -1 to 1 in each direction."""
    from sklearn.manifold import TSNE

    found = TSNE(perplexity=min(_PERPLEXITY, (len(X) - 1) / 3), init="pca", random_state=0).fit_transform(X)
    ranks = found.argsort(axis=0).argsort(axis=0) / max(1, len(X) - 1) * 2 - 1
    scaled = found / np.abs(found).max(axis=0)
    return np.asarray(0.5 * ranks + 0.5 * scaled, np.float32)


def kept(X: NDArray[np.float32], places: NDArray[np.float32], k: int = 10) -> float:
    """How many of each sound's `k` most alike are among its `k` nearest on the map, the mean."""
    alike = np.argsort(-(X @ X.T), axis=1)[:, 1 : k + 1]
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    near = np.argsort(apart, axis=1)[:, 1 : k + 1]
    return float(np.mean([len(np.intersect1d(a, b)) for a, b in zip(alike, near, strict=True)]))
