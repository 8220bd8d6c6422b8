"""What is watched: every figure has its line in the docs, every alert and panel asks for figures that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from flower.events import PrometheusMetrics
from flower.options import options
from prometheus_client import CollectorRegistry

from tests.api.gateway import Gateway, make_gateway
from tests.servers import PROJECT

OBSERVE = PROJECT / "deploy" / "observe"
DASHBOARD = OBSERVE / "grafana" / "samplemind.json"
ALERTS: list[dict[str, Any]] = yaml.safe_load((OBSERVE / "alerts.yml").read_text())["groups"][0]["rules"]
PAGE = (PROJECT / "docs" / "metrics.md").read_text()
GATEWAY, FLOWER = PAGE.split("\n## Flower\n")
OF_PROMETHEUS = {"up"}
_ROW = re.compile(r"(?m)^\| `([a-z_]+)` \| (\w+) \|([^|]*)\|")


def described(part: str) -> dict[str, tuple[str, set[str]]]:
    """Name -> type and labels, as the docs say."""
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in _ROW.findall(part)}


def families(text: str) -> dict[str, str]:
    """Name -> type, as Prometheus's text says."""
    return dict(re.findall(r"(?m)^# TYPE (\S+) (\w+)$", text))


def names_in(expression: str) -> set[str]:
    """The figures that an expression asks for, a histogram's by its own name."""
    bare = re.sub(r'\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(?:by|without)\s*\([^)]*\)', " ", expression)
    words = set(re.findall(r"[a-z_]{2,}(?![a-z_]*\s*\()", bare)) - {"and", "or", "unless"}
    return {re.sub("_(bucket|count|sum)$", "", word) for word in words}


def labels_in(expression: str) -> set[str]:
    """The labels that an expression looks at."""
    matched = {word for inner in re.findall(r"\{([^}]*)\}", expression) for word in re.findall(r"(\w+)\s*[=!]", inner)}
    grouped = {word for inner in re.findall(r"by \(([^)]*)\)", expression) for word in re.findall(r"\w+", inner)}
    return (matched | grouped) - {"le", "job"}


def expressions() -> list[tuple[str, str]]:
    """(who asks, expression) of every panel and alert."""

    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]
    return [*asked, *((alert["alert"], alert["expr"]) for alert in ALERTS)]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a gateway says with everything at work."""
    gateway: Gateway = make_gateway(tmp_path_factory.mktemp("gateway"))
    with gateway.client:
        gateway.submit()
        beat = gateway.stores.pulse.beat
        beat("worker", "worker-0", {"files": 7, "chunks": 2}, 60)
        beat("index", "index-0", {"audits": 1, "audit_missing": 1}, 60)
        return str(gateway.client.get("/metrics").text)


def test_every_figure_of_the_gateway_is_described_and_no_other(text: str) -> None:
    said = {name: kind for name, (kind, _) in described(GATEWAY).items()}
    assert said == families(text)


def test_the_labels_are_those_that_are_described(text: str) -> None:
    seen: dict[str, set[str]] = {}
    for name, labels in re.findall(r"(?m)^(\w+)\{(.*)\} \S+$", text):
        family = re.sub("_(bucket|count|sum)$", "", name)
        seen.setdefault(family, set()).update(re.findall(r'(\w+)="', labels))
    parts = {name for name in seen if name != "samplemind_parts_replaced_total"}
    assert {name: seen[name] - {"le"} for name in parts} == {name: described(GATEWAY)[name][1] for name in parts}


def test_every_figure_of_flower_is_described_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    for kind in ("PrometheusCounter", "Gauge", "Histogram"):
        made = partial(getattr(sys.modules["flower.events"], kind), registry=registry)
        monkeypatch.setattr(f"flower.events.{kind}", made)
    assert options.task_runtime_metric_buckets
    PrometheusMetrics()
    there = {f"{each.name}_total" if each.type == "counter" else each.name: each for each in registry.collect()}
    assert {name: kind for name, (kind, _) in described(FLOWER).items()} == {n: each.type for n, each in there.items()}


def test_units_are_in_the_names(text: str) -> None:
    for name, kind in families(text).items():
        assert (kind == "counter") is name.endswith("_total"), name
        assert not re.search("_(ms|milliseconds|minutes|hours|kb|mb|megabytes|percent)(_|$)", name), name


@pytest.mark.parametrize(("who", "expression"), expressions(), ids=lambda value: value[:40])
def test_whoever_asks_asks_for_figures_that_there_are(who: str, expression: str) -> None:
    known = {**described(GATEWAY), **described(FLOWER)}
    names = names_in(expression)
    assert names, expression
    assert names <= set(known) | OF_PROMETHEUS, names - set(known)
    assert labels_in(expression) <= set().union(*(known[name][1] for name in names if name in known)), expression


def test_the_dashboard_is_what_its_script_writes() -> None:
    script = OBSERVE / "dashboard.py"
    written = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout
    assert DASHBOARD.read_text() == written, "run: python deploy/observe/dashboard.py > the file"


def test_each_alert_has_its_part_of_the_runbook_and_no_part_is_about_another() -> None:
    headings = re.findall(r"(?m)^## (\w+)$", (PROJECT / "docs" / "runbook.md").read_text())
    assert sorted(headings) == sorted(alert["alert"] for alert in ALERTS)
    for alert in ALERTS:
        assert alert["annotations"]["runbook"] == f"docs/runbook.md#{alert['alert'].lower()}"
        assert alert["annotations"]["summary"].endswith(".")
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_what_the_runbook_names_is_there() -> None:
    text = (PROJECT / "docs" / "runbook.md").read_text()
    log_lines = "".join(path.read_text() for room in ("api", "tasks") for path in (PROJECT / room).rglob("*.py"))
    for event in re.findall(r"\*([a-z]+_[a-z_]+)\*", text):
        assert f'"{event}"' in log_lines, event
    settings = (PROJECT / "docs" / "settings.md").read_text()
    for name in re.findall(r"`((?:queue|redis|chroma|worker|gateway)\.[a-z_]+|SAMPLEMIND_[A-Z_]+)`", text):
        assert f"`{name}`" in settings, name
    errors = (PROJECT / "workers" / "errors.py").read_text()
    for code in re.findall(r"`([a-z]+_[a-z]+)`[,:]", text):
        assert f'"{code}"' in errors, code


@pytest.mark.parametrize("kind", ["rules", "config"])
def test_prometheus_takes_the_files(kind: str, tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    file = OBSERVE / "alerts.yml"
    if kind == "config":
        file = tmp_path / "prometheus.yml"
        text = (OBSERVE / "prometheus.yml").read_text()
        file.write_text(text.replace("/etc/prometheus/alerts.yml", str(OBSERVE / "alerts.yml")))
    done = subprocess.run([promtool, "check", kind, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    subprocess.run([PROJECT / "deploy" / "compose" / "make-secrets.sh", tmp_path], check=True, capture_output=True)
    text = (PROJECT / "deploy" / "tls" / "nginx.conf").read_text()
    file = tmp_path / "nginx.conf"
    file.write_text(text.replace(" /tmp/", f" {tmp_path}/").replace("/run/secrets", str(tmp_path)))
    done = subprocess.run([nginx, "-t", "-c", file, "-e", "/dev/stderr"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
