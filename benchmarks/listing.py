"""What listing, sorting and counting cost the embedded ledger: ``python -m benchmarks.listing FOLDER``.

Sounds of a library are analysed and varied until there are enough (`benchmarks.search`), and kept in a ledger of their
own, which is then asked for first pages. Printed are the processor time that the ledger's server spent on a question,
which other work on the machine does not change much, and the shortest time of several that it took to be answered.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import psutil
from pydantic import SecretStr

from benchmarks.heard import heard_sounds
from benchmarks.measure import table
from benchmarks.search import Crowd, crowd
from config.environment import cap_threads, use_kernel_cache
from config.settings import MongoSettings
from stores.mongo import connect
from stores.records import Order, SampleFilter, Sort
from stores.samples import MongoSamples
from tests.servers import start_mongo

WANTED_MS = 150
_PAGE = 100
_STEP = 1000
_TIMES = 4
Ask = Callable[[], object]


def questions(samples: MongoSamples) -> Mapping[str, Ask]:
    """First pages, and counts."""

    def page(where: SampleFilter | None = None, by: Order | None = None, *, down: bool = False) -> Ask:
        sort = None if by is None else Sort(by, down)
        return partial(samples.page, where or SampleFilter(), cursor=None, limit=_PAGE, sort=sort)

    loops, slow = SampleFilter(kind="loop"), SampleFilter(bpm=(118.0, 122.0))
    sorted_ones = {f"sort={'-' * down}{by}": page(by=by, down=down) for by in Order for down in (False, True)}
    return {
        "all": page(),
        **sorted_ones,
        "kind=loop": page(loops),
        "kind=loop, sort=-added": page(loops, Order.ADDED, down=True),
        "key=C minor": page(SampleFilter(key="C minor")),
        "bpm=118..122": page(slow),
        "facets, again": partial(samples.facets, SampleFilter()),
        "facets of kind=loop, again": partial(samples.facets, loops),
    }


def fill(made: Crowd, samples: MongoSamples) -> None:
    """As workers do."""
    for start in range(0, len(made.vectors), _STEP):
        samples.insert([made.sample(at) for at in range(start, min(start + _STEP, len(made.vectors)))])


def measured(server: psutil.Process, what: str, ask: Ask) -> list[str]:
    """One question, several times after a first that counts for nothing."""
    ask()
    times, spent = [], sum(server.cpu_times()[:2])
    for _ in range(_TIMES):
        begun = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - begun))
    cpu = 1000 * (sum(server.cpu_times()[:2]) - spent) / _TIMES
    return [what, f"{cpu:.0f}", f"{min(times):.0f}", "reached" if cpu < WANTED_MS else "NOT REACHED"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=25_000)
    parser.add_argument("--sounds", type=int, default=400, help="so many are analysed at most")
    asked = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    made = crowd(list(heard_sounds(asked.folder, asked.sounds, {})), asked.samples)
    with tempfile.TemporaryDirectory(prefix="samplemind-listing-") as place, start_mongo(Path(place)) as url:
        (server,) = psutil.Process().children()
        stores = connect(MongoSettings(url=SecretStr(url)), pool="gateway")
        stores.ledger.prepare()
        fill(made, stores.samples)
        rows = [measured(server, what, ask) for what, ask in questions(stores.samples).items()]
        stores.close()
    head = [f"{asked.samples:,} samples", "server's CPU, ms", "answered in, ms", f"wanted: under {WANTED_MS} ms of CPU"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
