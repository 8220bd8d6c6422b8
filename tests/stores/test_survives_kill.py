"""The embedded ledger killed with SIGKILL under load: nothing that was acknowledged is lost, and work goes on."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import MongoSettings
from stores.mongo import MongoStores, connect
from stores.records import Counts, JobState
from tests.servers import Server, mongo_server, running
from tests.stores.making import claim, done, files, finish, new_job, sample, submit
from workers.errors import SampleMindError, StoreUnavailable

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Writer(threading.Thread):
    """Submits and works for ever, and remembers what was acknowledged."""

    def __init__(self, stores: MongoStores, number: int) -> None:
        super().__init__(daemon=True)
        self.stores, self.number = stores, number
        self.jobs: list[str] = []
        self.chunks: list[str] = []
        self.ended: list[str] = []
        self.samples: list[str] = []
        self.enough = threading.Event()
        self.broken: Exception | None = None

    def run(self) -> None:
        round_ = 0
        while not self.enough.is_set():
            round_ += 1
            try:
                self._work(round_)
            except StoreUnavailable:
                self.enough.wait(0.05)
            except (SampleMindError, AssertionError) as error:
                self.broken = error
                return

    def _work(self, round_: int) -> None:
        ledger = self.stores.ledger
        job = ledger.create_job(new_job(source=False, idempotency_key=f"{self.number}-{round_}"))[0]
        self.jobs.append(job.id)
        for n in range(2):
            assert ledger.add_chunk(job.id, n, 3 * n, files(3, 3 * n))
            self.chunks.append(f"{job.id}:{n}")
        ledger.accept_job(job.id)
        new = sample(1_000_000 * self.number + round_)
        self.stores.samples.insert([new])
        self.samples.append(new.id)
        held = claim(ledger, job, 0)
        assert ledger.finish_chunk(held, done(3))
        self.ended.append(held.chunk_id)


def settings_for(server: Server) -> MongoSettings:
    return MongoSettings(url=SecretStr(server.url), min_pool_size=0, server_selection_timeout_s=1)


def test_a_killed_ledger_keeps_what_it_acknowledged_and_works_on(tmp_path: Path) -> None:
    with running(mongo_server(tmp_path)) as server:
        stores = connect(settings_for(server), pool="worker")
        stores.ledger.prepare()
        writers = [Writer(stores, number) for number in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(2):
            time.sleep(1.5)
            server.kill()
            server.start()
        time.sleep(1.0)
        server.kill()
        for writer in writers:
            writer.enough.set()
        server.start()
        for writer in writers:
            writer.join(30)
            check(stores, writer)
        assert stores.ledger.verify_indexes() == []
        assert stores.samples.count() >= sum(len(writer.samples) for writer in writers)
        stores.close()


def check(stores: MongoStores, writer: Writer) -> None:
    if writer.broken is not None:
        raise writer.broken
    assert len(writer.ended) > 5
    known = stores.samples.known(writer.samples)
    assert set(known) == set(writer.samples)
    for job_id in writer.jobs:
        assert stores.ledger.job(job_id).owner == "ada"
    for chunk_id in writer.ended:
        job = stores.ledger.job(chunk_id.split(":")[0])
        assert job.counts == Counts(submitted=6, pending=3, done=3)
        assert job.state is JobState.RUNNING
        finish(stores.ledger, job, 1)
        assert stores.ledger.finish_job(job.id) is JobState.COMPLETE


def test_a_ledger_that_comes_back_is_used_again_by_the_same_client(tmp_path: Path) -> None:
    with running(mongo_server(tmp_path)) as server:
        stores = connect(settings_for(server), pool="worker")
        stores.ledger.prepare()
        job = submit(stores.ledger, [2])
        server.stop()
        with pytest.raises(StoreUnavailable):
            stores.ledger.job(job.id)
        with pytest.raises(StoreUnavailable):
            stores.ledger.ping()
        server.start()
        stores.ledger.ping()
        finish(stores.ledger, job, 0)
        assert stores.ledger.finish_job(job.id) is JobState.COMPLETE
        stores.close()
