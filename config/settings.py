"""Settings: one frozen section a part. The only module that reads the environment.

A value comes, strongest first, from an argument, the environment (``SAMPLEMIND_MONGO__URL``), a secret file
(``mongo__url`` in the folder ``SAMPLEMIND_SECRETS_DIR``), or the TOML file ``SAMPLEMIND_CONFIG_FILE``. A wrong
or unknown one stops the start and names the field. ``docs/settings.md`` is generated from this module.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from config.buckets import SCHEME, BucketUrl

PREFIX = "SAMPLEMIND_"

Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """A part's settings: frozen, and no field it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Certified(Section):
    """A part with certificates: they must be there when it starts."""

    @field_validator("tls_ca", "tls_cert", "tls_key", check_fields=False)
    @classmethod
    def _there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"there is no file {path}")
        return path


class Reached(Certified):
    """A part that may be reached over TLS. Its certificate is always checked, and the host's name with it."""

    tls_ca: Path | None = Field(
        None, description="Certificates to trust (PEM): your own authority's. By default the system's."
    )


class MongoSettings(Reached):
    """The ledger (row D1)."""

    url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017"),
        description="Where the ledger is; a replica set in production. TLS with `tls=true` in it.",
    )
    tls_cert: Path | None = Field(None, description="This client's certificate and key in one PEM file, if asked for.")
    database: str = Field("samplemind", min_length=1, description="The database's name.")
    max_pool_size: int = Field(
        100, ge=1, description="Most connections a process opens: the gateway's threads queue beyond it."
    )
    min_pool_size: int = Field(
        10, ge=0, description="Connections a gateway keeps warm. A worker, one thread, keeps one."
    )
    socket_timeout_s: Seconds = Field(30, description="Longest wait for one reply, in seconds.")
    connect_timeout_s: Seconds = Field(5, description="Longest wait for a connection, in seconds.")
    server_selection_timeout_s: Seconds = Field(
        5, description="Longest wait for a primary, in seconds; then the gateway answers 503."
    )
    write_concern: str = Field(
        "majority", description="Acknowledged by a majority, always journaled: no 202 before the row is safe."
    )
    read_preference: Literal["primary", "primaryPreferred"] = Field(
        "primaryPreferred", description="Lists may be read from a secondary while there is no primary."
    )


class RedisSettings(Reached):
    """The queue's broker (row D2). It carries hints only; losing all of it loses nothing."""

    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="Where the broker is; `rediss://` is TLS."
    )
    tls_cert: Path | None = Field(None, description="This client's certificate, if the broker asks for one.")
    tls_key: Path | None = Field(None, description="Its key.")
    key_prefix: str = Field("sm:", description="Before every key, so that one server can serve several clusters.")
    max_connections: int = Field(100, ge=1, description="Most connections a process opens.")
    connect_timeout_s: Seconds = Field(5, description="Longest wait for a connection, in seconds.")
    socket_timeout_s: Seconds = Field(
        30,
        description="Longest wait for a reply, in seconds; without it a dead path hangs a publisher for ever.",
    )
    keepalive_idle_s: int = Field(60, ge=1, description="TCP keepalive: idle seconds before the first probe.")
    keepalive_interval_s: int = Field(10, ge=1, description="TCP keepalive: seconds between probes.")
    keepalive_count: int = Field(3, ge=1, description="TCP keepalive: lost probes that end a connection.")


class RabbitSettings(Reached):
    """The queue's other broker. Redis stays for signs of life; all of both may be lost."""

    url: SecretStr | None = Field(
        None, description="`amqp://name:password@host/vhost`: the queue is there, not in Redis; `amqps://` is TLS."
    )
    tls_cert: Path | None = Field(None, description="This client's certificate, if the broker asks for one.")
    tls_key: Path | None = Field(None, description="Its key.")
    connect_timeout_s: Seconds = Field(5, description="Longest wait for a connection, in seconds.")
    socket_timeout_s: Seconds = Field(10, description="Longest wait for a reply, in seconds.")
    heartbeat_s: int = Field(20, ge=2, description="A connection on which nothing was heard for so long is given up.")


