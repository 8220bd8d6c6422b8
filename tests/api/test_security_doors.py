"""Doors that must stay shut: out of the roots, out to the network, into archives, and answers without their headers."""

from __future__ import annotations

import ast
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api import files as gateways
from tests.api.gateway import Gateway, done, make_gateway
from tests.servers import PROJECT
from workers.audio import files as workers_
from workers.errors import FileError

INSIDE, OUTSIDE = b"inside the root", b"outside of the root"
Opens = Callable[[Path, bytes], int]
DOORS: list[Opens] = [gateways.open_beneath, workers_.open_beneath]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with everything in it that might lead out, and something outside to be found."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "sub").mkdir(parents=True)
    (root / "sub").mkdir(parents=True)
    (outside / "secret").write_bytes(OUTSIDE)
    (outside / "sub" / "secret").write_bytes(OUTSIDE)
    (root / "sub" / "secret").write_bytes(INSIDE)
    os.mkfifo(root / "fifo")
    links = {
        "file": outside / "secret",
        "folder": outside,
        "up": Path(".."),
        "far": Path("../outside/secret"),
        "chain": root / "far",
        "loop": root / "loop",
        "proc": Path("/proc/self/root"),
        "environ": Path("/proc/self/environ"),
        "zero": Path("/dev/zero"),
        "null": Path("/dev/null"),
        "cwd": Path("/proc/self/cwd"),
        "fd": Path("/proc/self/fd"),
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    return root


@pytest.mark.parametrize("opens", DOORS, ids=["gateway", "worker"])
@pytest.mark.parametrize(
    "path",
    [
        *(b"file", b"folder/secret", b"up/outside/secret", b"far", b"chain", b"loop", b"environ", b"zero", b"null"),
        *(b"proc/etc/passwd", b"cwd/README.md", b"fd/0", b"fifo", b"sub", b"", b".", b"..", b"sub/../../outside/sub"),
        *(b"/etc/passwd", b"//etc/passwd", b"../root/sub/secret/../../../outside/secret", b"sub/secret\0.wav", b"\0"),
        *(b"SUB/SECRET", b"sub/secret/", b"a" * 5000, b"sub/" * 3000, b"\xff\xfe", b"~/secret", b"file:///etc/passwd"),
    ],
)  # fmt: skip
def test_nothing_but_files_below_the_root_is_opened(opens: Opens, root: Path, path: bytes) -> None:
    try:
        fd = opens(root, path)
    except FileError:
        return
    try:
        assert os.read(fd, 100) == INSIDE, path
    finally:
        os.close(fd)


@pytest.mark.parametrize("opens", DOORS, ids=["gateway", "worker"])
@pytest.mark.parametrize("swapped", ["sub", "sub/secret"])
def test_whoever_swaps_a_name_for_a_link_meanwhile_gets_no_further(opens: Opens, root: Path, swapped: str) -> None:
    place, real, link = root / swapped, root / "real", root / "link"
    place.rename(real)
    link.symlink_to(root.parent / "outside" / swapped)
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for source in (real, link):
                part = root / "part"
                part.symlink_to(source)
                os.replace(part, place)

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    try:
        for _ in range(1500):
            try:
                fd = opens(root, b"sub/secret")
            except FileError as error:
                seen.add(error.code)
            else:
                seen.add(os.read(fd, 100).decode())
                os.close(fd)
    finally:
        over.set()
        swapper.join()
    assert OUTSIDE.decode() not in seen
    assert INSIDE.decode() in seen


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway with an ended job of one sound."""
    gateway = make_gateway(tmp_path)
    (tmp_path / "library" / "a.wav").write_bytes(b"RIFF")
    with gateway.client:
        yield gateway


URLS = [
    "http://127.0.0.1:1/a.wav",
    "https://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "ftp://x/a",
    "//x/a",
]


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_fetched_from_anywhere(library: Gateway, url: str) -> None:
    for source in ({"root": "library", "path": url}, {"root": url}, {"root": "library", "url": url}, {"url": url}):
        answer = library.client.post("/v1/jobs", json={"source": source})
        assert answer.status_code in (404, 422), (source, answer.text)
    told = json.dumps(library.client.get("/openapi.json").json()["components"]["schemas"]["Source"])
    assert "url" not in told.lower()


def test_no_other_room_opens_archives_or_asks_the_network_for_sounds() -> None:
    """`httpx` is for the vector index and for Flower alone, `zipfile` for what is uploaded; `pickle` is for nobody."""
    may = {"httpx": {"stores/vectors.py", "api/readiness.py"}}
    never = {"zipfile", "tarfile", "gzip", "bz2", "lzma", "pickle", "marshal", "shelve", "requests", "yaml"}
    may["zipfile"] = {"api/unpack.py"}  # a pack that is sent, within bounds: tests/api/test_archives.py
    may["pickle"] = {"workers/kernels/cache.py"}  # numba's own, in a folder that is only this user's
    for room in ("api", "tasks", "stores", "workers"):
        for file in (PROJECT / room).rglob("*.py"):
            name = str(file.relative_to(PROJECT))
            for node in ast.walk(ast.parse(file.read_text())):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
                for each in {one.split(".")[0] for one in names} & (never | may.keys() | {"urllib"}):
                    allowed = name in may.get(each, set()) or (each == "urllib" and "urllib.parse" in names)
                    assert allowed, f"{name} imports {each}"


def test_every_answer_carries_its_headers(library: Gateway) -> None:
    sample = library.sample("a.wav")
    job = library.folder_job({"a.wav": done(sample)}).id
    good = ["/", "/docs", "/openapi.json", "/health", "/metrics", "/v1/jobs", "/v1/samples", f"/v1/jobs/{job}/events"]
    good += [f"/v1/exports/{job}?format={name}" for name in ("csv", "ndjson")]
    good += [f"/v1/samples/{sample}/{name}" for name in ("audio", "spectrogram", "waveform?format=svg", "waveform")]
    asked: list[tuple[str, str, int | None, dict[str, str]]] = [("GET", path, 200, {}) for path in good]
    asked += [
        ("GET", "/ready", None, {}),
        ("GET", "/nothing", 404, {}),
        ("PUT", "/v1/jobs", 405, {}),
        ("OPTIONS", "/v1/jobs", 405, {"Access-Control-Request-Method": "POST"}),
        ("POST", "/v1/jobs", 415, {}),
        ("GET", "/v1/jobs", 401, {"X-API-Key": "wrong"}),
        ("GET", "/v1/jobs", 421, {"Host": "rebound.example"}),
        ("POST", "/v1/jobs", 403, {"Origin": "https://evil.example"}),
        ("GET", f"/v1/samples/{sample}/audio", 416, {"Range": "bytes=999-"}),
    ]
    for method, path, status, headers in asked:
        answer = library.client.request(method, path, headers={"Origin": "http://127.0.0.1:8000", **headers})
        assert status in (None, answer.status_code), (method, path, answer.status_code)
        found = answer.headers
        assert found["x-content-type-options"] == "nosniff", path
        assert found["x-frame-options"] == "DENY"
        assert found["cross-origin-resource-policy"] == "same-origin"
        assert found["referrer-policy"] == "no-referrer"
        policy = found["content-security-policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "unsafe" not in policy
        assert "*" not in policy
        assert not [name for name in found if name.startswith("access-control")]
        assert "server" not in found
