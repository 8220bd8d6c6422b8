"""API keys as text: ``sm_<id>_<256 random bits>``, and what is kept of them. No I/O."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

_SHAPE = re.compile(r"sm_([a-z2-7]{12})_[A-Za-z0-9_-]{43}")


def new_secret() -> tuple[str, str]:
    """(id, secret) of a new key."""
    key_id = base64.b32encode(secrets.token_bytes(8)).decode().lower()[:12]
    return key_id, f"sm_{key_id}_{secrets.token_urlsafe(32)}"


def parse(secret: str) -> str | None:
    """The id in a secret, ``None`` if it does not look like one of ours."""
    match = _SHAPE.fullmatch(secret)
    return match.group(1) if match else None


def digest(secret: str) -> str:
    """What is kept: SHA-256, hex. Enough without salt or stretching, a secret is 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