class ChromaSettings(Reached):
    """The vector index (row D3). It can be thrown away: vectors also live in the ledger."""

    url: str = Field(
        "http://127.0.0.1:8000", description="Where `chroma run` listens, or an `https://` proxy before it."
    )
    token: SecretStr | None = Field(
        None, description="Sent as `Authorization: Bearer`, for a proxy: Chroma itself asks for nothing."
    )
    collection: str = Field("samples", min_length=3, description="Prefix of the collections' names.")
    space: Literal["cosine"] = Field("cosine", description="Distance between vectors.")
    ef_construction: int = Field(200, ge=10, description="HNSW: candidates looked at when a vector is added.")
    ef_search: int = Field(64, ge=10, description="HNSW: candidates looked at by a query.")
    max_neighbors: int = Field(32, ge=4, description="HNSW: links of a vector (M).")
    batch_size: int = Field(
        100, ge=1, le=5000, description="Vectors in one write: with large ones a kill can break a collection."
    )
    sync_threshold: int = Field(
        100, ge=2, description="Writes between two saves of the graph; at 100 no kill was seen to break it."
    )
    timeout_s: Seconds = Field(30, description="Longest wait for a reply, in seconds.")
    check_interval_s: Seconds = Field(
        60, description="From one look whether the index holds as many vectors as it should to the next, in seconds."
    )
    cache_vectors: int = Field(
        150_000,
        ge=0,
        description="Vectors that a gateway keeps in memory, some 2 KB each: those that a search met, and once one has "
        "a filter all of an index that has no more.",
    )
    audit_interval_s: Seconds = Field(
        3600, description="From one comparison of the whole index with the ledger to the next, in seconds."
    )


class QueueSettings(Section):
    """Celery, the feeder and the leases."""

    chunks_per_worker: int = Field(
        50, ge=1, description="Most chunks in the queue for each worker alive; mostly there are three."
    )
    max_jobs: int = Field(
        5000, ge=1, description="Jobs that have not ended; a further one is answered with 429 until some have."
    )
    ageing_s: Seconds = Field(
        30, description="A chunk that waits so long goes ahead of all more urgent ones, a few at a time, in seconds."
    )
    lease_s: Seconds = Field(30, description="How long a worker holds a chunk without a sign of progress, in seconds.")
    task_time_limit_s: int = Field(300, ge=10, description="A task is killed after so many seconds.")
    visibility_timeout_s: int = Field(
        900, ge=30, description="Redis redelivers an unacknowledged message after so many seconds."
    )
    soft_shutdown_s: float = Field(20, ge=0, description="A stopping worker may finish its chunk for so long.")
    republish_after_s: Seconds = Field(
        300, description="A chunk published and not started for so long is published again, in seconds."
    )
    republish_idle_s: Seconds = Field(
        5, description="The same while the queue is empty: then its message is certainly lost, in seconds."
    )
    max_attempts: int = Field(
        3, ge=1, description="Deaths of workers at one file before it is failed, and at a chunk before it is split."
    )
    chunk_cost_s: Seconds = Field(2, description="Estimated work in one chunk, in seconds.")
    chunk_files: int = Field(200, ge=1, le=2000, description="Most files in one chunk.")
    scan_slice_s: Seconds = Field(10, description="A scan yields its worker after so many seconds.")
    stuck_after_s: Seconds = Field(
        30, description="A process that does not get on for so long, while it could, is stuck and replaced, in seconds."
    )
    feed_interval_s: Seconds = Field(0.5, description="The feeder looks so often while there is work, in seconds.")
    idle_interval_s: Seconds = Field(2, description="The feeder and the index writer look so often when idle.")

    @field_validator("visibility_timeout_s")
    @classmethod
    def _twice_the_limit(cls, value: int, info: Any) -> int:
        limit = info.data.get("task_time_limit_s", 0)
        if value < 2 * limit:
            raise ValueError(f"must be at least twice task_time_limit_s ({limit}), or running tasks are run again")
        return value


class WorkerSettings(Section):
    """One worker: one process on one core."""

    core: int | None = Field(None, ge=0, description="The core to pin to; by default the kernel's choice.")
    cores_dir: Path | None = Field(
        None, description="A folder that the workers of a machine share: each takes a core of its own, by a lock in it."
    )
    nice: int = Field(
        5, ge=0, le=19, description="How far it stands behind gateway and databases on the same cores; 0 is level."
    )
    name: str | None = Field(None, description="The worker's name in Flower; by default worker@host.")
    max_tasks_per_child: int = Field(500, ge=1, description="Chunks before the process is replaced: drift guard.")
    max_memory_mb: int = Field(1200, ge=200, description="Resident memory before the process is replaced.")


class DecodeSettings(Section):
    """The decoder helper: a process of its own that may be killed."""

    max_analyzed_s: Seconds = Field(
        240,
        description="A longer file goes by in pieces: tempo and key are of windows spread over it; the result says so.",
    )
    max_streamed_s: Seconds = Field(
        86_400, description="Of a file longer than this the rest is not listened to; the result says so."
    )
    max_file_mb: int = Field(8192, ge=1, description="A larger file is refused.")
    deadline_s: Seconds = Field(20, description="A file that takes longer to decode is given up, in seconds.")
    memory_mb: int = Field(2048, ge=256, description="Address space of the helper, in megabytes.")


