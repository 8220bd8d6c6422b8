"""What a store can say, in our words; and that only the settings' key is ever used."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from config.buckets import BucketUrl
from config.settings import S3Settings
from stores.buckets import Bucket
from tests.s3 import answering, settings_of
from workers.errors import (
    AccessRefused,
    BucketAway,
    BucketMissing,
    ChangedWhileReading,
    ObjectArchived,
    SampleMindError,
    Unreadable,
    Vanished,
)


class Says:
    """Always says this."""

    status, body = 200, ""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(request.headers))
        request.send_response(self.status)
        request.send_header("Content-Length", str(len(self.body)))
        request.end_headers()
        request.wfile.write(self.body.encode())


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[str, Says]]:
    """A server's URL, and what it says."""
    says = Says()
    with answering(says) as url:
        yield url, says


def error(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>in the store's words</Message></Error>"


@pytest.mark.parametrize(
    ("status", "said", "ours", "words"),
    [
        (403, error("AccessDenied"), AccessRefused, "The key may not do this"),
        (403, error("InvalidAccessKeyId"), AccessRefused, "does not know the key"),
        (403, error("SignatureDoesNotMatch"), AccessRefused, "secret key does not fit"),
        (403, error("RequestTimeTooSkewed"), AccessRefused, "clock"),
        (400, error("ExpiredToken"), AccessRefused, "token is over"),
        (301, error("PermanentRedirect"), AccessRefused, "another region"),
        (403, error("InvalidObjectState"), ObjectArchived, "archive"),
        (404, error("NoSuchBucket"), BucketMissing, "no such bucket"),
        (404, error("NoSuchKey"), Vanished, "not there"),
        (412, error("PreconditionFailed"), ChangedWhileReading, "changed"),
        (503, error("SlowDown"), BucketAway, "tried again by itself"),
        (500, error("InternalError"), BucketAway, "tried again by itself"),
        (500, "<html>a proxy's own page</html>", BucketAway, "tried again by itself"),
        (400, error("SomethingNew"), Unreadable, "SomethingNew"),
    ],
)
def test_each_refusal_has_its_error_and_its_sentence(
    store: tuple[str, Says], status: int, said: str, ours: type[SampleMindError], words: str
) -> None:
    url, says = store
    says.status, says.body = status, said
    with pytest.raises(ours, match=words) as caught:
        Bucket(BucketUrl.parse("s3://packs"), settings_of(url, tries=1)).get("a.wav", 0, None)
    assert type(caught.value) is ours


@pytest.mark.parametrize("key", ["ada", None])
def test_only_the_key_of_the_settings_is_used(
    store: tuple[str, Says], key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    url, says = store
    says.status, says.body = 404, error("NoSuchKey")
    says.asked.clear()
    settings = settings_of(url, timeout_s=31) if key else S3Settings(endpoint=url)
    with pytest.raises(Vanished):
        Bucket(BucketUrl.parse("s3://packs"), settings).get("a.wav", 0, None)
    said = says.asked[0].get("Authorization")
    assert (said is None) if key is None else (said is not None and f"Credential={key}/" in said)


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr(settings_of("http://127.0.0.1:1")).replace("secret_access_key", "")
