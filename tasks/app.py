"""The Celery app of workers and of Flower. Who only publishes uses `tasks.send` and never imports this."""

from __future__ import annotations

import logging
from typing import Any

from celery.signals import setup_logging

from config.logging import configure_logging
from config.settings import get_settings
from tasks.configuration import celery_config
from tasks.remote import only_look
from tasks.stopping import PoliteCelery
from tasks.vetting import vet_messages

vet_messages()
only_look()
app = PoliteCelery("samplemind", include=["tasks.lifecycle", "tasks.scan", "tasks.analyze"])
app.conf.update(celery_config(get_settings()))


@setup_logging.connect(weak=False)
def _log_our_way(**_: Any) -> None:
    """Somebody connected to this signal: Celery leaves logging alone."""
    configure_logging(get_settings().log, part="worker")
    # Two lines for each task, which say less than our own one.
    for chatty in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
