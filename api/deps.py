"""What routes are given: the parts, and a caller who may.

Only `caller` asks a database and is plain; the rest is `async` so that it costs no turn in the thread pool.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from api.errors import refuse_field
from api.parts import Parts as _Parts
from api.quotas import REQUESTS, remember
from api.security import Caller, demand

_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer sm_...`", scheme_name="bearer")
_LISTS = {"range"}
"""Parameters that may be given several times."""
_header = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="header")


async def parts_of(request: Request) -> _Parts:
    """This gateway's parts."""
    parts: _Parts = request.app.state.parts
    return parts


Parts = Annotated[_Parts, Depends(parts_of)]


async def once(request: Request) -> None:
    """Refuse a parameter that is given twice: which of the two is meant? A list says so in its description."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in counted.items():
        if times > 1 and name not in _LISTS:
            raise refuse_field(name[:60], "is given more than once; several values go into one, with commas between")


def caller(request: Request, parts: Parts, _: object = Security(_bearer), __: object = Security(_header)) -> Caller:
    """Who asks; 401 where that cannot be told, 429 where they ask too often.

    The two schemes are named for the description of the API only.
    """
    who = parts.gate.admit(request)
    remember(request.scope, parts.quotas.take(who.key_id, REQUESTS))
    return who


_AnyCaller = Annotated[Caller, Depends(caller)]


async def _reader(who: _AnyCaller) -> Caller:
    return demand(who, "read")


async def _writer(who: _AnyCaller) -> Caller:
    return demand(who, "write")


async def _admin(who: _AnyCaller) -> Caller:
    return demand(who, "admin")


Reader = Annotated[Caller, Depends(_reader)]
Writer = Annotated[Caller, Depends(_writer)]
Admin = Annotated[Caller, Depends(_admin)]
