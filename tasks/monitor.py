"""Flower, the queue's monitor: ``python -m tasks.monitor``. To look at, not to touch."""

from __future__ import annotations

import os
import sys

from config.environment import child_environment
from config.flower import FlowerRefused, flower_arguments, flower_environment
from config.settings import get_settings


def main() -> None:
    """Become ``celery flower`` by ``exec``; exits 2 where its settings are refused."""
    settings = get_settings()
    try:
        arguments = flower_arguments(settings)
        environment = child_environment(None, **flower_environment(settings))
    except FlowerRefused as error:
        print(f"Flower is not started: {error}", file=sys.stderr)
        sys.exit(2)
    (settings.data_dir / "flower").mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "-m", "celery", "--quiet", "--app", "tasks.flower_app", "flower", *arguments]
    os.execve(line[0], line, environment)


if __name__ == "__main__":
    main()
