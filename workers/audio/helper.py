"""The worker's end of one decoder helper: start it, ask it, kill it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from config.environment import decoder_environment
from config.logging import get_logger
from workers.audio import wire
from workers.audio.memory import SharedMemory
from workers.audio.sandbox import Confinement
from workers.errors import DecoderCrashed, DecodeTimeout, FileError

START_S = 60.0
"""A helper that is not ready by then never will be; a machine that starts a hundred workers at once is slow."""

_LAST_BREATH_S = 1.0
"""How long a helper that closed its socket may take to end, for its own reason to be told."""

log = get_logger(__name__)


class Helper:
    """One decoder process. It inherits this process's core, and none of its secrets."""

    def __init__(self, memory: SharedMemory, address_space: int, deadline_s: float) -> None:
        self._sock, theirs = socket.socketpair()
        with theirs:
            numbers = (theirs.fileno(), memory.fd, memory.size, address_space, deadline_s)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "workers.audio.decode_process", *map(str, numbers)],
                env=decoder_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # decoders chat about every odd file; bugs come over the socket
                pass_fds=(theirs.fileno(), memory.fd),
            )
        self.confinement: Confinement | None = None
        """Which measures hold in it; ``None`` until it is ready."""
        self.was_killed = False
        """It died of SIGKILL, which no file can send: of somebody, or of the kernel when memory ran out."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, fd: int | None, line: bytes, deadline_s: float) -> dict[str, Any]:
        """Send `line`, with `fd` if it is of a new file, and return the answer.

        Raises
        ------
        DecodeTimeout
            If there is none after `deadline_s`; the helper is dead then.
        DecoderCrashed
            If it died.
        """
        try:
            self.wait_until_ready()
            self._sock.settimeout(deadline_s)
            if fd is None:
                self._sock.sendall(line)
            else:
                socket.send_fds(self._sock, [line], [fd])
            answer = self._receive(deadline_s)
        except TimeoutError as error:
            self.kill()
            raise DecodeTimeout(f"More than {deadline_s:g} s.") from error
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._post_mortem(deadline_s) from error
        except BaseException:  # interrupted between question and answer: the next answer would be of this file
            self.kill()
            raise
        if "bug" in answer:
            self.kill()  # it is ending: the next file must not be given to it
            log.error("decoder_helper_failed", traceback=answer["bug"])
            raise DecoderCrashed(str(answer["bug"]).strip().rsplit("\n", 1)[-1])
        return answer

    def wait_until_ready(self) -> None:
        """Return once it has started. Raises as `ask`."""
        if self.confinement is None:
            self.confinement = wire.read_ready(self._receive(START_S))
            if not self.confinement.no_network:
                log.warning("decoder_has_network", hint="this system can neither filter its calls nor part it")

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()  # a stopped process dies of it too
        self._process.wait()
        self._sock.close()

    def abandon(self) -> None:
        """Forget it without ending it: it belongs to the process this one was forked from."""
        self._sock.close()
        self._process.returncode = 0

    def _receive(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        line = b""
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            got = self._sock.recv(wire.USUAL)
            if not got:
                raise BrokenPipeError
            line += got
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _post_mortem(self, deadline_s: float) -> FileError:
        """What it died of."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_BREATH_S)
        code = self._process.poll()
        self.kill()
        if code is None:
            return DecoderCrashed("It fell silent.")
        if code >= 0:
            return DecoderCrashed(f"It ended with status {code}.")
        if code == -signal.SIGXCPU:
            return DecodeTimeout(f"More than {deadline_s:g} s of computing.")
        self.was_killed = code == -signal.SIGKILL
        return DecoderCrashed(f"It was ended by {signal.Signals(-code).name}.")
