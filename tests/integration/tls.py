"""A certificate authority of the test's own, and a small terminator of TLS before a server that knows none."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port, missing


@dataclass(frozen=True)
class Papers:
    """What an authority signed for 127.0.0.1 and localhost."""

    ca: Path
    cert: Path
    key: Path
    both: Path
    """Certificate and key in one file, as MongoDB wants them."""


def make_papers(folder: Path, address: str = "127.0.0.1") -> Papers:
    """An authority that signs one certificate, for localhost and an address. Needs the `openssl` command."""
    if shutil.which("openssl") is None:
        missing("openssl is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    papers = Papers(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", folder / "both.pem")
    ca_key, request, names = folder / "ca.key", folder / "request", folder / "names"
    names.write_text(
        f"subjectAltName=IP:{address},DNS:localhost\nauthorityKeyIdentifier=keyid\nbasicConstraints=CA:FALSE\n"
    )
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _openssl(
        "req", "-x509", *new_key, "-keyout", ca_key, "-out", papers.ca, "-days", "2", "-subj", "/CN=test CA", *usage
    )
    _openssl("req", *new_key, "-keyout", papers.key, "-out", request, "-subj", "/CN=localhost")
    signed_by = ["-CA", papers.ca, "-CAkey", ca_key, "-CAcreateserial"]
    _openssl("x509", "-req", "-in", request, *signed_by, "-out", papers.cert, "-days", "2", "-extfile", names)
    papers.both.write_text(papers.cert.read_text() + papers.key.read_text())
    return papers


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Door:
    """Where TLS is taken."""

    host: str
    port: int

    def close(self) -> None:
        """Take no more."""


class OwnDoor(Door):
    """That of a server which knows TLS itself: its Redis, where one with TLS is installed."""

    def __init__(self, papers: Papers, address: str) -> None:
        self.host, self.port = address, free_port()
        self.options = [
            *("--tls-port", str(self.port), "--bind", "127.0.0.1", address, "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(papers.cert), "--tls-key-file", str(papers.key)),
            *("--tls-ca-cert-file", str(papers.ca)),
        ]


def redis_with_tls() -> str | None:
    """The `redis-server` installed here, if it was built with TLS, as Debian's is."""
    program = shutil.which("redis-server")
    if program is None:
        return None
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return program if "libssl" in libraries else None


class Terminator(Door):
    """Takes TLS on a port of its own and passes the plain bytes on. With `token` only what carries it is let through.

    The token is looked for in the head of a connection's first request: enough to see that it is sent.
    """

    def __init__(self, papers: Papers, port: int, token: str | None = None, address: str = "127.0.0.1") -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(papers.cert, papers.key)
        self._behind, self._token = port, token
        self._door = socket.create_server((address, 0), backlog=128)
        self.port = int(self._door.getsockname()[1])
        self.host = "localhost" if address == "127.0.0.1" else address
        self.refused = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._door.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._door.accept()
                threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as outer:
                head = outer.recv(65536) if self._token else b""
                if self._token and f"authorization: bearer {self._token}".encode() not in head.lower():
                    self.refused += 1
                    outer.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", self._behind)) as inner:
                    inner.sendall(head)
                    back = threading.Thread(target=_pour, args=(inner, outer), daemon=True)
                    back.start()
                    _pour(outer, inner)
                    back.join(30)
        except OSError:
            self.refused += 1  # no TLS, or a client that does not trust us


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
