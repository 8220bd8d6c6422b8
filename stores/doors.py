"""The doors: what each database does for us, as protocols.

Each has one implementation on a real server and one in memory for tests (`stores.memory`), and one set of contract
tests in `tests/stores/` that both must pass. Foreign errors end here: every method raises only `StoreError`s and
`RequestError`s, `StoreUnavailable` where the server cannot be reached.

Rules that keep the promise (docs/decisions/0001-ledger.md):

* Every state change is one conditional update that one caller wins; times and leases use the database's clock.
* Writes are acknowledged by a majority and journaled before a method returns.
* Every write may be repeated: the same call twice has the effect of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from stores.records import (
    Among,
    ApiKey,
    Cause,
    Claim,
    Counts,
    Death,
    Facets,
    FailedFile,
    FileRef,
    FileRow,
    Hit,
    Job,
    JobState,
    LastSeen,
    Mark,
    NewJob,
    NewSample,
    Offer,
    Origin,
    Outgoing,
    Outline,
    Page,
    PendingVector,
    Reason,
    Row,
    Sample,
    SampleFilter,
    SavedSearch,
    ScanClaim,
    Sort,
    Status,
)


class Ledger(Protocol):
    """Jobs, chunks and the end of each file."""

    # -- what the gateway does
    def create_job(self, new: NewJob) -> tuple[Job, bool]:
        """Keep a job and say whether it is new; with a known idempotency key the job of the first request.

        With a source it starts as `scanning`, without one as `receiving` (add files, then `accept_job`).

        Raises
        ------
        IdempotencyReused
            The owner used the key for a request with another fingerprint.
        SubmissionInFlight
            The first request with this key is still `receiving`.
        """

    def accept_job(self, job_id: str) -> Job:
        """A received job's files are all in the ledger: `receiving` -> `running`."""

    def drop_job(self, job_id: str) -> None:
        """Forget a job that is still `receiving`, its chunks and its idempotency key."""

    def drop_abandoned(self, idle_s: float = 600.0) -> int:
        """Drop jobs that are `receiving` and got no chunk for so long (their gateway died), and finish drops cut
        short. How many. Called by the reconciler."""

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        """One job with fresh counts. `NotFound` where there is none (of this owner)."""

    def jobs(self, *, owner: str | None, cursor: str | None, limit: int) -> Page[Job]:
        """Jobs, newest first."""

    def request_cancel(self, job_id: str, *, owner: str | None = None) -> Job:
        """Ask for a job to be cancelled; nothing changes for one that has ended. What is not started is skipped."""

    def pause(self, job_id: str, *, owner: str | None = None) -> Job:
        """Begin nothing more of a job; what is at work is finished. No change for one that ended or is cancelled."""

    def resume(self, job_id: str, *, owner: str | None = None) -> Job:
        """Go on with a paused job; no change for any other."""

    def files(self, job_id: str, *, status: Status | None, cursor: str | None, limit: int) -> Page[FileRow]:
        """A job's files in the order they were submitted. Bounded work per call, whatever the job's size."""

    def causes(self, *, owner: str | None) -> list[Cause]:
        """Why files failed, and how many of each that no job has tried again since; the most frequent first."""

    def failures(self, *, owner: str | None, cause: str | None, cursor: str | None, limit: int) -> Page[FailedFile]:
        """Those files, the newest job's first, in the order they were submitted."""

    def failure(self, file_id: str, *, owner: str | None) -> FailedFile:
        """One of them, or `NotFound`."""

    def release(self, file_ids: Sequence[str], job_id: str) -> None:
        """This job tries them again: they are no longer in quarantine."""

    # -- what the scan does
    def claim_scan(self, job_id: str, lease_s: float) -> ScanClaim | None:
        """The right to walk a job's source. ``None`` if it is held, paused, cancelled, or there is nothing to scan."""

    def add_chunk(
        self, job_id: str, n: int, first: int, files: Sequence[FileRef], rows: Sequence[Row] | None = None
    ) -> bool:
        """Write chunk `n`. False if it is already there: another scanner was quicker, claim again.

        With `rows` it has ended already: nobody needs to look at its files.
        """

    def earlier(self, job_id: str) -> Job | None:
        """The last complete job of the same owner over the same folder, or ``None``."""

    def chunk_rows(self, job_id: str, n: int) -> list[FileRow]:
        """The files of one chunk, in order."""

    def renew_scan(self, job_id: str, token: str, lease_s: float) -> bool:
        """Hold the scan longer. False if it is lost, or the job was cancelled or paused."""

    def release_scan(self, job_id: str, token: str) -> None:
        """Give the scan back before its end: the next message goes on."""

    def finish_scan(self, job_id: str, token: str, reason: Reason | None = None) -> bool:
        """The source was walked to its end: `scanning` -> `running`. A `reason` says why it could not be."""

    # -- what a worker does
    def claim_chunk(
        self, chunk_id: str, lease_s: float, *, dead: Callable[[], int | None] = lambda: None
    ) -> Claim | None:
        """Hold an open chunk whose lease is free or over; counts the attempt. ``None`` if there is nothing to do now:
        also while its job is paused.

        `dead` is asked where there were attempts before: which of them is known to have died, so that its lease holds
        nobody up.
        """

    def note_death(self, claim: Claim, attempt: int, death: Death) -> Claim:
        """Keep which file of a held chunk an earlier attempt died at; the claim with it."""

    def renew_chunk(self, claim: Claim, lease_s: float) -> bool:
        """Hold it longer. False if it is not ours any more."""

    def look_at(self, claim: Claim) -> tuple[bool, bool]:
        """How it stands, without a change: (still ours, job cancelled)."""

    def return_chunk(self, claim: Claim, later_s: float) -> None:
        """Give it back undone: nobody takes it for `later_s`, and this attempt is none. Not ours any more: nothing."""

    def finish_chunk(self, claim: Claim, rows: Sequence[Row]) -> bool:
        """End a chunk with the end of each of its files, in one write. False if the claim was lost: drop the rows."""

    # -- what the reconciler does
    def active_jobs(self) -> list[Job]:
        """Jobs that are scanning or running, oldest first. Their counts may be stale."""

    def active_count(self) -> int:
        """How many jobs are scanning or running."""

    def idle_scans(self) -> list[str]:
        """Jobs that are scanning with no live lease: their scan is to be published (again)."""

    def unfed(self, job_id: str, limit: int) -> list[str]:
        """Ids of the next open chunks that were never published, in order, at most `limit`."""

    def mark_fed(self, job_id: str, chunk_ids: Sequence[str]) -> None:
        """These, given by `unfed` or `stale`, were published now."""

    def stale(self, job_id: str, *, published_s_ago: float, limit: int) -> list[tuple[str, int, int]]:
        """Published chunks that nobody works on, as (id, attempts, number of files): the lease is over, or they were
        published so long ago, or before the job was resumed, and never claimed. None while it is paused. Attempts that
        are known to have died at a file do not count."""

    def split_chunk(self, chunk_id: str) -> list[str]:
        """Replace an open chunk without a live lease by one chunk a file; their ids. Finishes a split cut short."""

    def fail_chunk(self, chunk_id: str, reason: Reason) -> bool:
        """End an open chunk without a live lease: every file `failed` with this reason."""

    def sweep_cancelled(self, job_id: str, limit: int) -> int:
        """End open, unleased chunks of a cancelled job: every file `skipped` (cancelled). How many chunks."""

    def fold(self, job_id: str) -> Counts:
        """Move the settled prefix of a job's chunks into the job's row and give its counts."""

    def finish_job(self, job_id: str) -> JobState | None:
        """End a job with nothing open: complete, cancelled or failed. Only the caller who wins gets the state."""

    def hold(self, part: str, holder: str, lease_s: float) -> bool:
        """Be the one `part` (reconciler, index writer) for a while; renewed by the same holder."""

    def let_go(self, part: str, holder: str) -> None:
        """Stop being it, so that another may begin at once."""

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the ledger answers and can write."""

    def announce(self, offer: Offer) -> None:
        """Say what this cluster is made of; the last gateway that started is right."""

    def offer(self) -> Offer | None:
        """What was announced; ``None`` where no gateway has run here yet."""

    def prepare(self) -> None:
        """Make what is missing of collections and indexes. Safe to repeat; done by `up` and at each start."""

    def close(self) -> None:
        """Give the connections back."""


class Samples(Protocol):
    """Analyses by content, their pictures, and the outbox of vectors."""

    def known(self, ids: Iterable[str]) -> dict[str, Origin]:
        """Which of these exist, and for which submitted file each was first analysed."""

    def insert(self, samples: Sequence[NewSample]) -> dict[str, Origin]:
        """Keep analyses; where one is already there the older stays. The origin of each as it now stands.

        Where a content has answers of several analysers, only the newest is listed and indexed from then on, and has
        the owners and places of all.
        """

    def seen_at(self, places: Sequence[tuple[str, FileRef]], *, owner: str | None = None) -> None:
        """Add places where known samples were seen (at most 20 a sample); writes nothing that is already known.

        `owner` is whose files these are (by default the sample's first owner): from then on it is also theirs, and
        each owner sees only their own places.
        """

    def settled(self, digests: Sequence[str]) -> dict[str, frozenset[str]]:
        """Of these runs of files, those of which all samples and places are known: the jobs that first saw them."""

    def settle(self, runs: Mapping[str, frozenset[str]]) -> None:
        """Remember runs of files of which all samples and places are known from now on."""

    def get(self, sample_id: str, *, owner: str | None = None) -> Sample:
        """One sample, or `NotFound`."""

    def many(self, sample_ids: Sequence[str], *, owner: str | None = None, listed: bool = False) -> dict[str, Sample]:
        """Those of these that exist and, with an `owner`, are theirs; `listed`: that no newer analysis replaced."""

    def vectors(self, sample_ids: Sequence[str]) -> dict[str, bytes]:
        """The vectors of those that exist and have one."""

    def same_pcm(self, hashes: Sequence[str], *, owner: str | None = None) -> dict[str, list[Sample]]:
        """By each of these hashes of decoded samples the listed samples that have it, in the order of their ids."""

    def preview(self, sample_id: str) -> tuple[bytes, bytes]:
        """(peaks, mel) as in `workers.model.Preview`, or `NotFound`."""

    def page(
        self,
        where: SampleFilter,
        *,
        cursor: str | None,
        limit: int,
        sort: Sort | None = None,
        among: Among | None = None,
    ) -> Page[Sample]:
        """Samples that match, in a stable order."""

    def outlines(
        self, where: SampleFilter, *, cursor: str | None, limit: int, among: Among | None = None
    ) -> Page[Outline]:
        """As much of the samples that match as a map shows, in a stable order."""

    def facets(self, where: SampleFilter, among: Among | None = None) -> Facets:
        """How many of the samples that match have which value."""

    def current(self, sample_ids: Sequence[str], *, owner: str | None = None) -> dict[str, Sample]:
        """The listed sample of each of these samples' contents, whichever analyser made it, by the id asked for."""

    def count(self) -> int:
        """How many samples are listed (may be an estimate)."""

    def outdated(self, analyzer: str, *, owner: str | None, after: str, limit: int) -> list[Sample]:
        """Listed samples that an older analyser than this made, in the order of their ids, behind `after`."""

    def spaces(self) -> frozenset[int]:
        """Spaces of the vectors there are: those of different ones must not be compared."""

    def outgoing(self, limit: int) -> Outgoing | None:
        """Vectors that the present index may not hold yet, some `limit` of them; ``None`` where there are none."""

    def sent(self, outgoing: Outgoing, generation: int) -> None:
        """The index of this generation holds them now."""

    def unready(self) -> list[str]:
        """Keys of parcels whose samples are being written, or never were: their writer may have died."""

    def adopt(self, parcels: Iterable[str]) -> None:
        """Send off what there is of unready parcels whose writer died. Harmless where it did not."""

    def indexed_count(self, *, roughly: bool = False) -> int:
        """How many vectors the present index should hold at least, and exactly if nothing is outgoing or unready.

        `roughly` may be a little old: for what is shown.
        """

    def surplus(self) -> int:
        """How many vectors the present index may hold of samples that are listed no more: at most."""

    def generation(self) -> int:
        """The generation of the vector index that is written, from 1."""

    def serving(self) -> int:
        """The generation that searches ask: the same, or an older one as long as the newer is not whole."""

    def next_generation(self, was: int, *, beside: bool = False) -> int:
        """Begin a new one, to which every vector is pending; one caller wins, all get the current number.

        Searches follow at once, or with `beside` when it is said to be whole (`serve`).
        """

    def serve(self, generation: int) -> None:
        """It is whole: let searches ask it. Nothing changes where it is not the current one any more."""

    def walk(self, after: str, limit: int) -> Outgoing:
        """The vectors of the next samples in the order of their ids, from some `limit` samples."""


class Marks(Protocol):
    """What owners say of sounds themselves. It belongs to the content: any analyser's sample of it is meant."""

    def put(self, owner: str, sample_id: str, mark: Mark) -> None:
        """Say this, in place of what was said before; an empty mark takes it back. `TooManyMarks` has a bound."""

    def of(self, owner: str, sample_ids: Iterable[str]) -> dict[str, Mark]:
        """What this owner says of these samples; only of those of which they say anything."""

    def find(
        self, owner: str, *, tags: tuple[str, ...] = (), favourite: bool = False, corrects: bool = False
    ) -> dict[str, Mark]:
        """All they say, by the sample it was said of: with any of these tags, of favourites, of corrections."""

    def tags(self, owner: str) -> dict[str, int]:
        """Their tags and how many sounds have each, the most frequent first."""


class Searches(Protocol):
    """Questions that owners keep by a name."""

    def put(self, owner: str, name: str, asked: Mapping[str, object]) -> SavedSearch:
        """Keep it, in place of one of that name. `TooManySearches` has a bound."""

    def get(self, owner: str, name: str) -> SavedSearch:
        """One of theirs, or `NotFound`."""

    def list(self, owner: str) -> list[SavedSearch]:
        """All of theirs, by name."""

    def remove(self, owner: str, name: str) -> None:
        """Forget it. `NotFound` where there is none."""


class Vectors(Protocol):
    """The index. It can be thrown away: everything in it is also in `Samples`."""

    def open(self, generation: int) -> None:
        """Use (and make, if missing) the collection of a generation."""

    def drop_older(self, generation: int) -> None:
        """Remove the collections of older generations."""

    def upsert(self, vectors: Sequence[PendingVector]) -> None:
        """Write vectors. `VectorIndexBroken` where the collection answers errors while the server lives."""

    def query(self, vector: bytes, *, limit: int, where: Mapping[str, object] | None = None) -> list[Hit]:
        """Nearest first. `where` in Chroma's filter language."""

    def near(self, vector: bytes, *, limit: int) -> list[str]:
        """The ids of the nearest, nearest first: as `query` without a filter, and much less to send."""

    def described(self, ids: Sequence[str]) -> list[PendingVector]:
        """Of these, the vectors that are there, with what is kept beside them."""

    def held(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Of these, the vectors that are there, whether or not a query finds them."""

    def ids(self, start: int, limit: int) -> list[str]:
        """Some of the ids, in the index's own order: that of their arrival."""

    def page(self, start: int, limit: int) -> list[PendingVector]:
        """The same with their vectors, and with what is kept beside them."""

    def count(self) -> int:
        """How many vectors are written, whether or not a query finds them."""

    def remove(self, ids: Sequence[str]) -> None:
        """Forget vectors."""

    def probe(self) -> int:
        """How many vectors there are, after a query that must answer. Raises `VectorIndexBroken`."""

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the server answers."""


class Keys(Protocol):
    """API keys, hashed."""

    def create(self, *, name: str, owner: str, scopes: Sequence[str], ttl_s: float | None) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown this once: ``sm_<id>_<256 random bits>``."""

    def check(self, secret: str) -> ApiKey | None:
        """The key behind a secret, unless it is unknown, revoked or expired. Compared in constant time."""

    def list(self) -> list[ApiKey]:
        """Every key that has not been revoked."""

    def get(self, key_id: str) -> ApiKey:
        """One key. `NotFound` where there is none."""

    def expire(self, key_id: str, ttl_s: float, *, successor: str | None = None) -> ApiKey:
        """Have a key end after so long, unless it ends sooner anyway. `NotFound` where there is none.

        `successor`: the id of the key that takes its place.
        """

    def revoke(self, key_id: str) -> None:
        """Forget a key. `NotFound` where there is none."""

    def any(self) -> bool:
        """Whether a key exists: then every request needs one."""


class Pulse(Protocol):
    """Which processes are alive and get on: a hint, kept in Redis."""

    def beat(self, part: str, name: str, facts: Mapping[str, str | int | float], ttl_s: float) -> None:
        """Say that this process is alive, and what it is at."""

    def gone(self, part: str, name: str) -> None:
        """Say that this process ends now, instead of being missed after its time."""

    def is_alive(self, part: str, name: str) -> bool:
        """Whether this process beat within its time."""

    def alive(self) -> list[dict[str, str]]:
        """Every process that beat within its time: part, name and its facts."""

    def at_file(self, chunk_id: str, attempt: int, n: int) -> None:
        """Say that this attempt at a chunk is at its `n`-th file now; -1: at none yet."""

    def left_chunk(self, chunk_id: str) -> None:
        """Say that nobody is at this chunk any more."""

    def died(self, chunk_id: str, of: str) -> None:
        """Say that the process at this chunk is dead, and what of."""

    def last_seen(self, chunk_id: str) -> LastSeen | None:
        """Where the process is or was that said so last and has not left."""

    def queue_lengths(self) -> dict[str, int]:
        """Messages waiting in each of our queues, by its name."""

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless Redis answers."""


class Stores(Protocol):
    """What one connection to the ledger's server opens: `stores.mongo.MongoStores`, `stores.memory.MemoryStores`."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def samples(self) -> Samples: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def marks(self) -> Marks: ...

    @property
    def searches(self) -> Searches: ...

    def close(self) -> None:
        """Give the connections back."""
