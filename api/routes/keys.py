"""API keys. Needs the admin scope, or a gateway on loopback without any key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.answers import Json
from api.deps import Admin, Parts
from api.errors import Problem, refuse_field
from api.schemas import ExpireRequest, KeyRequest, RotateRequest
from api.shapes import PROBLEMS, KeyShape, KeysShape, NewKeyShape
from api.views import key_view
from stores.records import ApiKey

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=PROBLEMS)
KeyId = Annotated[str, Path(max_length=200)]
_SECRET = {"Cache-Control": "no-store"}
_LAST_ADMIN = (
    "This is the last key with the scope 'admin': without it nobody could make or revoke keys. Make another admin's "
    "key first; or revoke all others, and then this one, to have a gateway without keys again."
)


@router.post("", status_code=201, summary="Make a key", responses={201: {"model": NewKeyShape}})
def create(parts: Parts, who: Admin, asked: KeyRequest) -> Response:
    """The secret is shown this once. From the first key on every request needs one; so the first must be admin's."""
    if who.key_id is None and "admin" not in asked.scopes:
        raise refuse_field("scopes", "the first key needs the scope 'admin', or nobody could make another")
    scopes = sorted(set(asked.scopes))
    key, secret = parts.keys.create(name=asked.name, owner=asked.owner or who.owner, scopes=scopes, ttl_s=asked.ttl_s)
    parts.gate.forget()
    return Json({"key": key_view(key), "secret": secret}, status_code=201, headers=_SECRET)


@router.get("", summary="Every key", responses={200: {"model": KeysShape}})
def keys(parts: Parts, _: Admin) -> Response:
    """Without their secrets: those are not kept."""
    return Json({"items": [key_view(key) for key in parts.keys.list()]}, headers=_SECRET)


@router.post("/{key_id}/expire", summary="Have a key end", responses={200: {"model": KeyShape}})
def expire(parts: Parts, _: Admin, key_id: KeyId, asked: ExpireRequest) -> Response:
    """Sooner than it would have ended; never later. 409 for the last key with the scope `admin`."""
    if not _an_admin_without(parts, key_id):
        raise Problem(409, "last_admin_key", _LAST_ADMIN)
    return Json(key_view(parts.keys.expire(key_id, asked.in_s)), headers=_SECRET)


@router.post(
    "/{key_id}/rotate", status_code=201, summary="Give a key another secret", responses={201: {"model": NewKeyShape}}
)
def rotate(parts: Parts, _: Admin, key_id: KeyId, asked: RotateRequest) -> Response:
    """A new key of the same name, owner, scopes and end. The old one ends, at once or after `overlap_s`."""
    old = parts.keys.get(key_id)
    left_s = None if old.expires_at is None else (old.expires_at - datetime.now(UTC)).total_seconds()
    if left_s is not None and left_s <= 0:
        raise Problem(409, "key_expired", "This key has expired: make a new one.")
    if old.successor is not None:
        # its end is that of the overlap by now, and no longer its own
        raise Problem(
            409, "key_rotated", f"This key was rotated already: rotate {old.successor}, which took its place."
        )
    key, secret = parts.keys.create(name=old.name, owner=old.owner, scopes=old.scopes, ttl_s=left_s)
    parts.keys.expire(old.id, asked.overlap_s, successor=key.id)
    return Json({"key": key_view(key), "secret": secret}, status_code=201, headers=_SECRET)


@router.delete("/{key_id}", status_code=204, summary="Revoke a key")
def revoke(parts: Parts, _: Admin, key_id: KeyId) -> Response:
    """At once, for every gateway. 409 for the last key with the scope `admin` while there are others."""
    alone = all(key.id == key_id for key in parts.keys.list())
    if not alone and not _an_admin_without(parts, key_id):
        raise Problem(409, "last_admin_key", _LAST_ADMIN)
    parts.keys.revoke(key_id)
    parts.gate.forget()
    return Response(status_code=204)


def _an_admin_without(parts: Parts, key_id: str) -> bool:
    """Whether keys can still be made without this one; so also where it could make none."""
    if "admin" not in parts.keys.get(key_id).scopes:
        return True
    return any(_opens_all(key) for key in parts.keys.list() if key.id != key_id)


def _opens_all(key: ApiKey) -> bool:
    return "admin" in key.scopes and (key.expires_at is None or key.expires_at > datetime.now(UTC))
