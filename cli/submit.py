"""Submitting a folder, and watching it."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

from cli.console import err, escape, out
from cli.follow import conservation, counts_text, watch
from cli.found import find_cluster
from cli.gateway import Gateway, Json, Refused, Unreachable
from cli.place import Place, place_of

_TRIES = 5


def post_job(gateway: Gateway, place: Place, priority: str, key: str | None = None, *, rescan: bool = False) -> Json:
    """Submit a folder. A lost answer is asked for again under the same key, so that no job is made twice."""
    source: Json = {"root": place.root, "path": place.path, "pattern": place.pattern}
    if rescan:
        source["rescan"] = True
    body = {"source": source, "priority": priority}
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    pause = threading.Event()
    for attempt in range(1, _TRIES + 1):
        try:
            return gateway.call("POST", "/v1/jobs", json=body, headers=headers)
        except (Unreachable, Refused) as error:
            again = isinstance(error, Unreachable) or error.status in (429, 503)
            if not again or attempt == _TRIES:
                raise
            pause.wait(0.5 * 2**attempt)
    raise AssertionError("unreachable")


def root_names(gateway: Gateway) -> list[str]:
    """The library roots that a gateway offers."""
    found = gateway.get("/v1/roots")
    listed = found.get("items") or found.get("roots") or []
    return [str(each["name"] if isinstance(each, dict) else each) for each in listed]


def submit(
    given: str,
    *,
    root: str | None,
    pattern: str | None,
    priority: str,
    follow: bool,
    rescan: bool,
    url: str | None,
    data: Path | None,
) -> bool:
    """Submit what the user names; whether it ended well (or, not followed, was accepted)."""
    cluster = find_cluster(url, data)
    with Gateway(cluster) as gateway:
        place = place_of(given, cluster, root_names(gateway), root)
        if pattern is not None:
            place = Place(place.root, place.path, pattern)
        job = post_job(gateway, place, priority, rescan=rescan)
        return accepted(gateway, job, follow=follow)


def recompute(*, follow: bool, url: str | None, data: Path | None) -> bool:
    """Have what an older analyser said found out anew; whether it ended well (or, not followed, was accepted)."""
    with Gateway(find_cluster(url, data)) as gateway:
        return accepted(gateway, gateway.call("POST", "/v1/recompute"), follow=follow)


def accepted(gateway: Gateway, job: Json, *, follow: bool) -> bool:
    """Say that a job is accepted, or follow it; whether it ended well (or, not followed, was accepted)."""
    err().print(f"Job [bold]{job['id']}[/] is accepted: {escape(job.get('label') or job['id'])}")
    if not follow:
        out().print(job["id"], markup=False)
        err().print(f"Watch it with: ./samplemind jobs watch {job['id']}")
        return True
    return ended(watch(gateway, job["id"]))


def ended(job: Json) -> bool:
    """Say how a job ended; whether it was analysed to its end."""
    out().print(f"{job['state']}: {counts_text(job['counts'])}", markup=False)
    out().print(conservation(job["counts"]), markup=False)
    if job.get("reason"):
        err().print(escape(job["reason"]["message"]))
    elif job["state"] == "complete" and not job["counts"]["submitted"] and job.get("source"):
        pattern = job["source"].get("pattern") or "**/*"
        err().print(
            f"No file fits the pattern {pattern!r}. '*.wav' is what lies in the folder itself, '**/*.wav' also what "
            "lies deeper.",
            markup=False,
        )
    for status in ("failed", "skipped"):
        if job["counts"][status]:
            err().print(f"See why with: ./samplemind jobs files {job['id']} --status {status}")
    return bool(job["state"] == "complete")
