"""How quick and how right a search is among many vectors: ``python -m benchmarks.search FOLDER [--vectors 100000]``.

Sounds of a library are analysed, and each vector is varied until there are enough: on each dimension by a third of its
spread. They go into a real ledger and a real index, and a real gateway is asked over HTTP, one search after the other,
by each aspect alike, without and with filters, each that of a sound taken at random. Recall is the share of the ten
nearest by comparing with all that the index finds among so many candidates as a search asks it for.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from benchmarks.heard import Heard, heard_sounds
from benchmarks.load import quantile
from benchmarks.main_job import Figure
from benchmarks.measure import table
from config.environment import cap_threads, use_kernel_cache
from config.settings import ChromaSettings, MongoSettings
from stores import filters
from stores.mongo import connect
from stores.records import FileRef, NewSample, Origin
from stores.vectors import ChromaVectors
from tests.api.test_process import gateway
from tests.servers import start_chroma, start_mongo
from workers.model import ANALYZER_VERSION, VECTOR_DIMENSIONS, VECTOR_VERSION, sample_id

_VARIED = 1 / 3
_CLIENTS = 8
_STEP = 1000
_ASKED = 200
_WARM = 150


@dataclass(frozen=True)
class Crowd:
    """Vectors, and of which sound each is a variation."""

    sounds: Sequence[Heard]
    vectors: NDArray[np.float32]
    of: NDArray[np.intp]

    def sample(self, at: int) -> NewSample:
        """One of them as a sample."""
        content = hashlib.sha256(str(at).encode()).hexdigest()
        return NewSample(
            id=sample_id(content),
            content=content,
            analyzer=ANALYZER_VERSION,
            analysis=self.sounds[self.of[at]].analysis,
            vector=self.vectors[at].tobytes(),
            peaks=b"",
            mel=b"",
            origin=Origin("benchmark", at),
            owner="local",
            file=FileRef("library", f"{at}.wav"),
            space=VECTOR_VERSION,
        )


def crowd(sounds: Sequence[Heard], count: int, seed: int = 1) -> Crowd:
    """So many variations."""
    made = np.random.default_rng(seed)
    real = np.stack([np.frombuffer(sound.vector, "<f4") for sound in sounds])
    of = made.integers(0, len(sounds), count)
    noise = made.standard_normal((count, VECTOR_DIMENSIONS)) * real.std(axis=0) * _VARIED
    return Crowd(sounds, np.clip(real[of] + noise, -4, 4).astype("<f4"), of)


def fill(made: Crowd, mongo: str, chroma: str) -> None:
    """Into the ledger and into the index, as a worker and the index writer do."""
    stores = connect(MongoSettings(url=SecretStr(mongo)), pool="worker")
    vectors = ChromaVectors(ChromaSettings(url=chroma))
    stores.ledger.prepare()
    vectors.open(stores.samples.generation())
    for start in range(0, len(made.vectors), _STEP):
        stores.samples.insert([made.sample(at) for at in range(start, min(start + _STEP, len(made.vectors)))])
        while (outgoing := stores.samples.outgoing(_STEP)) is not None:
            vectors.upsert(outgoing.vectors)
            stores.samples.sent(outgoing, stores.samples.generation())
    vectors.close()
    stores.close()


def recall(made: Crowd, chroma: str, asked: int = _ASKED) -> float:
    """Mean share of the ten nearest that are among the candidates of a search."""
    vectors = ChromaVectors(ChromaSettings(url=chroma))
    vectors.open(1)
    units = made.vectors / np.linalg.norm(made.vectors, axis=1, keepdims=True)
    shares = []
    for at in Random(2).sample(range(len(units)), asked):
        exact = np.argpartition(-(units @ units[at]), 10)[:10]
        found = set(vectors.near(made.vectors[at].tobytes(), limit=200)[:10])
        shares.append(len(found & {made.sample(int(each)).id for each in exact}) / 10)
    vectors.close()
    return statistics.fmean(shares)


def questions(made: Crowd, where: Callable[[Heard], dict[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """Searches like samples taken at random, each with the filter of another one."""
    chosen = Random(seed)
    while True:
        like, other = (chosen.randrange(len(made.vectors)) for _ in range(2))
        yield {"like": {"sample": made.sample(like).id}, "where": where(made.sounds[made.of[other]])}


def anything(_: Heard) -> dict[str, Any]:
    """No filter."""
    return {}


def kind(sound: Heard) -> dict[str, Any]:
    """Its kind."""
    return {"kind": filters.at(sound.analysis, "kind.label")}


def kind_and_tempo(sound: Heard) -> dict[str, Any]:
    """Its kind and, where it has one, its tempo within 5 BPM."""
    bpm = filters.at(sound.analysis, "tempo.bpm")
    return kind(sound) | ({} if bpm is None else {"bpm": [bpm - 5, bpm + 5]})


def kind_and_key(sound: Heard) -> dict[str, Any]:
    """Its kind and, where it has one, all keys that mix with its own."""
    key = filters.at(sound.analysis, "key.label")
    return kind(sound) | ({} if key is None else {"key": key, "key_relation": "neighbours"})


def took(url: str, asked: Iterator[dict[str, Any]], count: int) -> list[float]:
    """Milliseconds of each of so many searches."""
    times = []
    with httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(count):
            begun = time.perf_counter()
            client.post("/v1/search", json=next(asked)).raise_for_status()
            times.append(1000 * (time.perf_counter() - begun))
    return times


def rate(url: str, made: Crowd, seconds: float) -> float:
    """Searches a second that several clients get."""
    over = threading.Event()

    def ask(seed: int) -> int:
        asked, done = questions(made, anything, 100 + seed), 0
        with httpx.Client(base_url=url, timeout=60) as client:
            while not over.is_set():
                client.post("/v1/search", json=next(asked)).raise_for_status()
                done += 1
        return done

    with ThreadPoolExecutor(_CLIENTS) as pool:
        counts = [pool.submit(ask, seed) for seed in range(_CLIENTS)]
        over.wait(seconds)
        over.set()
        return sum(count.result() for count in counts) / seconds


def measured(made: Crowd, url: str, chroma: str) -> list[Figure]:
    """Every figure."""
    cold = took(url, questions(made, anything, 3), 1)[0]
    for warming in (anything, kind_and_tempo):
        took(url, questions(made, warming, 4), _WARM)
    rows = [Figure("the first search of a gateway", cold, "ms", "")]
    wanted: dict[str, tuple[Callable[[Heard], dict[str, Any]], str]] = {
        "no filter": (anything, "< 20"),
        "kind": (kind, "< 60"),
        "kind and tempo": (kind_and_tempo, "< 60"),
        "kind and key": (kind_and_key, "< 60"),
    }
    for name, (where, bound) in wanted.items():
        times = took(url, questions(made, where, 5), _ASKED)
        rows.append(Figure(f"{name}, half of {len(times)}", quantile(times, 50), "ms", ""))
        rows.append(Figure("  95 of 100", quantile(times, 95), "ms", bound))
    rows.append(Figure("recall@10", recall(made, chroma), "", ">= 0.97"))
    rows.append(Figure(f"searches a second, {_CLIENTS} clients", rate(url, made, 8), "/s", ""))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--sounds", type=int, default=1000, help="so many are analysed at most")
    asked = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    made = crowd(list(heard_sounds(asked.folder, asked.sounds, {})), asked.vectors)
    with tempfile.TemporaryDirectory(prefix="samplemind-search-") as name:
        place = Path(name)
        with start_mongo(place / "mongo") as mongo, start_chroma(place / "chroma") as chroma:
            begun = time.monotonic()
            fill(made, mongo, chroma)
            count, sounds = len(made.vectors), len(made.sounds)
            print(f"{count:,} vectors of {sounds} sounds, kept in {time.monotonic() - begun:.0f} s", flush=True)
            with gateway(place, SAMPLEMIND_MONGO__URL=mongo, SAMPLEMIND_CHROMA__URL=chroma) as (_, url):
                found = measured(made, url, chroma)
            rows = [[row.what, f"{row.value:.3g} {row.unit}".strip(), row.asked] for row in found]
            print(table(["", "measured", "asked"], rows))


if __name__ == "__main__":
    main()
