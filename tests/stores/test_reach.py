"""What keeps a machine from a server, in words."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import MongoSettings, RedisSettings
from stores.reach import host_of, is_tls, why_no_broker, why_no_ledger
from tests.integration.tls import Papers, Terminator, make_papers
from tests.servers import free_port, running, valkey_server


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return make_papers(tmp_path_factory.mktemp("papers"))


def broker(url: str, ca: Path | None = None) -> RedisSettings:
    return RedisSettings.model_validate({"url": url, "tls_ca": ca})


def ledger(url: str, ca: Path | None = None) -> MongoSettings:
    return MongoSettings.model_validate({"url": url, "tls_ca": ca, "server_selection_timeout_s": 0.5})


@pytest.fixture
def rude() -> Iterator[int]:
    """A port that hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    door.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        yield int(door.getsockname()[1])


def test_an_address_that_is_none_or_leads_nowhere() -> None:
    port = free_port()
    assert f"nobody listens at 127.0.0.1:{port}, where the broker should be" in why_no_broker(
        broker(f"redis://127.0.0.1:{port}")
    )
    assert f"nobody listens at 127.0.0.1:{port}, where the ledger should be" in why_no_ledger(
        ledger(f"mongodb://127.0.0.1:{port}")
    )
    assert "no address belongs to the name" in why_no_broker(broker("redis://no-such-host.invalid"))
    assert "is not one" in why_no_ledger(ledger("mongo://127.0.0.1"))


def test_what_does_not_speak_as_it_should(rude: int) -> None:
    assert "does not answer as a Redis" in why_no_broker(broker(f"redis://127.0.0.1:{rude}"))
    assert "Does it want TLS?" in why_no_broker(broker(f"redis://127.0.0.1:{rude}"))
    assert "does not speak TLS" in why_no_broker(broker(f"rediss://127.0.0.1:{rude}"))
    assert "Does it want TLS?" in why_no_ledger(ledger(f"mongodb://127.0.0.1:{rude}/?directConnection=true"))
    assert "does not speak TLS" in why_no_ledger(ledger(f"mongodb://127.0.0.1:{rude}/?tls=true"))


@pytest.mark.integration
def test_servers_that_may_be_used(redis_url: str, mongo_url: str, papers: Papers) -> None:
    assert why_no_broker(broker(redis_url)) == ""
    assert why_no_ledger(ledger(mongo_url)) == ""
    port = int(redis_url.rsplit(":", 1)[1].partition("/")[0])
    door = Terminator(papers, port, address="0.0.0.0")
    with contextlib.closing(door):
        assert why_no_broker(broker(f"rediss://localhost:{door.port}", papers.ca)) == ""
        assert "does not trust" in why_no_broker(broker(f"rediss://localhost:{door.port}"))
        # the same server, by an address that its certificate does not name
        assert "another name than 127.0.0.2" in why_no_broker(broker(f"rediss://127.0.0.2:{door.port}", papers.ca))
        nonsense = papers.ca.with_name("names")
        assert "is not what it should be" in why_no_broker(broker(f"rediss://localhost:{door.port}", nonsense))


@pytest.mark.integration
def test_a_password_that_is_wrong_or_missing(tmp_path: Path) -> None:
    server = valkey_server(tmp_path)
    plain = server.argv
    server.argv = lambda port: [*plain(port), "--requirepass", "right"]
    server.url_of = lambda port: f"redis://:right@127.0.0.1:{port}/0"
    with running(server) as there:
        assert why_no_broker(broker(there.url)) == ""
        for said in (there.url.replace("right", "wrong"), there.url.replace(":right@", "")):
            assert "refuses the user or the password" in why_no_broker(broker(said))


def test_a_certificate_that_has_ended(tmp_path: Path) -> None:
    old = make_papers(tmp_path)
    again = ["openssl", "x509", "-req", "-in", tmp_path / "request", "-CA", old.ca, "-CAkey", tmp_path / "ca.key"]
    again += ["-CAcreateserial", "-out", old.cert, "-extfile", tmp_path / "names", "-days", "-1"]
    subprocess.run([str(word) for word in again], check=True, capture_output=True)
    door = Terminator(old, free_port())
    with contextlib.closing(door):
        assert "not valid today" in why_no_broker(broker(f"rediss://localhost:{door.port}", old.ca))


@pytest.mark.parametrize(
    ("url", "tls", "host"),
    [
        ("mongodb://u:p%40@db1,db2:1/?tls=true", True, "db1"),
        ("mongodb://db1/?ssl=true", True, "db1"),
        ("mongodb://db1/", False, "db1"),
        ("mongodb://[::1]:7/?tls=false", False, "::1"),
    ],
)
def test_addresses_are_read_as_their_drivers_do(url: str, tls: bool, host: str) -> None:
    assert (is_tls(ledger(url)), host_of(url)) == (tls, host)
