"""How Flower is run: its options as arguments, its secret in the environment, where `ps` does not show it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from config.settings import Settings

SAVE_EACH_MS: Final = 300_000
"""Flower writes all it remembers at once (80 MB with 20,000 tasks), idle or not; a kill loses so much history."""
PURGE_AFTER_S: Final = 600
"""Workers that are gone leave the list: each is a label of its metrics."""


class FlowerRefused(ValueError):
    """These settings would open the queue's monitor to everybody."""


def flower_arguments(settings: Settings) -> list[str]:
    """What stands behind ``celery flower``.

    Raises
    ------
    FlowerRefused
        It would listen beyond loopback without a password.
    """
    flower = settings.flower
    if flower.basic_auth is None and not is_loopback(flower.host):
        raise FlowerRefused(
            f"flower.host is {flower.host}, beyond loopback, and flower.basic_auth is not set: "
            "set it to name:password, or flower.host to 127.0.0.1."
        )
    return [
        f"--address={flower.host}",
        f"--port={flower.port}",
        f"--max_tasks={flower.max_tasks}",
        f"--purge_offline_workers={PURGE_AFTER_S}",
        "--persistent=true",
        f"--db={settings.data_dir / 'flower' / 'flower.db'}",
        f"--state_save_interval={SAVE_EACH_MS}",
        # To look, not to touch: jobs are cancelled at the gateway, workers stopped by who started them.
        "--read_only=true",
        # Our workers send events from the start; asking each of them every 5 s is idle work for all.
        "--enable_events=false",
        # Tornado's own log handler would write beside ours.
        "--logging=none",
    ]


def flower_environment(settings: Settings) -> dict[str, str]:
    """What goes into Flower's environment: the password, or that there is none on loopback.

    Raises
    ------
    FlowerRefused
        The password cannot be passed: Flower takes a comma for the end of one.
    """
    if settings.flower.basic_auth is None:
        # Without it /api answers 401 although every page is open.
        return {"FLOWER_UNAUTHENTICATED_API": "true"}
    secret = settings.flower.basic_auth.get_secret_value()
    if "," in secret or ":" not in secret:
        raise FlowerRefused("flower.basic_auth must be name:password without a comma.")
    return {"FLOWER_BASIC_AUTH": secret}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
