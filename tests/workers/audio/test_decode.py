"""The decoder helper: what it gives, what it survives, what it cannot see, and how it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from config.environment import child_environment
from config.settings import DecodeSettings
from tests.broken_files import DATA, FMT, chunk, encoded, float_wav, form, riff, tone, written
from workers.audio import memory, wire
from workers.audio.decode import Decoder
from workers.audio.helper import Helper
from workers.errors import (
    DecodeFailed,
    DecoderCrashed,
    DecodeTimeout,
    EmptyFile,
    NoFiniteSamples,
    NotAudio,
    TooLarge,
)

Open = Callable[[bytes], int]
KICK = riff(FMT, DATA)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@contextmanager
def stopped(decoder: Decoder) -> Iterator[int]:
    """A helper that hangs, as one in an endless loop does."""
    decoder.start()
    pid = decoder.helper_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    yield pid
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_gives_samples_and_what_is_known_of_them(decoder: Decoder, opened: Open) -> None:
    decoded = decoder.decode(opened(written(tone(), "WAV", "PCM_24")), "Loop_120bpm_Am.wav")
    assert decoded.y.dtype == np.float32
    assert decoded.y.shape == (17640, 2)
    assert decoded.y.flags.c_contiguous
    assert decoded.y.flags.writeable
    assert np.allclose(decoded.y, tone(), atol=1e-6)
    info = decoded.info
    assert (info.container, info.subtype, info.sample_rate_hz, info.channels) == ("WAV", "PCM_24", 44100, 2)
    assert (info.duration_s, info.analyzed_s, info.frames) == (0.4, 0.4, 17640)
    assert (decoded.hints.name_bpm, decoded.hints.name_tonic, decoded.hints.name_mode) == (120, "A", "minor")
    assert not decoded.truncated


def test_leaves_the_offset_at_0(decoder: Decoder, opened: Open) -> None:
    for content in (KICK, written(tone(), "FLAC", "PCM_16"), encoded("mp4", "aac")):
        fd = opened(content)
        os.lseek(fd, 77, os.SEEK_SET)
        decoder.decode(fd, "x")
        assert os.lseek(fd, 0, os.SEEK_CUR) == 0


def test_the_samples_of_a_file_are_gone_with_the_next(decoder: Decoder, opened: Open) -> None:
    first = decoder.decode(opened(KICK), "x").y
    kept = first.copy()
    second = decoder.decode(opened(float_wav(np.zeros((20000, 2), np.float32))), "x").y
    assert not np.array_equal(first, kept)
    assert np.shares_memory(first, second)


def test_a_long_file_is_decoded_in_part_and_its_length_kept(opened: Open) -> None:
    with Decoder(DecodeSettings(max_analyzed_s=0.5)) as decoder:
        for content in (written(tone(2), "WAV", "PCM_16"), written(tone(2), "FLAC", "PCM_16")):
            decoded = decoder.decode(opened(content), "x")
            assert (decoded.info.duration_s, decoded.info.analyzed_s, len(decoded.y)) == (2, 0.5, 22050)
            assert decoded.info.frames == 88200
        decoded = decoder.decode(opened(encoded("mp4", "aac", seconds=2)), "x")
        assert abs(decoded.info.duration_s - 2) < 0.05
        assert decoded.info.analyzed_s == 0.5


def test_says_when_something_is_missing(decoder: Decoder, opened: Open) -> None:
    assert decoder.decode(opened(riff(FMT, chunk(b"data", b"\1\0" * 100, size=4000))), "x").truncated
    y = tone()
    y[50:60] = np.nan
    decoded = decoder.decode(opened(float_wav(y)), "x")
    assert decoded.bad_samples == 20
    assert np.isfinite(decoded.y).all()


def test_refuses_before_any_decoder_sees_it(opened: Open) -> None:
    with Decoder(DecodeSettings(max_file_mb=1)) as decoder:
        for content, error in ((b"", EmptyFile), (b"nothing" * 100, NotAudio), (bytes(1 << 21), TooLarge)):
            with pytest.raises(error):
                decoder.decode(opened(content), "x")
        assert decoder.helper_pid is None


def test_samples_that_are_all_bad_are_no_sound(decoder: Decoder, opened: Open) -> None:
    with pytest.raises(NoFiniteSamples):
        decoder.decode(opened(float_wav(np.full((999, 2), np.nan, np.float32))), "x")


def test_one_helper_serves_many_files_and_failures(decoder: Decoder, opened: Open) -> None:
    decoder.start()
    pid = decoder.helper_pid
    for _ in range(3):
        decoder.decode(opened(KICK), "x")
        with pytest.raises(DecodeFailed):
            decoder.decode(opened(written(tone(), "FLAC", "PCM_16")[:42]), "x")
    assert decoder.helper_pid == pid


def test_a_helper_that_is_killed_costs_no_file(opened: Open) -> None:
    with Decoder(DecodeSettings()) as decoder:
        with stopped(decoder) as pid:
            killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
            killer.start()
            assert len(decoder.decode(opened(KICK), "x").y) == 17640
            killer.join()
        assert decoder.helper_pid not in (None, pid)


def test_a_file_whose_helpers_are_killed_twice_is_given_up(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with Decoder(DecodeSettings()) as decoder:
        asked: list[int] = []
        ask = Helper.ask

        def killed(helper: Helper, fd: int, line: bytes, deadline_s: float) -> dict[str, Any]:
            asked.append(helper.pid)
            os.kill(helper.pid, signal.SIGKILL)
            return ask(helper, fd, line, deadline_s)

        monkeypatch.setattr(Helper, "ask", killed)
        with pytest.raises(DecoderCrashed, match="SIGKILL"):
            decoder.decode(opened(KICK), "x")
        assert len(set(asked)) == len(asked) == 2
        monkeypatch.undo()
        assert len(decoder.decode(opened(KICK), "x").y) == 17640


def test_a_helper_that_died_between_two_files_costs_none(opened: Open) -> None:
    with Decoder(DecodeSettings()) as decoder:
        decoder.start()
        pid = decoder.helper_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        psutil.Process(pid).wait(5) if psutil.pid_exists(pid) else None
        assert len(decoder.decode(opened(KICK), "x").y) == 17640
        assert decoder.helper_pid not in (None, pid)


def test_a_decoder_that_hangs_is_killed_at_the_deadline(opened: Open) -> None:
    with Decoder(DecodeSettings(deadline_s=0.4)) as decoder:
        with stopped(decoder):
            began = time.monotonic()
            with pytest.raises(DecodeTimeout, match=r"0\.4 s"):
                decoder.decode(opened(KICK), "x")
            assert 0.35 < time.monotonic() - began < 20
        assert decoder.helper_pid is None
        assert len(decoder.decode(opened(KICK), "x").y) == 17640


def test_an_interrupted_question_is_never_answered_to_the_next(opened: Open) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    with Decoder(DecodeSettings()) as decoder:
        with stopped(decoder):
            before = signal.signal(signal.SIGALRM, interrupt)
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            try:
                with pytest.raises(Interrupted):
                    decoder.decode(opened(KICK), "x")
            finally:
                signal.signal(signal.SIGALRM, before)
        silence = float_wav(np.zeros((5, 1), np.float32))
        assert decoder.decode(opened(silence), "x").y.shape == (5, 1)


def test_closing_ends_the_helper_and_may_be_done_twice(opened: Open) -> None:
    decoder = Decoder(DecodeSettings())
    y = decoder.decode(opened(KICK), "x").y
    pid = decoder.helper_pid
    assert pid is not None
    decoder.close()
    decoder.close()
    assert not psutil.pid_exists(pid)
    assert y.shape == (17640, 2)  # the memory goes with its last array
    assert float(np.abs(y).max()) > 0.4


@linux
class TestTheHelper:
    def test_sees_no_secret(self, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SAMPLEMIND_MONGO__URL", "mongodb://name:geheim@host")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
        with Decoder(DecodeSettings()) as decoder:
            decoder.start()
            proc = Path(f"/proc/{decoder.helper_pid}")
            seen = (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
            assert b"geheim" not in seen
            assert b"SAMPLEMIND_" not in seen

    def test_has_the_socket_and_the_memory_open_and_nothing_else(self, tmp_path: Path) -> None:
        secret = os.open(tmp_path, os.O_RDONLY)
        os.set_inheritable(secret, True)
        with Decoder(DecodeSettings()) as decoder:
            decoder.start()
            fds = Path(f"/proc/{decoder.helper_pid}/fd")
            targets = sorted(os.readlink(fd).split(":")[0] for fd in fds.iterdir())
        os.close(secret)
        assert targets == [*["/dev/null"] * 3, "/memfd", "socket"]

    def test_is_limited(self) -> None:
        with Decoder(DecodeSettings(memory_mb=1024)) as decoder:
            decoder.start()
            limits = Path(f"/proc/{decoder.helper_pid}/limits").read_text()
        said = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()[1:]}
        assert said["Max address space"] == [str(1024 << 20)] * 2
        for name in ("Max core file size", "Max file size", "Max processes"):
            assert said[name] == ["0", "0"], name
        assert said["Max open files"] == ["64", "64"]

    def test_works_within_the_smallest_memory(self, opened: Open) -> None:
        with Decoder(DecodeSettings(memory_mb=256)) as decoder:
            for content in (KICK, written(tone(), "FLAC", "PCM_16"), encoded("mp4", "aac"), encoded("adts", "aac")):
                assert len(decoder.decode(opened(content), "x").y) > 17000

    def test_ends_with_its_worker_even_if_it_hangs(self, tmp_path: Path) -> None:
        code = (
            "import os, signal, time\n"
            "from config.settings import DecodeSettings\n"
            "from workers.audio.decode import Decoder\n"
            "decoder = Decoder(DecodeSettings()); decoder.start()\n"
            "os.kill(decoder.helper_pid, signal.SIGSTOP)\n"
            "print(decoder.helper_pid, flush=True); time.sleep(60)\n"
        )
        worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=child_environment())
        assert worker.stdout is not None
        helper = int(worker.stdout.readline())
        worker.kill()
        worker.wait()
        worker.stdout.close()
        gone_by = time.monotonic() + 10
        while psutil.pid_exists(helper) and time.monotonic() < gone_by:
            time.sleep(0.02)
        assert not psutil.pid_exists(helper)

    def test_heeds_no_ctrl_c(self, opened: Open) -> None:
        with Decoder(DecodeSettings()) as decoder:
            decoder.start()
            pid = decoder.helper_pid
            assert pid is not None
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
            decoder.decode(opened(KICK), "x")
            assert decoder.helper_pid == pid

    def test_runs_on_its_workers_core(self) -> None:
        core = min(os.sched_getaffinity(0))
        code = (
            "import os\n"
            "from config.settings import DecodeSettings\n"
            "from workers.audio.decode import Decoder\n"
            "from workers.process import pin\n"
            f"pin({core})\n"
            "with Decoder(DecodeSettings()) as decoder:\n"
            "    decoder.start(); print(os.sched_getaffinity(decoder.helper_pid))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), timeout=60
        )
        assert done.stdout.strip() == str({core}), done.stderr

    def test_is_not_shared_by_a_fork(self, tmp_path: Path) -> None:
        (tmp_path / "kick.wav").write_bytes(KICK)
        (tmp_path / "silence.wav").write_bytes(float_wav(np.zeros((20000, 2), np.float32)))
        code = (
            "import os, sys\n"
            "from config.settings import DecodeSettings\n"
            "from workers.audio.decode import Decoder\n"
            "decoder = Decoder(DecodeSettings()); decoder.start(); mine = decoder.helper_pid\n"
            "fd = os.open('kick.wav', os.O_RDONLY)\n"
            "y = decoder.decode(fd, 'x').y; kept = y.copy()\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    frames = len(decoder.decode(os.open('silence.wav', os.O_RDONLY), 'x').y)\n"
            "    same = decoder.helper_pid == mine\n"
            "    decoder.close(); os._exit(0 if frames == 20000 and not same else 1)\n"
            "status = os.waitpid(child, 0)[1]\n"
            "intact = bool((y == kept).all())\n"
            "frames = len(decoder.decode(fd, 'x').y)\n"
            "print(status, intact, frames, decoder.helper_pid == mine); decoder.close()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=child_environment(),
            timeout=60,
        )
        assert done.stdout.strip() == "0 True 17640 True", done.stderr


@linux
class TestManyFiles:
    def test_leak_no_descriptor_and_no_memory(self, opened: Open, tmp_path: Path) -> None:
        contents = [
            KICK,
            written(tone(), "FLAC", "PCM_16"),
            written(tone(), "OGG", "VORBIS"),
            written(tone(), "MP3", "MPEG_LAYER_III"),
            encoded("mp4", "aac"),
            b"OggS" + os.urandom(2000),
            b"nothing" * 99,
        ]
        fds = [opened(content) for content in contents]
        with Decoder(DecodeSettings()) as decoder:
            for _ in range(20):
                self._decode_all(decoder, fds)
            assert decoder.helper_pid is not None
            helper, worker = psutil.Process(decoder.helper_pid), psutil.Process()
            before = [(p.num_fds(), p.memory_info().rss) for p in (helper, worker)]
            for _ in range(60):
                self._decode_all(decoder, fds)
            after = [(p.num_fds(), p.memory_info().rss) for p in (helper, worker)]
            assert decoder.helper_pid == helper.pid
        for (fds_before, rss_before), (fds_after, rss_after) in zip(before, after, strict=True):
            assert fds_after == fds_before
            assert rss_after - rss_before < 4 << 20

    @staticmethod
    def _decode_all(decoder: Decoder, fds: list[int]) -> None:
        for fd in fds:
            with suppress(DecodeFailed, NotAudio):
                decoder.decode(fd, "x")

    def test_a_large_one_gives_its_memory_back_at_the_next(self, opened: Open) -> None:
        big = opened(riff(chunk(b"fmt ", form(1)), chunk(b"data", bytes(64 << 20))))
        kick = opened(KICK)
        with Decoder(DecodeSettings(max_analyzed_s=3600, memory_mb=3072)) as decoder:
            assert decoder.decode(big, "x").y.nbytes == 128 << 20
            assert decoder.helper_pid is not None
            held = psutil.Process(decoder.helper_pid).memory_info().shared
            decoder.decode(kick, "x")
            assert held - psutil.Process(decoder.helper_pid).memory_info().shared > 60 << 20

    def test_work_without_memfd(self, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "KEPT", 1 << 20)
        monkeypatch.delattr(os, "memfd_create")
        big = float_wav(np.full((600_000, 1), 0.5, np.float32))
        with Decoder(DecodeSettings()) as decoder:
            for content, frames in ((KICK, 17640), (big, 600_000), (KICK, 17640), (big, 600_000)):
                decoded = decoder.decode(opened(content), "x")
                assert len(decoded.y) == frames
            assert float(decoded.y.min()) == 0.5


def test_shared_memory_cannot_be_cut_from_under_the_worker() -> None:
    if not hasattr(os, "memfd_create"):
        pytest.skip("no seals on this system")
    shared = memory.SharedMemory(1 << 20)
    for size in (0, 1 << 21):
        with pytest.raises(PermissionError):
            os.ftruncate(shared.fd, size)
    shared.close()


def test_a_bug_in_the_helper_is_told_and_costs_one_file(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Decoder(DecodeSettings()) as decoder:
        decoder.start()
        monkeypatch.setattr(wire, "request", lambda *_: b'{"no": "probe"}\n')
        with pytest.raises(DecoderCrashed, match="KeyError: 'probe'"):
            decoder.decode(opened(KICK), "x")
        monkeypatch.undo()
        assert len(decoder.decode(opened(KICK), "x").y) == 17640


@linux
def test_a_crash_in_native_code_names_its_signal(opened: Open) -> None:
    with Decoder(DecodeSettings()) as decoder:
        with stopped(decoder) as pid:
            os.kill(pid, signal.SIGSEGV)
            threading.Timer(0.2, os.kill, (pid, signal.SIGCONT)).start()
            with pytest.raises(DecoderCrashed, match="SIGSEGV"):
                decoder.decode(opened(KICK), "x")
        assert len(decoder.decode(opened(KICK), "x").y) == 17640
