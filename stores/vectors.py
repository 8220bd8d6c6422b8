"""The vector index in Chroma (row D3): one collection a generation, thrown away and rebuilt when it is damaged.

Works with `chromadb` and with the smaller `chromadb-client`, over HTTP only, without telemetry and without any
embedding function: vectors come from the ledger. chromadb is imported when it is first needed (0.7 s).
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from config.settings import ChromaSettings
from stores.records import Hit, PendingVector
from workers.errors import BadFilter, SampleMindError, StoreUnavailable, VectorIndexBroken

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

log = structlog.stdlib.get_logger(__name__)


class ChromaVectors:
    """`stores.doors.Vectors` on a Chroma server. Connects when it is first used; safe to share among threads."""

    def __init__(self, settings: ChromaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._collection: Collection | None = None

    def open(self, generation: int) -> None:
        """Use (and make, if missing) the collection of a generation.

        Raises
        ------
        StoreUnavailable
        VectorIndexBroken
            A collection of that name was made with other figures: begin the next generation.
        """
        with _chroma_door():
            client = self._connected()
            collection = client.get_or_create_collection(
                self._name(generation), configuration=self._configuration(), embedding_function=None
            )
            self._must_be_ours(collection)
        self._collection = collection

    def drop_older(self, generation: int) -> None:
        """Remove the collections of older generations.

        Raises
        ------
        StoreUnavailable
        """
        ours = re.compile(re.escape(self._settings.collection) + r"-g(\d+)")
        with _chroma_door():
            client = self._connected()
            for collection in client.list_collections():
                match = ours.fullmatch(collection.name)
                if match and int(match[1]) < generation:
                    client.delete_collection(collection.name)
                    log.info("index_generation_removed", collection=collection.name)

    def upsert(self, vectors: Sequence[PendingVector]) -> None:
        """Write vectors.

        Raises
        ------
        StoreUnavailable
            Whether they were written is unknown; writing them again changes nothing.
        VectorIndexBroken
            The collection is gone, or answers errors while the server lives.
        """
        if not vectors:
            return
        with _chroma_door():
            self._opened().upsert(
                ids=[vector.id for vector in vectors],
                embeddings=[_array(vector.vector) for vector in vectors],
                # Chroma refuses an empty mapping.
                metadatas=[dict(vector.metadata) or {"_": True} for vector in vectors],
            )

    def query(self, vector: bytes, *, limit: int, where: Mapping[str, object] | None = None) -> list[Hit]:
        """Nearest first. `where` in Chroma's filter language. Vectors come back as the index keeps them: of length 1.

        Raises
        ------
        BadFilter
            Chroma does not understand `where`.
        StoreUnavailable, VectorIndexBroken
        """
        said: Any = dict(where) if where else None
        with _chroma_door(), _filter_door():
            found: Any = self._opened().query(
                query_embeddings=[_array(vector)],
                n_results=limit,
                where=said,
                include=["distances", "embeddings"],
            )
        rows = zip(found["ids"][0], found["distances"][0], found["embeddings"][0], strict=True)
        return [Hit(id_, 1.0 - float(distance), _bytes(values)) for id_, distance, values in rows]

    def near(self, vector: bytes, *, limit: int) -> list[str]:
        """The ids of the nearest, nearest first.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            found: Any = self._opened().query(query_embeddings=[_array(vector)], n_results=limit, include=[])
        return list(found["ids"][0])

    def described(self, ids: Sequence[str]) -> list[PendingVector]:
        """Of these, the vectors that are there, of length 1, with what is kept beside them.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            found: Any = self._opened().get(ids=list(ids), include=["embeddings", "metadatas"])
        return _pending(found)

    def held(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Of these, the vectors that are there, of length 1, whether or not a query finds them.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            found: Any = self._opened().get(ids=list(ids), include=["embeddings"])
        return {id_: _bytes(values) for id_, values in zip(found["ids"], found["embeddings"], strict=True)}

    def ids(self, start: int, limit: int) -> list[str]:
        """Some of the ids, in the index's own order.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            return list(self._opened().get(offset=start, limit=limit, include=[])["ids"])

    def page(self, start: int, limit: int) -> list[PendingVector]:
        """Some of the vectors, of length 1, with what is kept beside them, in the order of `ids`.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            found: Any = self._opened().get(offset=start, limit=limit, include=["embeddings", "metadatas"])
        return _pending(found)

    def count(self) -> int:
        """How many vectors are written: also on a broken graph.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            return int(self._opened().count())

    def remove(self, ids: Sequence[str]) -> None:
        """Forget vectors; those that are not there, too.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        if ids:
            with _chroma_door():
                self._opened().delete(ids=list(ids))

    def probe(self) -> int:
        """How many vectors there are, after a query that must answer: counting alone answers on a broken graph.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
        """
        with _chroma_door():
            collection = self._opened()
            count = collection.count()
            if count:
                one = collection.get(limit=1, include=["embeddings"])
                collection.query(query_embeddings=one["embeddings"], n_results=1, include=[])
        return int(count)

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the server answers."""
        url = f"{self._settings.url.rstrip('/')}/api/v2/heartbeat"
        try:
            within_s = min(self._settings.timeout_s, 5.0)
            httpx.get(url, timeout=within_s, headers=self._headers(), verify=self._trust()).raise_for_status()
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"Chroma: {type(error).__name__}.") from error

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            client, self._client, self._collection = self._client, None, None
        if client is not None:
            _session(client).close()
            client.close()

    def _opened(self) -> Collection:
        if self._collection is None:
            raise VectorIndexBroken("No generation is open.")
        return self._collection

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> Client:
        self.ping()  # the client's constructor would wait for ever on a server that does not answer
        import chromadb
        from chromadb.api.client import Client
        from chromadb.config import Settings

        url = httpx.URL(self._settings.url)
        secure, ca = url.scheme == "https", self._settings.tls_ca
        client = chromadb.HttpClient(
            host=url.host,
            port=url.port or (443 if secure else 80),
            ssl=secure,
            headers=self._headers(),
            settings=Settings(anonymized_telemetry=False, chroma_server_ssl_verify=None if ca is None else str(ca)),
        )
        assert isinstance(client, Client)
        _session(client).timeout = httpx.Timeout(self._settings.timeout_s, connect=5.0)
        _session(client._admin_client).close()  # it has looked for the database, and is never asked again
        return client

    def _headers(self) -> dict[str, str]:
        token = self._settings.token
        return {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}

    def _trust(self) -> ssl.SSLContext | bool:
        """What httpx takes for `verify`."""
        ca = self._settings.tls_ca
        return True if ca is None else ssl.create_default_context(cafile=str(ca))

    def _name(self, generation: int) -> str:
        return f"{self._settings.collection}-g{generation}"

    def _configuration(self) -> Any:
        return {"hnsw": {**self._figures(), "batch_size": min(100, self._settings.sync_threshold)}}

    def _figures(self) -> dict[str, Any]:
        chosen = self._settings
        return {
            "space": chosen.space,
            "ef_construction": chosen.ef_construction,
            "ef_search": chosen.ef_search,
            "max_neighbors": chosen.max_neighbors,
            "sync_threshold": chosen.sync_threshold,
        }

    def _must_be_ours(self, collection: Collection) -> None:
        """`get_or_create` keeps the figures of an existing collection without a word."""
        found: Any = collection.configuration_json.get("hnsw") or {}
        other = {name: found.get(name) for name, value in self._figures().items() if found.get(name) != value}
        if other:
            raise VectorIndexBroken(f"Its collection was made with {other}.")


