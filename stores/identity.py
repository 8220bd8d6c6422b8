"""Names of things: jobs by time, chunks by job and number, leases by chance. No I/O."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_CHARACTERS = 26


def new_job_id(now_s: float) -> str:
    """A ULID: 48 bits of time in milliseconds, 80 random bits. Sorts by time of creation."""
    number = (int(now_s * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(5 * (_ULID_CHARACTERS - 1), -1, -5))


def created_s(job_id: str, now_s: float) -> float:
    """When a job was made, by its id, in seconds since 1970; `now_s` where the id does not say."""
    try:
        digits = [_CROCKFORD.index(letter) for letter in job_id[:10]]
    except ValueError:
        return now_s
    milliseconds = 0
    for digit in digits:
        milliseconds = milliseconds << 5 | digit
    return min(milliseconds / 1000, now_s)


def new_token() -> str:
    """What the holder of a lease shows: nobody else can know it."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, order=True)
class ChunkId:
    """`n` counts a job's chunks from 0; `part` is 0, or counts the files of a split chunk from 1."""

    job: str
    n: int
    part: int = 0

    def __str__(self) -> str:
        whole = f"{self.job}:{self.n}"
        return f"{whole}:{self.part}" if self.part else whole

    @classmethod
    def parse(cls, text: str) -> ChunkId | None:
        """The id in `text`, or ``None`` where it is none: messages are not trusted."""
        job, *numbers = text.split(":")
        if not job or not 1 <= len(numbers) <= 2 or not all(_plain(number) for number in numbers):
            return None
        found = cls(job, *map(int, numbers))
        return found if str(found) == text else None


def _plain(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= 12


def age(version: str) -> tuple[int, ...]:
    """An analyser's version so that a newer one is greater: ``1.10.0`` is (1, 10, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def of_version(sample_id: str, version: str) -> str:
    """The id of the same content, with the same options, by another analyser."""
    content, _, rest = sample_id.partition("-")
    return f"{content}-{version}-{rest.rpartition('-')[2]}"
