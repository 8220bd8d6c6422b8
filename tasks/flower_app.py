"""The Celery app that Flower looks through: it knows the queues and no task, so that Flower's image needs neither
database nor numba."""

from __future__ import annotations

from celery import Celery

from config.logging import configure_logging
from config.settings import get_settings
from tasks.configuration import celery_config

configure_logging(get_settings().log, part="flower")
app = Celery("samplemind.monitor")
app.conf.update(celery_config(get_settings()))