@contextmanager
def _chroma_door() -> Iterator[None]:
    """Turn what chromadb raises into ours. It knows plain ``Exception`` too, for answers it does not understand."""
    try:
        yield
    except httpx.HTTPError as error:
        raise StoreUnavailable(f"Chroma: {type(error).__name__}.") from error
    except ValueError as error:
        if "Could not connect" in str(error):
            raise StoreUnavailable("Chroma.") from error
        raise VectorIndexBroken(str(error)[:200]) from error
    except Exception as error:
        raise _translated(error) from error


_PASSES = ("disk is full", "database is locked")
"""What Chroma's own database says where nothing is damaged: writing all of it again would only need more room."""


def _translated(error: Exception) -> Exception:
    from chromadb.errors import ChromaError, RateLimitError

    if isinstance(error, SampleMindError):
        return error
    waits = any(words in str(error) for words in _PASSES)
    if isinstance(error, RateLimitError) or type(error) is Exception or waits:
        return StoreUnavailable(f"Chroma: {str(error)[:200]}")
    if isinstance(error, ChromaError):
        return VectorIndexBroken(str(error)[:200])
    return error


@contextmanager
def _filter_door() -> Iterator[None]:
    """What chromadb says of a filter that it does not understand, before or after it was sent."""
    from chromadb.errors import InvalidArgumentError

    try:
        yield
    except (ValueError, InvalidArgumentError) as error:
        raise BadFilter(str(error)[:200]) from error


def _session(client: Any) -> httpx.Client:
    """The HTTP client inside chromadb's, which offers no other way to set how long to wait, and leaves it open."""
    session = client._server._session
    assert isinstance(session, httpx.Client)
    return session


def _pending(found: Any) -> list[PendingVector]:
    """What `get` answered."""
    rows = zip(found["ids"], found["embeddings"], found["metadatas"], strict=True)
    return [PendingVector(id_, _bytes(values), facts or {}) for id_, values, facts in rows]


def _array(vector: bytes) -> Any:
    import numpy as np

    return np.frombuffer(vector, dtype="<f4")


def _bytes(values: Any) -> bytes:
    import numpy as np

    return np.asarray(values, dtype="<f4").tobytes()
