"""The same analysis on this machine's cores, without a cluster (row A4)."""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from config.environment import cap_threads, use_kernel_cache
from config.logging import get_logger
from config.settings import DecodeSettings, get_settings
from workers.errors import AnalysisFailed, FileError, KilledWorker, OutOfMemory, ParameterError

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

log = get_logger(__name__)

Path = str | os.PathLike[str]
AnalysisFn = Callable[[str], Any]
Alive = Callable[[str, float, float], object]

_decoders: dict[DecodeSettings, Decoder] = {}
"""This process's own; kept from file to file, because starting its helper costs more than a one-shot."""


class BatchAudioProcessor:
    """Analyses many files on `n_jobs` processes, one core each.

    Parameters
    ----------
    n_jobs : int
        Processes; -1 is one for each physical core, 1 is this process itself.
    settings : DecodeSettings or None
        How to decode; by default as the process's settings say.
    told : bool
        Whether to say on standard error that kernels are compiled, where they are.
    alive : callable
        Told how far a long file is that is analysed in this process: its path, its seconds so far and in all.

    Raises
    ------
    ParameterError
        If `n_jobs` is 0 or less than -1.
    """

    def __init__(
        self,
        n_jobs: int = -1,
        settings: DecodeSettings | None = None,
        *,
        told: bool = False,
        alive: Alive = lambda path, done_s, whole_s: None,
    ) -> None:
        if n_jobs == 0 or n_jobs < -1:
            raise ParameterError(f"n_jobs is a number of processes or -1 for every physical core, not {n_jobs}.")
        self.n_jobs = physical_core_count() if n_jobs == -1 else n_jobs
        self.settings = settings if settings is not None else get_settings().decode
        self._told, self._alive = told, alive

    def process_batch(self, file_paths: Sequence[Path], analysis_fn: AnalysisFn | None = None) -> list[Any]:
        """Analyse files; one result a file, in their order.

        Parameters
        ----------
        file_paths : sequence of paths
        analysis_fn : callable or None
            What to do with each path, in another process. By default the whole analysis, and the result is the
            object that ``samplemind analyze`` prints.

        Returns
        -------
        results : list
            What the function returned; where it raised, an object with ``status`` ``failed`` and the reason.
        """
        return list(self.iter_batch(file_paths, analysis_fn))

    def iter_batch(self, file_paths: Sequence[Path], analysis_fn: AnalysisFn | None = None) -> Iterator[Any]:
        """The same, each result as soon as it and all before it are there."""
        paths = [os.fspath(path) for path in file_paths]
        jobs = min(self.n_jobs, len(paths))
        if jobs <= 1:
            if self._told:
                _tell()
            for path in paths:
                yield _run(path, analysis_fn, self.settings, self._alive)
            return
        done = 0
        while done < len(paths):
            for result in self._until_a_process_dies(paths[done:], analysis_fn, jobs):
                done += 1
                yield result
            # One of the next files ended its process: each of those in flight alone, to find out which.
            for path in paths[done : done + 4 * jobs]:
                done += 1
                yield _run_alone(path, analysis_fn, self.settings)

    def _until_a_process_dies(self, paths: list[str], analysis_fn: AnalysisFn | None, jobs: int) -> Iterator[Any]:
        import joblib  # a tenth of a second that one file on one core does not pay
        from joblib.externals.loky.process_executor import BrokenProcessPool

        # Children inherit the environment: caps must stand before they load numpy and numba.
        cap_threads()
        use_kernel_cache()
        with joblib.parallel_config(
            "loky", n_jobs=jobs, inner_max_num_threads=1, initializer=_begin, initargs=(self._told,)
        ):
            run = joblib.Parallel(return_as="generator", batch_size=1, pre_dispatch=f"{4 * jobs}", max_nbytes=None)
            results = run(joblib.delayed(_run)(path, analysis_fn, self.settings) for path in paths)
            try:
                yield from results
            except BrokenProcessPool:
                log.warning("process_died", files_left=len(paths))


def physical_core_count() -> int:
    """Physical cores this process may use: hyper-threads share the units that kernels keep busy."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or allowed, allowed))


def _begin(told: bool = False) -> None:
    """A child leaves Ctrl-C to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if told:
        _tell()


def _tell() -> None:
    from workers.compiling import say_when_compiling  # imports numba: not before the cache is chosen

    say_when_compiling()


def decoder_of_process() -> Decoder:
    """This process's decoder as its settings say; kept for the next file. For analysis functions of one's own."""
    return _decoder(get_settings().decode)


def _decoder(settings: DecodeSettings) -> Decoder:
    if settings not in _decoders:
        from workers.audio.decode import Decoder

        _decoders[settings] = Decoder(settings)
        _decoders[settings].launch()
        atexit.register(_decoders[settings].close)
    return _decoders[settings]


def _run(path: str, analysis_fn: AnalysisFn | None, settings: DecodeSettings, alive: Alive | None = None) -> Any:
    """One file, in the process it was given to. Never raises for the file's sake."""
    if analysis_fn is None:
        decoder = _decoder(settings)  # before numba is imported: its helper starts meanwhile
        from workers.file import analyze_path

        return analyze_path(decoder, path, *([partial(alive, path)] if alive is not None else []))
    from workers.file import describe

    try:
        return analysis_fn(path)
    except FileError as error:
        return describe(path, error)
    except MemoryError:
        return describe(path, OutOfMemory())
    except Exception as error:
        log.exception("analysis_failed", file=path)
        return describe(path, AnalysisFailed(f"{type(error).__name__}: {error}"))


def _run_alone(path: str, analysis_fn: AnalysisFn | None, settings: DecodeSettings) -> Any:
    """One file in a process of its own, which it may take down."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    from workers.file import describe

    with ProcessPoolExecutor(max_workers=1, initializer=_begin) as executor:
        try:
            return executor.submit(_run, path, analysis_fn, settings).result()
        except BrokenProcessPool:
            return describe(path, KilledWorker())