class S3Settings(Reached):
    """The S3-compatible store of roots written `s3://bucket/prefix`. Nothing is ever written into it."""

    endpoint: str | None = Field(
        None, description="Where the store is, `https://host:port`; by default AWS, in `region`.", pattern="^https?://"
    )
    region: str = Field("us-east-1", description="The store's region; many stores do not mind.")
    access_key_id: SecretStr | None = Field(None, description="The key's name. Without one, buckets must be public.")
    secret_access_key: SecretStr | None = Field(None, description="The key: best one that may list and read only.")
    session_token: SecretStr | None = Field(None, description="Beside a key that was lent for a time.")
    virtual_hosts: bool = Field(
        False, description="The bucket's name goes into the host's, as some stores with an `endpoint` want it."
    )
    connect_timeout_s: Seconds = Field(5, description="Longest wait for a connection, in seconds.")
    timeout_s: Seconds = Field(10, description="Longest wait for data, in seconds; then it is asked for again.")
    tries: int = Field(4, ge=1, description="How often a request is made before the chunk is left for later.")
    deadline_s: Seconds = Field(
        100, description="An object that takes longer to fetch is given up, with its reason, in seconds."
    )
    later_s: Seconds = Field(15, description="A chunk waits so long for a store that is away, in seconds.")
    ahead: int = Field(8, ge=1, le=64, description="Objects that a worker fetches at once.")
    spool_mb: int = Field(
        512, ge=0, description="Fetched megabytes that a worker keeps until they are analysed; others it fetches again."
    )
    spool_dir: Path | None = Field(
        None, description="Where it keeps them, as nameless files; by default the system's folder for such."
    )

    @model_validator(mode="after")
    def _whole_key(self) -> S3Settings:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key belong together: give both or none")
        return self


class GatewaySettings(Certified):
    """The HTTP door."""

    tls_cert: Path | None = Field(None, description="Serve HTTPS with this certificate (PEM, the whole chain).")
    tls_key: Path | None = Field(None, description="Its key.")

    host: str = Field("127.0.0.1", description="Where to listen; beyond loopback an API key must exist first.")
    port: Port = Field(8000, description="The port.")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Further Host header values to answer to, beside loopback names and `host`."
    )
    max_body_mb: float = Field(1024, gt=0, description="Largest manifest or upload, in megabytes.")
    max_zip_files: int = Field(10_000, ge=1, le=30_000, description="Most files in an uploaded zip archive.")
    max_zip_mb: float = Field(4096, gt=0, description="Most megabytes that an uploaded zip archive may unfold to.")
    upload_roots: tuple[str, ...] = Field(
        (), description="Library roots that uploads may be written into, beside `uploads`; nothing is ever replaced."
    )
    max_json_kb: int = Field(1024, ge=1, description="Largest JSON body, in kilobytes.")
    page_size: int = Field(100, ge=1, le=1000, description="Rows of a page where the client does not say.")
    event_interval_s: Seconds = Field(1, description="Seconds between two progress events.")


class LimitSettings(Section):
    """How much one API key may ask of one gateway. 0: as much as it likes. Without a key nothing is counted."""

    requests_per_minute: int = Field(6000, ge=0, description="Requests in a minute.")
    jobs_per_hour: int = Field(6000, ge=0, description="Jobs in an hour, uploads that are analysed among them.")
    files_per_day: int = Field(20_000_000, ge=0, description="Files submitted in a day; a folder's once it is walked.")
    upload_mb_per_day: int = Field(1_000_000, ge=0, description="Megabytes uploaded in a day.")
    streams: int = Field(256, ge=1, description="Event streams open at once: each costs a connection and a task.")


class FlowerSettings(Section):
    """The queue's monitor."""

    url: str = Field("http://127.0.0.1:5555", description="Where Flower is, for the front page and /ready.")
    host: str = Field("127.0.0.1", description="Where Flower listens.")
    port: Port = Field(5555, description="Its port.")
    basic_auth: SecretStr | None = Field(None, description="`name:password`; needed beyond loopback.")
    max_tasks: int = Field(20000, ge=100, description="Tasks it remembers: 4 KB each.")


