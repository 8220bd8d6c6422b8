"""The walls around the decoder: what a decoder that was taken over can still do. Each wall is also tried alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.environment import decoder_environment
from config.settings import DecodeSettings
from tests.broken_files import DATA, FMT, encoded, riff, tone, written
from workers.audio import helper
from workers.audio.decode import Decoder
from workers.errors import DecodeFailed, DecodeTimeout

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")

KICK = riff(FMT, DATA)
Open = Callable[[bytes], int]

_TRIED = """
import json, os, signal, socket, sys

def tried(what):
    try:
        what()
        return "done"
    except OSError as error:
        return type(error).__name__

def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(2)
        sock.connect(address)

def fork():
    if os.fork() == 0:
        os._exit(0)

def all_tried(port, path, folder):
    return {
        "tcp": tried(lambda: connect(socket.AF_INET, ("127.0.0.1", port))),
        "unix": tried(lambda: connect(socket.AF_UNIX, path)),
        "fork": tried(fork),
        "signal": tried(lambda: os.kill(os.getppid(), 0)),
        "read": tried(lambda: open(folder + "/secret").close()),
        "write": tried(lambda: open(folder + "/new", "w").close()),
        "environment": sorted(os.environ),
    }
"""

_INTRUDER = (
    _TRIED
    + """
import workers.audio.decode_process as process
from workers.errors import DecodeFailed

def taken_over(fd, *rest):
    raise DecodeFailed(json.dumps(all_tried(*json.loads(os.pread(fd, 4000, 60)))))

process.decode_fd = taken_over
process.main(sys.argv[1:])
"""
)


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A TCP port and a Unix socket that anybody on this machine can connect to."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        yield tcp.getsockname()[1], str(tmp_path / "s")


def try_in_a_decoder(content: bytes, opened: Open, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a real helper reports whose decoder does as an intruder would."""
    start = subprocess.Popen

    def replaced(line: list[str], **options: Any) -> subprocess.Popen[bytes]:
        at = line.index("-m")
        return start([*line[:at], "-c", _INTRUDER, *line[at + 2 :]], **options)

    monkeypatch.setattr(helper.subprocess, "Popen", replaced)  # type: ignore[attr-defined]
    with Decoder(DecodeSettings()) as decoder, pytest.raises(DecodeFailed) as said:
        decoder.decode(opened(content), "x")
    found: dict[str, Any] = json.loads(said.value.detail)
    return found


def test_a_decoder_that_was_taken_over_reaches_nobody_and_opens_nothing(
    opened: Open, tmp_path: Path, listeners: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("the settings")
    orders = json.dumps([*listeners, str(tmp_path)]).encode()
    content = KICK[:44] + bytes(16) + orders.ljust(len(KICK) - 60)
    monkeypatch.setenv("SAMPLEMIND_MONGO__URL", "mongodb://name:geheim@host")
    found = try_in_a_decoder(content, opened, monkeypatch)
    if what_holds().landlock:
        assert (found["read"], found["write"]) == ("PermissionError", "PermissionError")
        assert not (tmp_path / "new").exists()
    for what in ("tcp", "unix", "fork", "signal"):
        assert found[what] == "PermissionError", what
    assert not [name for name in found["environment"] if name.startswith(("SAMPLEMIND", "AWS"))]


def what_holds() -> Any:
    with Decoder(DecodeSettings()) as decoder:
        decoder.start()
        assert decoder.confinement is not None
        return decoder.confinement


def test_the_helper_says_which_walls_hold_and_the_kernel_agrees() -> None:
    with Decoder(DecodeSettings()) as decoder:
        decoder.start()
        held = decoder.confinement
        status = Path(f"/proc/{decoder.helper_pid}/status").read_text()
    assert held is not None
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert said["NoNewPrivs"] == "1" if held.no_new_privs else "0"
    assert (said["Seccomp"] == "2") == held.refused_calls
    assert held.no_new_privs
    assert held.no_network


def test_decoders_work_behind_all_walls(opened: Open) -> None:
    with Decoder(DecodeSettings()) as decoder:
        for content in (
            KICK,
            written(tone(), "FLAC", "PCM_16"),
            encoded("mp4", "aac"),
            written(tone(), "OGG", "VORBIS"),
        ):
            assert len(decoder.decode(opened(content), "x").y) > 17000


def in_a_process(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _TRIED + code, *arguments],
        capture_output=True,
        text=True,
        env=decoder_environment(),
        timeout=60,
        check=False,
    )


_BEGIN = "import ctypes; assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0\nport, path, folder = sys.argv[1:4]\n"


def test_the_filter_of_calls_alone_refuses_network_processes_and_signals(
    tmp_path: Path, listeners: tuple[int, str]
) -> None:
    (tmp_path / "secret").write_text("x")
    code = _BEGIN + (
        "from workers.audio.seccomp import refuse_calls\n"
        "held = refuse_calls()\n"
        "print(json.dumps([held, all_tried(int(port), path, folder)]), flush=True); os.abort()\n"
    )
    done = in_a_process(code, *map(str, listeners), str(tmp_path))
    held, found = json.loads(done.stdout)
    if not held:
        pytest.skip("no such filter for this processor")
    assert {found[what] for what in ("tcp", "unix", "fork", "signal")} == {"PermissionError"}
    assert found["read"] == "done"
    assert done.returncode == -signal.SIGABRT  # what it dies of can still be told


def test_landlock_alone_opens_only_what_it_should(tmp_path: Path, listeners: tuple[int, str]) -> None:
    for name in ("open", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text("x")
    code = _BEGIN + (
        "from workers.audio.landlock import read_only_below\n"
        "version = read_only_below([folder + '/open', folder + '/nowhere'])\n"
        "found = [all_tried(int(port), path, folder + name) for name in ('/open', '/closed')]\n"
        "print(json.dumps([version, *found]))\n"
    )
    done = in_a_process(code, *map(str, listeners), str(tmp_path))
    version, inside, outside = json.loads(done.stdout)
    if not version:
        pytest.skip("no Landlock in this kernel")
    assert (inside["read"], inside["write"]) == ("done", "PermissionError")
    assert (outside["read"], outside["write"]) == ("PermissionError", "PermissionError")
    assert version < 4 or inside["tcp"] == "PermissionError"
    assert version < 6 or inside["signal"] == "PermissionError"


def test_processor_time_is_granted_by_the_file_and_ends(opened: Open) -> None:
    code = "from workers.audio.sandbox import allow_cpu\nallow_cpu(30); allow_cpu(0.1)\nwhile True: pass\n"
    assert in_a_process(code).returncode == -signal.SIGXCPU
    with Decoder(DecodeSettings()) as decoder:
        decoder.start()
        pid = decoder.helper_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGXCPU)
        threading.Timer(0.2, os.kill, (pid, signal.SIGCONT)).start()
        with pytest.raises(DecodeTimeout, match="20 s of computing"):
            decoder.decode(opened(KICK), "x")
        assert len(decoder.decode(opened(KICK), "x").y) == 17640


def test_each_file_renews_the_processor_time_of_the_helper(opened: Open) -> None:
    with Decoder(DecodeSettings(deadline_s=3)) as decoder:
        decoder.decode(opened(KICK), "x")
        limits = Path(f"/proc/{decoder.helper_pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
    assert 4 <= int(line.split()[3]) < 60
