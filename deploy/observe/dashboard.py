"""Writes Grafana's dashboard: ``python deploy/observe/dashboard.py > deploy/observe/grafana/samplemind.json``.

A row a question that somebody has: does work get on, what waits, is everything alive, is the index whole, how does the
gateway answer. Needs nothing but Python.
"""

from __future__ import annotations

import json
from typing import Any

_REQUESTS = "samplemind_http_request_duration_seconds"
_CHUNK = 'flower_task_runtime_seconds_bucket{task="samplemind.analyze"}'
_EVENTS = "flower_events_total"

Panel = tuple[str, str, str, dict[str, str]]
"""Title, Grafana's kind of panel, unit, and what each line is called with its expression."""

ROWS: dict[str, list[Panel]] = {
    "Does work get on?": [
        ("Files a second", "stat", "ops", {"": "sum(rate(samplemind_worker_files_total[1m]))"}),
        ("Oldest active job", "stat", "s", {"": "samplemind_oldest_active_job_age_seconds"}),
        ("Jobs by state", "timeseries", "short", {"{{state}}": "samplemind_jobs > 0"}),
        ("Files a second, by worker", "timeseries", "ops", {"{{worker}}": "rate(samplemind_worker_files_total[1m])"}),
        ("Files by how they stand", "timeseries", "short", {"{{status}}": "samplemind_files > 0"}),
        ("Chunks a second", "timeseries", "ops", {"all workers": "sum(rate(samplemind_worker_chunks_total[1m]))"}),
    ],
    "What waits?": [
        ("Messages in the queues", "timeseries", "short", {"{{queue}}": "samplemind_queue_messages"}),
        (
            "Time of a chunk (Flower)",
            "timeseries",
            "s",
            {
                "median": f"histogram_quantile(0.5, sum by (le) (rate({_CHUNK}[5m])))",
                "95 of 100": f"histogram_quantile(0.95, sum by (le) (rate({_CHUNK}[5m])))",
            },
        ),
        ("Tasks by how they ended (Flower)", "timeseries", "ops", {"{{type}}": f"sum by (type) (rate({_EVENTS}[1m]))"}),
    ],
    "Is everything alive?": [
        ("Processes alive", "timeseries", "short", {"{{part}}": "samplemind_processes_alive"}),
        ("Processes that do not get on", "timeseries", "short", {"{{part}}": "samplemind_processes_stuck"}),
        ("Sources of figures", "timeseries", "bool", {"{{source}}": "samplemind_source_up"}),
        (
            "Parts replaced by `up`",
            "timeseries",
            "short",
            {"{{part}}": "increase(samplemind_parts_replaced_total[1h])"},
        ),
        ("Workers online (Flower)", "stat", "short", {"": "sum(flower_worker_online)"}),
    ],
    "Is the index whole?": [
        (
            "Sounds, and those in the index",
            "timeseries",
            "short",
            {"sounds": "samplemind_samples", "in the index": "samplemind_samples_indexed"},
        ),
        ("Generation that searches ask", "stat", "none", {"": "samplemind_index_generation"}),
        (
            "Vectors the last audit found wanting",
            "timeseries",
            "short",
            {"{{found}}": 'samplemind_index_audit_vectors{found!~"compared|asked"}'},
        ),
    ],
    "How does the gateway answer?": [
        ("Requests a second", "timeseries", "reqps", {"{{route}}": f"sum by (route) (rate({_REQUESTS}_count[1m]))"}),
        (
            "99 of 100 begin to be answered within",
            "timeseries",
            "s",
            {"{{route}}": f"histogram_quantile(0.99, sum by (le, route) (rate({_REQUESTS}_bucket[5m])))"},
        ),
        (
            "Answers of 4xx and 5xx",
            "timeseries",
            "reqps",
            {"{{status}}": f'sum by (status) (rate({_REQUESTS}_count{{status=~"[45].."}}[1m]))'},
        ),
        ("Memory", "timeseries", "bytes", {"resident": 'process_resident_memory_bytes{job="gateway"}'}),
        ("Processor", "timeseries", "percentunit", {"of a core": 'rate(process_cpu_seconds_total{job="gateway"}[1m])'}),
        ("Event streams", "timeseries", "short", {"open": "samplemind_event_streams"}),
    ],
}
_WIDE, _HIGH, _ACROSS = 8, 8, 3


def panel(number: int, place: tuple[int, int], what: Panel) -> dict[str, Any]:
    """One panel at (column, row) of the grid."""
    title, kind, unit, queries = what
    targets = [
        {"refId": chr(ord("A") + n), "expr": expr, "legendFormat": legend or "__auto"}
        for n, (legend, expr) in enumerate(queries.items())
    ]
    return {
        "id": number,
        "title": title,
        "type": kind,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"x": place[0] * _WIDE, "y": place[1], "w": _WIDE, "h": _HIGH},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def dashboard() -> dict[str, Any]:
    """All of it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append(
            {"id": len(panels) + 1, "title": title, "type": "row", "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        )
        for n, what in enumerate(row):
            place = (n % _ACROSS, y + 1 + n // _ACROSS * _HIGH)
            panels.append(panel(len(panels) + 1, place, what))
        y += 1 + -(-len(row) // _ACROSS) * _HIGH
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": "samplemind",
        "title": "SampleMind",
        "schemaVersion": 41,
        "editable": False,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=1))
