"""The gateway as a client sees it: every refusal becomes one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from cli.errors import CommandError
from cli.found import Cluster

Json = dict[str, Any]


class Refused(CommandError):
    """The gateway answered with a problem."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code = status, code
        super().__init__(detail)


class Unreachable(CommandError):
    """Nobody answers at the gateway's address."""


class Gateway:
    """A connection to one gateway."""

    def __init__(self, cluster: Cluster, timeout_s: float = 30.0) -> None:
        self.url = cluster.url
        headers = {"Accept": "application/json", "User-Agent": "samplemind-cli"}
        if cluster.api_key:
            headers["Authorization"] = f"Bearer {cluster.api_key}"
        # trust_env: a proxy for the world must not catch what goes to this machine
        self._client = httpx.Client(
            base_url=cluster.url,
            headers=headers,
            timeout=timeout_s,
            trust_env=not cluster.url.startswith(("http://127.", "http://localhost", "http://[::1]")),
        )

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Json:
        """GET, as JSON."""
        return self.call("GET", path, params={k: v for k, v in query.items() if v is not None})

    def call(self, method: str, path: str, **options: Any) -> Json:
        """Any request.

        Raises
        ------
        Refused
            The gateway answered with a problem.
        Unreachable
            Nobody answers.
        """
        response = self.ask(method, path, **options)
        try:
            found = response.json() if response.content else {}
        except ValueError as error:
            raise CommandError(
                f"What answers at {self.url} is no SampleMind gateway (its answer is not JSON)."
            ) from error
        return found if isinstance(found, dict) else {"items": found}

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request, with its headers. `Refused` and `Unreachable` as `call`."""
        try:
            response = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise _refused(response)
        return response

    def probe(self, path: str) -> Json:
        """GET, as JSON, whatever the status says."""
        try:
            found = self._client.get(path).json()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        except ValueError as error:
            raise CommandError(f"What answers at {self.url} is no SampleMind gateway.") from error
        return found if isinstance(found, dict) else {}

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        """Every item of every page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page.get("items", [])
            cursor = page.get("next")
            if not cursor:
                return

    def stream(self, path: str, last_id: str | None) -> Iterator[tuple[str, str, Json]]:
        """Server-sent events as (event, id, data) until the stream ends or breaks."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        timeout = httpx.Timeout(10.0, read=60.0)
        try:
            with self._client.stream("GET", path, headers=headers, timeout=timeout) as response:
                if response.is_error:
                    response.read()
                    raise _refused(response)
                yield from events(response.iter_lines())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def download(self, path: str, **query: Any) -> Iterator[bytes]:
        """GET, the bytes of the answer as they come. `Refused` and `Unreachable` as `call`."""
        timeout = httpx.Timeout(10.0, read=120.0)
        try:
            with self._client.stream("GET", path, params=query, timeout=timeout) as response:
                if response.is_error:
                    response.read()
                    raise _refused(response)
                yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> Unreachable:
        why = "it does not answer in time" if isinstance(error, httpx.TimeoutException) else "nobody answers"
        if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            why = "the connection broke"
        return Unreachable(
            f"The gateway at {self.url} cannot be reached ({why}); is the cluster up? ./samplemind up starts one; "
            "one that is up elsewhere is found by its --data-dir or --url."
        )


def events(lines: Iterator[str]) -> Iterator[tuple[str, str, Json]]:
    """Parse the lines of an event stream."""
    event, identity, data = "message", "", ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield event, identity, json.loads(data)
            event, data = "message", ""
        elif name == "event":
            event = value
        elif name == "id":
            identity = value
        elif name == "data":
            data += value


def _refused(response: httpx.Response) -> Refused:
    try:
        said = response.json()
    except ValueError:
        said = {}
    if not isinstance(said, Mapping):
        said = {}
    detail = str(said.get("detail") or f"The gateway answered {response.status_code} {response.reason_phrase}.")
    if response.status_code == 401:
        detail += " Give it as SAMPLEMIND_API_KEY."
    return Refused(response.status_code, str(said.get("code") or ""), detail)
