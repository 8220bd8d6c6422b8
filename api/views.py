"""What the gateway says of things in the ledger: records in, plain JSON values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from api.answers import instant
from api.events import Snapshot
from api.reproduce import reproduce
from stores.records import ApiKey, Cause, FailedFile, FileRow, FolderSource, Job, Page, Reason, Sample
from workers.naming import spelled


def job_view(job: Job) -> dict[str, Any]:
    """A job, its counts, and where its files, events and export are."""
    here = f"/v1/jobs/{job.id}"
    return {
        "id": job.id,
        "state": job.state.value,
        "counts": asdict(job.counts),
        "label": job.label,
        "priority": job.priority.value,
        "source": asdict(job.source) if isinstance(job.source, FolderSource) else None,
        "created_at": instant(job.created_at),
        "finished_at": None if job.finished_at is None else instant(job.finished_at),
        "cancel_requested": job.cancel_requested,
        "reason": reason_view(job.reason),
        "links": {
            "self": here,
            "files": f"{here}/files",
            "events": f"{here}/events",
            "export": f"/v1/exports/{job.id}",
        },
    }


def progress_view(now: Snapshot) -> dict[str, Any]:
    """A job in an event: with its speed over the last half minute."""
    return {**job_view(now.job), "files_per_s": now.files_per_s, "eta_s": now.eta_s}


def reason_view(reason: Reason | None) -> dict[str, str] | None:
    """Why, or ``None``."""
    return None if reason is None else {"code": reason.code, "message": reason.message}


def file_view(row: FileRow) -> dict[str, Any]:
    """One submitted file."""
    return {
        "index": row.index,
        "path": row.file.path,
        **spelled(row.file.raw),
        "root": row.file.root,
        "status": row.row.status.value,
        "reason": reason_view(row.row.reason),
        "sample_id": row.row.sample_id,
    }


def cause_view(cause: Cause) -> dict[str, Any]:
    """Why files failed, and how many."""
    return asdict(cause)


def failed_view(failed: FailedFile) -> dict[str, Any]:
    """A file in quarantine, and the command that shows it fail."""
    return {
        "id": failed.id,
        "job": failed.job_id,
        "index": failed.index,
        "root": failed.file.root,
        "path": failed.file.path,
        **spelled(failed.file.raw),
        "reason": reason_view(failed.reason),
        "attempts": failed.attempts,
        "died_of": [of or "its worker vanished" for of in failed.died_of],
        "reproduce": reproduce(failed.file),
    }


def sample_view(sample: Sample) -> dict[str, Any]:
    """What `samplemind analyze` prints of a content, and where it was seen."""
    return {
        "sample_id": sample.id,
        "analyzer": sample.analyzer,
        **sample.analysis,
        "files": [{"root": file.root, "path": file.path, **spelled(file.raw)} for file in sample.files],
        "created_at": instant(sample.created_at),
        **({"superseded_by": sample.superseded_by} if sample.superseded_by else {}),
    }


def key_view(key: ApiKey) -> dict[str, Any]:
    """A key without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "scopes": list(key.scopes),
        "created_at": instant(key.created_at),
        "expires_at": None if key.expires_at is None else instant(key.expires_at),
    }


def page_view(items: list[dict[str, Any]], page: Page[Any]) -> Mapping[str, Any]:
    """A page of anything: `next` is the cursor of the page behind it, or ``None``."""
    return {"items": items, "next": page.next}