class LogSettings(Section):
    """What the processes write to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    json_lines: bool = Field(True, description="One JSON object a line; false for people.")


class TracingSettings(Section):
    """Traces of jobs for an OpenTelemetry collector; none are made without an endpoint."""

    endpoint: str | None = Field(
        None,
        pattern="^https?://",
        description="Where it takes OTLP over HTTP, such as `http://collector:4318/v1/traces`.",
    )
    ratio: float = Field(1, ge=0, le=1, description="The share of jobs that is traced.")


_OURS = frozenset({"uploads", "secrets", "run", "logs", "valkey", "mongo", "chroma", "flower"})
"""Folders in the data folder that are no library. (`demo` is one.)"""


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "samplemind"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
    )

    data_dir: Path = Field(default_factory=_default_data_dir, description="Where uploads and embedded data live.")
    roots: dict[str, Path | BucketUrl] = Field(
        default_factory=dict,
        description="Named library roots, each a folder or `s3://bucket/prefix`: only what is below one can be "
        "analysed.",
    )
    signs_folder: Path | None = Field(
        None,
        description="Where processes leave signs of life for `python -m tasks.alive`; by default below `data_dir`. "
        "Local to the machine or container.",
    )
    api_key: SecretStr | None = Field(None, description="The key the command line sends.")
    url: str | None = Field(None, description="The gateway the command line talks to.")
    mongo: MongoSettings = MongoSettings()
    redis: RedisSettings = RedisSettings()
    rabbitmq: RabbitSettings = RabbitSettings()
    chroma: ChromaSettings = ChromaSettings()
    s3: S3Settings = S3Settings()
    queue: QueueSettings = QueueSettings()
    worker: WorkerSettings = WorkerSettings()
    decode: DecodeSettings = DecodeSettings()
    gateway: GatewaySettings = GatewaySettings()
    limits: LimitSettings = LimitSettings()
    flower: FlowerSettings = FlowerSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()

    @field_validator("roots", mode="before")
    @classmethod
    def _buckets(cls, roots: Any) -> Any:
        if not isinstance(roots, dict):
            return roots
        said = {name: isinstance(where, str) and where.startswith(SCHEME) for name, where in roots.items()}
        return {name: BucketUrl.parse(where) if said[name] else where for name, where in roots.items()}

    @field_validator("roots")
    @classmethod
    def _absolute(cls, roots: dict[str, Path | BucketUrl]) -> dict[str, Path | BucketUrl]:
        for name, path in roots.items():
            if not name or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"a root's name is letters, digits, - and _, not {name!r}")
            if isinstance(path, Path) and not path.is_absolute():
                raise ValueError(f"root {name!r} must be an absolute path, not {str(path)!r}")
        return roots

    @model_validator(mode="after")
    def _apart(self) -> Settings:
        """No root is made of everybody's uploads or of the cluster's secrets.

        Where the data folder lies below a root, walks pass over it.
        """
        data_dir = Path(os.path.realpath(self.data_dir))
        for name, path in self.folders.items():
            root = Path(os.path.realpath(path))
            if root == data_dir or (root.is_relative_to(data_dir) and root.relative_to(data_dir).parts[0] in _OURS):
                raise ValueError(
                    f"roots: {name!r} ({path}) is a part of the data folder, where everybody's uploads and the "
                    "cluster's secrets lie: name a folder of sounds"
                )
        for name in set(self.gateway.upload_roots) & set(self.buckets):
            raise ValueError(f"gateway.upload_roots: {name!r} is a bucket, and nothing is written into buckets")
        return self

    @property
    def uploads_dir(self) -> Path:
        """Where uploads are kept: the built-in root ``uploads``."""
        return self.data_dir / "uploads"

    @property
    def signs_dir(self) -> Path:
        """Where processes leave their signs of life."""
        return self.signs_folder or self.data_dir / "run" / "signs"

    @property
    def folders(self) -> dict[str, Path]:
        """The named roots that are folders."""
        return {name: where for name, where in self.roots.items() if isinstance(where, Path)}

    @property
    def buckets(self) -> dict[str, BucketUrl]:
        """The named roots that are in an S3-compatible store."""
        return {name: where for name, where in self.roots.items() if isinstance(where, BucketUrl)}

    @property
    def all_roots(self) -> dict[str, Path]:
        """Named roots that are folders, the built-in ``uploads`` among them."""
        return {**self.folders, "uploads": self.uploads_dir}

    @property
    def root_names(self) -> frozenset[str]:
        """Every root's name, folders and buckets alike."""
        return frozenset({*self.all_roots, *self.buckets})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        secrets_dir = os.environ.get(PREFIX + "SECRETS_DIR")
        if secrets_dir:
            sources.append(
                NestedSecretsSettingsSource(
                    file_secret_settings,
                    secrets_dir=secrets_dir,
                    secrets_dir_missing="error",
                    secrets_nested_delimiter="__",
                    secrets_prefix="",
                )
            )
        config_file = os.environ.get(PREFIX + "CONFIG_FILE")
        if config_file:
            if not Path(config_file).is_file():
                raise ConfigFileMissing(config_file)
            sources.append(TomlConfigSettingsSource(settings_cls, toml_file=config_file))
        return tuple(sources)


class ConfigFileMissing(ValueError):
    """``SAMPLEMIND_CONFIG_FILE`` names a file that is not there."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{PREFIX}CONFIG_FILE names {path!r}, which is not a file")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """This process's settings, read once."""
    return Settings()
