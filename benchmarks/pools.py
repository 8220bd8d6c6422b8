"""What pools of connections are worth (rows D1 and D2): ``python -m benchmarks.pools [--json FILE]``.

64 clients ask a real server for one small thing again and again, side by side: through the one client that a process
of ours shares, as `config.settings` makes it, and through a connection of their own for each question. Both in turns,
several times; printed are the questions a second of each, and how many times as many the pool answers.

By default on the embedded servers, which are one process with one core; ``--mongo URL`` and ``--redis URL`` ask others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr
from pymongo import MongoClient

from benchmarks.measure import table
from config.settings import MongoSettings, RedisSettings
from stores import pulse
from stores.mongo import client_options
from tests.servers import start_mongo, start_valkey

CLIENTS = 64
_ASKED = "D1: 50 to 100 % more", "D2: 10 to 30 % faster"
Ask = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """One server: questions a second, each the median of the rounds, with the lowest and the highest."""

    server: str
    pooled: float
    pooled_range: tuple[float, float]
    single: float
    single_range: tuple[float, float]
    ratio: float
    asked: str


def rate(ask: Ask, clients: int, seconds: float) -> float:
    """Questions a second that so many clients get answered, side by side."""
    over = threading.Event()

    def client() -> int:
        done = 0
        while not over.is_set():
            ask()
            done += 1
        return done

    with ThreadPoolExecutor(clients) as threads:
        counts = [threads.submit(client) for _ in range(clients)]
        over.wait(seconds)
        over.set()
        return sum(count.result() for count in counts) / seconds


def compared(server: str, pooled: Ask, single: Ask, asked: str, options: argparse.Namespace) -> Figure:
    """Both in turns."""
    rates: dict[Ask, list[float]] = {pooled: [], single: []}
    for ask in rates:
        rate(ask, options.clients, min(1.0, options.seconds))
    for _ in range(options.rounds):
        for ask, found in rates.items():
            found.append(rate(ask, options.clients, options.seconds))
    ours, theirs = (statistics.median(found) for found in rates.values())
    low_high = [(min(found), max(found)) for found in rates.values()]
    return Figure(server, ours, low_high[0], theirs, low_high[1], ours / theirs, asked)


@contextmanager
def mongo(url: str) -> Iterator[tuple[Ask, Ask]]:
    """Reading one job by its id."""
    settings = MongoSettings(url=SecretStr(url), database="benchmark_pools")
    options = client_options(settings, "gateway")

    def read(client: MongoClient[dict[str, object]]) -> None:
        if client[settings.database]["jobs"].find_one({"_id": 1}) is None:
            raise SystemExit("The document is gone.")

    def single() -> None:
        with MongoClient[dict[str, object]](url, **{**options, "minPoolSize": 0}) as client:
            read(client)

    with MongoClient[dict[str, object]](url, **options) as client:
        client[settings.database]["jobs"].replace_one({"_id": 1}, {"state": "done"}, upsert=True)
        yield lambda: read(client), single
        client.drop_database(settings.database)


@contextmanager
def broker(url: str) -> Iterator[tuple[Ask, Ask]]:
    """Asking how long a queue is."""
    settings = RedisSettings(url=SecretStr(url))

    def single() -> None:
        with pulse.connect(settings) as client:
            client.llen("normal")

    with pulse.connect(settings) as client:
        yield lambda: client.llen("normal"), single


def measured(options: argparse.Namespace) -> list[Figure]:
    """Both servers, one after the other."""
    figures = []
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samplemind-pools-")))
        url = options.mongo or stack.enter_context(start_mongo(place / "mongo"))
        with mongo(url) as (pooled, single):
            figures.append(compared("MongoDB" if options.mongo else "SecantusDB", pooled, single, _ASKED[0], options))
        url = options.redis or stack.enter_context(start_valkey(place / "redis"))
        with broker(url) as (pooled, single):
            figures.append(compared("Redis" if options.redis else "Valkey", pooled, single, _ASKED[1], options))
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pools", description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each round takes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mongo", help="a server of yours; by default the embedded one is started")
    parser.add_argument("--redis", help="a server of yours; by default the embedded one is started")
    parser.add_argument("--json", type=Path, help="also write the results here")
    options = parser.parse_args()
    figures = measured(options)
    head = ["server", f"pool, {options.clients} clients", "a connection each", "pool over single", "seed"]
    rows = [_row(each) for each in figures]
    print(table(head, rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in figures], indent=1) + "\n", "utf-8")


def _row(figure: Figure) -> list[str]:
    rates = _spread(figure.pooled, figure.pooled_range), _spread(figure.single, figure.single_range)
    return [figure.server, *rates, f"{figure.ratio:.1f} times", figure.asked]


def _spread(middle: float, low_high: tuple[float, float]) -> str:
    return f"{middle:,.0f}/s ({low_high[0]:,.0f} to {low_high[1]:,.0f})"


if __name__ == "__main__":
    main()
