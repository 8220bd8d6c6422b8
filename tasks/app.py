"""The Celery app of workers and of Flower. Who only publishes uses `tasks.send` and never imports this."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import setup_logging

from config.logging import configure_logging
from config.settings import get_settings
from tasks.configuration import celery_config

app = Celery("samplemind", include=["tasks.lifecycle", "tasks.scan", "tasks.analyze"])
app.conf.update(celery_config(get_settings()))


@setup_logging.connect(weak=False)
def _log_our_way(**_: Any) -> None:
    """Somebody connected to this signal: Celery leaves logging alone."""
    configure_logging(get_settings().log, part="worker")
