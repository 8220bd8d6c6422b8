"""What processes find in their environment: thread caps, caches, and what a child may see.

With `config.settings` the only place that touches the process environment.
"""

from __future__ import annotations

import os
from pathlib import Path

from config.settings import PREFIX

THREAD_CAPS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NUMBA_THREADING_LAYER": "workqueue",
}
"""A worker is one core: libraries that start a thread a core oversubscribe the machine."""

_NEEDED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "VIRTUAL_ENV",
    "SYSTEMROOT",
)
_PROJECT = Path(__file__).resolve().parent.parent


def cap_threads() -> None:
    """Cap this process's thread pools. Call before numpy or numba is imported."""
    os.environ.update(THREAD_CAPS)


def threads_capped() -> bool:
    """Whether the caps are in this process's environment already."""
    return all(os.environ.get(name) == value for name, value in THREAD_CAPS.items())


def numba_cache_dir() -> Path:
    """Where compiled kernels are kept: ``NUMBA_CACHE_DIR`` if set, else below the user's cache folder."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "samplemind" / "numba"


def use_kernel_cache() -> None:
    """Let numba keep compiled kernels in `numba_cache_dir`. Call before numba is imported."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_dir()))


def child_environment(settings_file: Path | None = None, **extra: str) -> dict[str, str]:
    """The environment of a process of the cluster: what it needs to run, our settings, nothing else.

    With `settings_file` the child reads its settings from there and sees none of this process's own.
    """
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    if settings_file is None:
        kept |= {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    else:
        kept[PREFIX + "CONFIG_FILE"] = str(settings_file)
    kept |= {"PYTHONPATH": str(_PROJECT), "PYTHONUNBUFFERED": "1", "NUMBA_CACHE_DIR": str(numba_cache_dir())}
    return {**kept, "ANONYMIZED_TELEMETRY": "False", **extra}


def decoder_environment() -> dict[str, str]:
    """The environment of the process that decodes untrusted bytes: no settings, no secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "SYSTEMROOT") if name in os.environ}
    return {**kept, **THREAD_CAPS, "PYTHONPATH": str(_PROJECT)}
