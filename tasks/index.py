"""The index writer: ``python -m tasks.index``. The only one that writes vectors to Chroma.

The samples that the current generation of the index does not hold are its outbox. The index can be thrown away:
where it is damaged, or holds less than it should, a new generation is begun and everything is written again.
Chroma being away delays searches and no job.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from config import tracing
from config.logging import configure_logging
from config.settings import get_settings
from stores.doors import Ledger, Pulse, Samples, Vectors
from tasks.audit import Audit
from tasks.loop import Stop, leave, run
from tasks.patience import Backoff
from tasks.reconcile import this_process
from tasks.signs import ours
from tasks.watch import watched
from workers.errors import StoreUnavailable, VectorIndexBroken

log = structlog.stdlib.get_logger(__name__)

PART: Final = "index"
_HOLD_S: Final = 30.0
_BEAT_TTL_S: Final = 30.0
_SURPLUS: Final = 100
"""So few vectors too many are not worth a rebuild."""
_ORPHAN_S: Final = 20.0
"""Samples are written within seconds; after so long whoever began to is dead, or will see that it was given up."""


class IndexWriter:
    """One round after another.

    Parameters
    ----------
    batch_size : int
        Most vectors in one write.
    idle_s : float
        How long to wait where there is nothing to write, in seconds.
    check_s : float
        From one look whether the index holds as many as it should to the next, in seconds.
    audit_s : float
        From one audit of the whole index to the next, in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        samples: Samples,
        vectors: Vectors,
        pulse: Pulse,
        *,
        batch_size: int,
        idle_s: float,
        holder: str,
        check_s: float = 60,
        audit_s: float = 3600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._samples, self._vectors, self._pulse = ledger, samples, vectors, pulse
        self._audit = Audit(samples, vectors, audit_s, clock)
        self._batch_size, self._idle_s, self._check_s = batch_size, idle_s, check_s
        self._holder, self._clock = holder, clock
        self._generation: int | None = None
        self._serving = 0
        self._rebuilding = Backoff(0.1, 300)
        self._next_check = 0.0
        self._next_beat = 0.0
        self._should = 0
        self._written = 0
        self._unready: dict[str, float] = {}

    def round(self) -> float:
        """Write one batch, or look whether the index is well; how long to wait, in seconds.

        Raises
        ------
        StoreUnavailable
            After which the index is opened and looked at anew.

        An index that is damaged again before it was whole is rebuilt after longer and longer pauses.
        """
        if not self._ledger.hold(PART, self._holder, _HOLD_S):
            self._generation = None
            return self._idle_s
        if self._generation is not None and self._samples.generation() != self._generation:
            self._generation = None  # somebody asked for a new one
        try:
            return self._work()
        except VectorIndexBroken as error:
            self._rebuild(str(error))
            return self._rebuilding.pause_s()
        except StoreUnavailable:
            self._generation = None
            raise

    def leave(self) -> None:
        """Let another one take over at once."""
        leave(PART, self._holder, self._ledger, self._pulse)

    def _work(self) -> float:
        generation = self._opened()
        outgoing = self._samples.outgoing(self._batch_size)
        self._beat(generation, len(outgoing.vectors) if outgoing else 0)
        if outgoing is None:
            self._rest(generation)
            return self._idle_s
        began_s = time.time()
        for n in range(0, len(outgoing.vectors), self._batch_size):
            self._vectors.upsert(outgoing.vectors[n : n + self._batch_size])
        # Noted after it is written: a crash in between writes it once more, which changes nothing.
        self._samples.sent(outgoing, generation)
        self._should += len(outgoing.vectors)
        self._written += len(outgoing.vectors)
        for job_id, count in outgoing.jobs.items():
            log.info("vectors_written", job=job_id, vectors=count, generation=generation)
            tracing.happened(job_id, "vectors", began_s, vectors=count, generation=generation)
        return 0

    def _rest(self, generation: int) -> None:
        """Nothing is outgoing: see that the index is whole, let it be asked, and look more closely."""
        adopted = self._adopted()
        self._check(drained=not adopted)
        if adopted or self._clock() >= self._next_check or self._generation is None:
            return
        if self._serving != generation:
            self._samples.serve(generation)
            self._serving = generation
            self._vectors.drop_older(generation)
            log.info("index_serves", generation=generation)
        if self._audit.step():
            self._rebuild("Some vectors are found by no query.", beside=True)

    def _adopted(self) -> bool:
        """Whether samples are being written now. Those that were for a while already are looked at: is there one?"""
        unready, now = self._samples.unready(), self._clock()
        self._unready = {key: self._unready.get(key, now) for key in unready}
        orphans = [key for key, since in self._unready.items() if now - since >= _ORPHAN_S]
        if orphans:
            self._samples.adopt(orphans)
            log.info("parcels_adopted", parcels=len(orphans))
        return bool(unready)

    def _opened(self) -> int:
        if self._generation is None:
            generation = self._samples.generation()
            self._generation = generation  # before it is opened: a broken one is replaced by its successor
            self._vectors.open(generation)
            self._serving = self._samples.serving()
            self._vectors.drop_older(min(self._serving, generation))
            self._audit.forget()
            self._should = self._samples.indexed_count()
            self._next_check = 0.0
            self._check(drained=False)
            log.info("index_opened", generation=generation)
        return self._generation

    def _check(self, *, drained: bool) -> None:
        """Compare what the index holds with what it should. It may hold more until the outbox is drained."""
        if self._clock() < self._next_check:
            return
        holds = self._vectors.probe()
        if self._differs(holds, drained):
            # Counting a million samples takes seconds: only where what we remember is in doubt.
            self._should = self._samples.indexed_count()
            if self._differs(holds, drained) and not (drained and self._more_came()):
                raise VectorIndexBroken(f"It holds {holds} vectors and should hold {self._should}.")
        if drained:
            self._drop_surplus(holds)
            self._rebuilding.reset()
            self._next_check = self._clock() + self._check_s

    def _drop_surplus(self, holds: int) -> None:
        """Begin a new generation where a good part of this one is listed no more, as after a new analyser."""
        if self._samples.surplus() <= _SURPLUS:
            return
        self._should = self._samples.indexed_count()
        surplus = holds - self._should
        if surplus > max(_SURPLUS, self._should // 2):
            why = f"{surplus} of its vectors belong to samples that newer ones replaced."
            self._rebuild(why, beside=True)

    def _more_came(self) -> bool:
        """Whether samples were written while we counted: only we take parcels away, so theirs would still be here."""
        return self._samples.outgoing(1) is not None or bool(self._samples.unready())

    def _differs(self, holds: int, drained: bool) -> bool:
        if holds < self._should:
            return True
        return drained and holds > self._should and holds > self._should + self._samples.surplus()

    def _rebuild(self, why: str, *, beside: bool = False) -> None:
        was = self._generation if self._generation is not None else self._samples.generation()
        now = self._samples.next_generation(was, beside=beside)
        log.warning("index_rebuilt", was=was, generation=now, why=why)
        self._generation = None

    def _beat(self, generation: int, pending: int) -> None:
        if self._clock() < self._next_beat:
            return
        self._next_beat = self._clock() + _BEAT_TTL_S / 4
        facts = {"generation": generation, "written": self._written, "pending": pending, **self._audit.facts()}
        try:
            self._pulse.beat(PART, self._holder, facts, _BEAT_TTL_S)
        except StoreUnavailable:
            log.debug("pulse_missed")


def main() -> None:
    """Run until SIGTERM."""
    from stores.mongo import connect
    from stores.pulse import RedisPulse, quick
    from stores.vectors import ChromaVectors

    settings = get_settings()
    configure_logging(settings.log, part="index")
    tracing.configure_tracing(settings.tracing, "index")
    stop = Stop()
    stop.on_signals()
    stores = connect(settings.mongo, pool="worker", told=lambda: ours().step())
    pulse = RedisPulse(quick(settings.redis))
    vectors = ChromaVectors(settings.chroma)
    writer = IndexWriter(
        stores.ledger,
        stores.samples,
        vectors,
        pulse,
        batch_size=settings.chroma.batch_size,
        idle_s=settings.queue.idle_interval_s,
        check_s=settings.chroma.check_interval_s,
        audit_s=settings.chroma.audit_interval_s,
        holder=this_process(),
    )
    log.info("index_writer_started")
    try:
        with watched(settings, PART, pulse, this_process(), _BEAT_TTL_S):
            run(writer.round, stop)
    finally:
        writer.leave()
        vectors.close()
        pulse.close()
        stores.close()
        tracing.close_tracing()
    log.info("index_writer_stopped")


if __name__ == "__main__":
    main()
