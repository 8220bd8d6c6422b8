"""The supervisor with real, tiny processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.cluster.process import Part, Process
from cli.cluster.supervisor import Supervisor

PROJECT = Path(__file__).parents[3]
SLEEP = "import time; time.sleep(600)"


class Book:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []
        self.lines: list[str] = []

    def ready(self, process: Process, took_s: float) -> None:
        self.said.append(("ready", process.part.name))

    def died(self, process: Process, how: str, pause_s: float, lines: list[str]) -> None:
        self.said.append(("died", process.part.name, how))
        self.lines += lines

    def stuck(self, process: Process, trouble: str) -> None:
        self.said.append(("stuck", process.part.name, trouble))

    def stopping(self) -> None:
        self.said.append(("stopping",))

    def killed(self, process: Process) -> None:
        self.said.append(("killed", process.part.name))


def part(name: str, code: str, **given: object) -> Part:
    command = (sys.executable, "-I", "-S", "-c", code)
    return Part(name, name, command, {}, ready=lambda: True, **given)  # type: ignore[arg-type]


def supervise(tmp_path: Path, *parts: Part) -> tuple[Supervisor, Book]:
    book = Book()
    return Supervisor(list(parts), logs=tmp_path, cwd=tmp_path, listener=book), book


def soon(supervisor: Supervisor, when: Callable[[], bool]) -> threading.Thread:
    """Stop the supervisor as soon as something holds."""

    def watch() -> None:
        deadline = time.monotonic() + 20
        while not when() and time.monotonic() < deadline:
            time.sleep(0.02)
        supervisor.request_stop()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_parts_start_after_what_they_need_and_servers_stop_last(tmp_path: Path) -> None:
    line = "import signal,sys; signal.signal(15, lambda *a: (open({0!r}, 'a').write('{1} '), sys.exit())); "
    order = str(tmp_path / "order")
    parts = [
        part("worker", line.format(order, "worker") + SLEEP, needs=("server", "once")),
        part("once", "pass", once=True, needs=("server",)),
        part("server", line.format(order, "server") + SLEEP, server=True),
    ]
    supervisor, book = supervise(tmp_path, *parts)
    supervisor.on_all_ready = lambda: threading.Timer(0.5, supervisor.request_stop).start()
    supervisor.run()
    assert book.said == [("ready", "server"), ("ready", "once"), ("ready", "worker"), ("stopping",)]
    assert Path(order).read_text() == "worker server "
    assert supervisor.clean


def test_every_end_is_a_failure_and_is_followed_by_another_start(tmp_path: Path) -> None:
    supervisor, book = supervise(tmp_path, part("a", "print('my last words')"))
    soon(supervisor, lambda: bool(book.lines))
    supervisor.run()
    deaths = [each for each in book.said if each[0] == "died"]
    assert deaths[:2] == [("died", "a", "ended with exit code 0")] * 2
    assert "my last words" in book.lines


def test_a_killed_part_is_said_to_be_and_comes_back(tmp_path: Path) -> None:
    supervisor, book = supervise(tmp_path, part("a", SLEEP))

    def kill() -> None:
        pid = supervisor.processes["a"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    supervisor.on_all_ready = lambda: threading.Timer(0.2, kill).start()
    soon(supervisor, lambda: book.said.count(("ready", "a")) == 2)
    supervisor.run()
    assert ("died", "a", "was ended by SIGKILL") in book.said


def test_what_a_part_started_itself_is_gone_with_it(tmp_path: Path) -> None:
    child = f"import subprocess,sys; p=subprocess.Popen([sys.executable,'-c',{SLEEP!r}]); "
    code = child + f"open({str(tmp_path / 'pid')!r},'w').write(str(p.pid)); " + SLEEP
    supervisor, _ = supervise(tmp_path, part("a", code))
    soon(supervisor, lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().isdigit())
    supervisor.run()
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_part_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); open('up', 'w').close(); " + SLEEP
    supervisor, book = supervise(tmp_path, part("a", stubborn, grace_s=0.3, server=True))
    soon(supervisor, (tmp_path / "up").exists)
    supervisor.run()
    assert ("killed", "a") in book.said
    assert not supervisor.clean


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(PROJECT)!r})
from tests.cli.cluster.test_supervisor import Book, part, supervise
stubborn = "import signal,subprocess,sys; signal.signal(15, signal.SIG_IGN);"
stubborn += "p=subprocess.Popen([sys.executable,'-c','import time; time.sleep(600)'], start_new_session=True);"
stubborn += "print(p.pid, flush=True); import time; time.sleep(600)"
supervisor, _ = supervise(Path({str(tmp_path)!r}), part("a", stubborn), part("b", {SLEEP!r}))
supervisor.on_all_ready = lambda: print(*(p.pid for p in supervisor.processes.values()), flush=True)
supervisor.run()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        deadline = time.monotonic() + 20
        while not (tmp_path / "a.log").read_text().strip() and time.monotonic() < deadline:
            time.sleep(0.05)
        pids.append(int((tmp_path / "a.log").read_text()))
        process.kill()
    assert len(pids) == 3
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, pids))


def test_a_killed_guardian_is_replaced_and_told_whom_to_guard(tmp_path: Path) -> None:
    supervisor, _ = supervise(tmp_path, part("a", SLEEP))
    seen: list[int] = []

    def kill() -> None:
        guardian = supervisor._guardian
        assert guardian is not None
        seen.append(guardian.pid)
        guardian.kill()

    supervisor.on_all_ready = lambda: threading.Timer(0.2, kill).start()
    soon(supervisor, lambda: bool(seen) and supervisor._guardian is not None and supervisor._guardian.pid not in seen)
    supervisor.run()
    assert len(seen) == 1
    assert supervisor._guardian is not None
    assert supervisor._guardian.pid not in seen
    assert supervisor._guardian.returncode == 0


def test_a_listener_that_has_lost_its_terminal_does_not_keep_the_cluster_up(tmp_path: Path) -> None:
    from cli.cluster import telling
    from cli.console import err

    class Gone:
        def print(self, text: object) -> None:
            raise BrokenPipeError

    assert err() is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telling, "err", Gone)
        telling.say("anything")
