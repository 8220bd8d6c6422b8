"""Where a library root in an S3-compatible store is: ``s3://bucket/prefix``."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


class BucketUrl(BaseModel):
    """A bucket, and what the keys of the root begin with; both as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str
    prefix: str = ""
    """Empty, or with a slash at its end: ``drums/`` does not mean ``drums-old/``."""

    @classmethod
    def parse(cls, url: str) -> BucketUrl:
        """From ``s3://bucket/prefix``. `ValueError` where it names no bucket."""
        bucket, _, prefix = url.removeprefix(SCHEME).partition("/")
        if not url.startswith(SCHEME) or not _BUCKET.fullmatch(bucket) or set("?#") & set(prefix):
            raise ValueError(f"a bucket is written s3://bucket or s3://bucket/prefix, not {url!r}")
        prefix = prefix.strip("/")
        return cls(bucket=bucket, prefix=f"{prefix}/" if prefix else "")

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")
