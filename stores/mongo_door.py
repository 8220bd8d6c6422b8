"""What every collection's door shares: foreign errors end here, and conditions on the server's own clock.

Three measured habits of the embedded server shape the queries; a real MongoDB does not mind them:

* ``$expr`` in a filter, ``findAndModify`` and a range of ``_id`` each read the whole collection. So a condition on
  time is a ``$cond`` inside a pipeline update of one ``_id``, and a range goes through an index with an equality first.
* A query costs by what it matches, not by its limit. So everything is asked for in windows.
* ``hint`` reads the whole index. So there is none but in `stores.indexes`, which wants just that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from workers.errors import StoreError, StoreUnavailable

Document = dict[str, Any]
Documents = Collection[Document]
MongoDatabase = Database[Document]
Expression = Any

DUPLICATE_KEY = 11000
_PASSING = frozenset({1, 50, 64, 91, 100, 112, 133, 189, 262, 10107, 11600, 11602, 13435, 13436, 14031})
"""Codes that pass by themselves: time limits, write conflicts, elections, shutdown, a full disk. The embedded server
calls a full disk an internal error (1)."""


@contextmanager
def mongo_errors() -> Iterator[None]:
    """Turn what pymongo raises into `StoreUnavailable` (again later) or `StoreError` (never). Also a decorator."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, WaitQueueTimeoutError, WTimeoutError) as error:
        raise StoreUnavailable(_named(error)) from error
    except OperationFailure as error:
        kind = StoreUnavailable if _passes(error) else StoreError
        raise kind(_named(error)) from error
    except (PyMongoError, BSONError, OverflowError, UnicodeEncodeError) as error:
        raise StoreError(_named(error)) from error


def _passes(error: OperationFailure) -> bool:
    codes = {error.code}
    if isinstance(error, BulkWriteError):
        details: Mapping[str, Any] = error.details
        codes |= {each.get("code") for kind in ("writeErrors", "writeConcernErrors") for each in details.get(kind, ())}
        codes -= {DUPLICATE_KEY}
    return bool(codes & _PASSING) or error.has_error_label("RetryableWriteError")


def _named(error: Exception) -> str:
    """The kind of error only: its text names hosts, which are not for those who read the answer."""
    return f"(MongoDB: {type(error).__name__})"


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether a bulk write failed only where somebody else was quicker."""
    details: Mapping[str, Any] = error.details
    refused = details.get("writeErrors", ())
    return not details.get("writeConcernErrors") and all(each.get("code") == DUPLICATE_KEY for each in refused)


# -- expressions on the server's clock
NOW: Expression = {"$toLong": "$$NOW"}
"""The server's time in milliseconds since 1970. Leases are kept as such numbers: the embedded server answers every
comparison of a stored date with ``$$NOW`` by false, so a lease kept as a date would never end."""


def later(seconds: float) -> Expression:
    """The server's time so many seconds from now."""
    return {"$add": [NOW, int(seconds * 1000)]}


def is_over(field: str) -> Expression:
    """Whether the time in `field` is past or was never set."""
    return {"$lt": [{"$ifNull": [f"${field}", 0]}, NOW]}


def literal(value: object) -> Expression:
    """A value as it is: in a pipeline a plain ``$text`` would be a field."""
    return {"$literal": value}


def setting_if(condition: Expression, changes: Mapping[str, Expression]) -> list[Document]:
    """A pipeline update: `changes` where `condition` holds, else nothing is modified."""
    return [{"$set": {name: {"$cond": [condition, value, f"${name}"]} for name, value in changes.items()}}]
