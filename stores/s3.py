"""The client of an S3-compatible store, and its errors in our words. It knows no key but the one in the settings.

botocore, because it takes every key that a store can hold. (obstore is half as large, and one key such as ``a//b.wav``
or ``../up.wav`` anywhere below a prefix ends its listing of the whole: docs/decisions/0028.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from config.settings import S3Settings
from workers.errors import (
    AccessRefused,
    BucketAway,
    BucketMissing,
    ChangedWhileReading,
    FileError,
    ObjectArchived,
    Unreadable,
    Vanished,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

_SAID: Final[dict[str, type[FileError]]] = {
    "NoSuchBucket": BucketMissing,
    "NoSuchKey": Vanished,
    "NotFound": Vanished,
    "404": Vanished,
    "PreconditionFailed": ChangedWhileReading,
    "412": ChangedWhileReading,
    "InvalidRange": ChangedWhileReading,
    "416": ChangedWhileReading,
    "InvalidObjectState": ObjectArchived,
}
_REFUSED: Final = {
    "AccessDenied": "The key may not do this.",
    "AllAccessDisabled": "Nobody may.",
    "ExpiredToken": "The session token is over.",
    "InvalidAccessKeyId": "The store does not know the key.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong.",
    "SignatureDoesNotMatch": "The secret key does not fit.",
    "AuthorizationHeaderMalformed": "The bucket is in another region than s3.region says.",
    "PermanentRedirect": "The bucket is in another region than s3.region says.",
}
_LATER: Final = frozenset({"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "ServiceUnavailable"})


@lru_cache
def connect(settings: S3Settings) -> BaseClient:
    """The client of these settings, which threads share; connects when it is first used. Making it takes half a second.

    It looks into no file, variable or address for keys or for anything else, and tries nothing twice: its callers do,
    who can say meanwhile that they are alive.
    """
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = botocore.session.Session()
    for name in ("config_file", "credentials_file"):
        session.set_config_variable(name, "/dev/null")
    given = (settings.access_key_id, settings.secret_access_key, settings.session_token)
    key = [None if each is None else each.get_secret_value() for each in given]
    config = Config(
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.timeout_s,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=settings.ahead + 4,
        signature_version=UNSIGNED if key[0] is None else "s3v4",
        s3={"addressing_style": _addressing(settings)},
        # Other stores than AWS do not know its new checksums; what arrives is compared by length and ETag.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        proxies={},
        ignore_configured_endpoint_urls=True,
    )
    return session.create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        aws_session_token=key[2],
        verify=str(settings.tls_ca) if settings.tls_ca else True,
        config=config,
    )


def _addressing(settings: S3Settings) -> str:
    if settings.virtual_hosts:
        return "virtual"
    return "path" if settings.endpoint else "auto"


@contextmanager
def s3_errors() -> Iterator[None]:
    """Say what the store and the way to it say in our words.

    Raises
    ------
    FileError
        What the store said of this object or this bucket: asking again would not help.
    BucketAway
        It cannot be reached, is overloaded or broke off: asking again may help.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        HTTPClientError,
        IncompleteReadError,
    )
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        raise _ours(error.response) from error
    except (HTTPClientError, EndpointConnectionError, IncompleteReadError, ResponseParserError, HTTPError) as error:
        raise BucketAway(f"{type(error).__name__}.") from error
    except BotoCoreError as error:
        raise Unreadable(f"The store was asked wrongly ({type(error).__name__}).") from error


def _ours(response: dict[str, Any]) -> FileError | BucketAway:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _LATER or status >= 500 or status == 429:
        return BucketAway(f"It said {code or status}.")
    if code in _SAID:
        return _SAID[code]()
    if code in _REFUSED or status in (301, 401, 403):
        return AccessRefused(_REFUSED.get(code, ""))
    return Unreadable(f"The store said {code or status}.")
