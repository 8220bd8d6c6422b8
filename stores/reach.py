"""Why a server cannot be used from this machine, in words: for who joins it to a cluster that runs elsewhere.

Asked from below upwards, so that the first thing that is wrong is what is said: the name, the port, the certificate,
the password. What the drivers themselves say of a wrong certificate is a paragraph.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.uri_parser import parse_uri

from config.settings import MongoSettings, RedisSettings
from stores.mongo import client_options
from stores.mongo_door import Document
from stores.pulse import connect, quick

_PATIENCE_S: Final = 5.0
_REDIS_PORT: Final = 6379
_WRONG_PASSWORD: Final = 18
_OUT_OF_DATE: Final = (9, 10)
_OTHER_NAME: Final = (62, 64)
"""OpenSSL's numbers for what is wrong with a certificate."""


@dataclass(frozen=True)
class _Tls:
    """Files of certificates: whom to trust, and who we are."""

    ca: Path | None
    cert: Path | None
    key: Path | None

    def context(self) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=self.ca)
        if self.cert is not None:
            made.load_cert_chain(self.cert, self.key)
        return made

    def __str__(self) -> str:
        return ", ".join(str(path) for path in (self.ca, self.cert, self.key) if path is not None)


def is_tls(settings: RedisSettings | MongoSettings) -> bool:
    """Whether this broker or ledger is reached over TLS."""
    url = settings.url.get_secret_value()
    if isinstance(settings, RedisSettings):
        return url.startswith("rediss:")
    try:
        said = parse_uri(url, validate=False)["options"].get("tls", url.startswith("mongodb+srv:"))
    except (PyMongoError, ValueError, OSError):
        return False
    return str(said).lower() == "true" or settings.tls_ca is not None or settings.tls_cert is not None


def host_of(url: str) -> str:
    """The first host that an address names; empty where it names none."""
    first = urlsplit(url).netloc.rpartition("@")[2].split(",")[0]
    return urlsplit(f"//{first}").hostname or ""


def why_no_broker(settings: RedisSettings) -> str:
    """What keeps this machine from the broker; empty where nothing does."""
    url = settings.url.get_secret_value()
    try:
        host, port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or _REDIS_PORT
    except ValueError:
        return "the broker's address is not one: it is like rediss://worker:PASSWORD@queue.example:6379/0."
    tls = _Tls(settings.tls_ca, settings.tls_cert, settings.tls_key) if is_tls(settings) else None
    where = f"the broker at {host}:{port}"
    if wrong := _why_no_connection(where, host, port, tls):
        return wrong
    try:
        client = connect(quick(settings))
        try:
            client.ping()
        finally:
            client.close()
    except redis.AuthenticationError:
        return f"{where} refuses the user or the password in its address."
    except redis.RedisError as error:
        return f"{where} does not answer as a Redis: {_first_line(error)}{_perhaps_tls(settings)}"
    except ValueError as error:
        return f"{where} cannot be asked: {_first_line(error)}"
    return ""


def why_no_ledger(settings: MongoSettings) -> str:
    """What keeps this machine from the ledger; empty where nothing does."""
    url = settings.url.get_secret_value()
    try:
        said = parse_uri(url, validate=False)
    except (InvalidURI, ConfigurationError, PyMongoError, ValueError) as error:
        return f"the ledger's address is not one: {_first_line(error)}"
    hosts, ca = said["nodelist"], said["options"].get("tlsCAFile")
    tls = _Tls(settings.tls_ca or (ca and Path(ca)), settings.tls_cert, None) if is_tls(settings) else None
    wrong = [_why_no_connection(f"the ledger at {host}:{port}", host, port, tls) for host, port in hosts]
    if all(wrong):
        return wrong[0]
    return _why_not_asked(settings, f"the ledger at {', '.join(f'{host}:{port}' for host, port in hosts)}")


def _why_not_asked(settings: MongoSettings, where: str) -> str:
    url = settings.url.get_secret_value()
    try:
        with MongoClient[Document](url, **client_options(settings, "worker")) as client:
            client.admin.command("ping")
            client[settings.database]["meta"].find_one({}, {"_id": 1})
    except OperationFailure as error:
        if error.code == _WRONG_PASSWORD:
            return f"{where} refuses the user or the password in its address (or `authSource` is missing there)."
        return f"{where} lets this user in and refuses what a worker must do (deploy/mongo/roles.json)."
    except ServerSelectionTimeoutError:
        return (
            f"{where} takes connections, but no primary can be reached from here: is it a replica set whose members "
            f"name themselves by names that this machine does not know?{_perhaps_tls(settings)}"
        )
    except (PyMongoError, ValueError, OSError) as error:
        return f"{where} does not answer as a MongoDB: {_first_line(error)}{_perhaps_tls(settings)}"
    return ""


def _why_no_connection(where: str, host: str, port: int, tls: _Tls | None) -> str:
    try:
        with socket.create_connection((host, port), _PATIENCE_S) as plain:
            return "" if tls is None else _why_no_handshake(where, host, plain, tls)
    except socket.gaierror:
        return f"{where} is not known to this machine: no address belongs to the name {host}."
    except ConnectionRefusedError:
        return f"nobody listens at {host}:{port}, where {where.partition(' at ')[0]} should be: is it up?"
    except TimeoutError:
        return f"{where} does not answer: a firewall between, or an address that nobody has?"
    except OSError as error:
        return f"{where} cannot be reached: {error.strerror or error}."


def _why_no_handshake(where: str, host: str, plain: socket.socket, tls: _Tls) -> str:
    try:
        context = tls.context()
    except OSError:  # of which ssl.SSLError is one
        return f"a file given for {where} is not what it should be, a certificate (PEM) or its key: {tls}."
    try:
        context.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        return _why_no_trust(where, host, error)
    except OSError as error:  # a server that knows no TLS waits for more, or hangs up
        reason = getattr(error, "reason", None) or error
        return f"{where} does not speak TLS, or not ours ({reason}): is it the port for TLS?"
    return ""


def _why_no_trust(where: str, host: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OUT_OF_DATE:
        return f"{where} shows a certificate that is not valid today: {error.verify_message}."
    if error.verify_code in _OTHER_NAME:
        return f"{where} shows a certificate for another name than {host}: use a name that it was made for."
    return (
        f"{where} shows a certificate that this machine does not trust ({error.verify_message}): "
        "say whose it is with --ca FILE, your authority's certificate."
    )


def _perhaps_tls(settings: RedisSettings | MongoSettings) -> str:
    return "" if is_tls(settings) else " Does it want TLS?"


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0].split(", Timeout:")[0].rstrip(".") + "."
