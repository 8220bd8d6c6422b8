"""`deploy/k8s` as Kubernetes is given it, read without kustomize: each file stands for itself, nothing is patched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.servers import PROJECT

FOLDER = PROJECT / "deploy" / "k8s"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())


def _read() -> Iterator[dict[str, Any]]:
    for name in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


RESOURCES = list(_read())
WORKLOADS = {
    each["metadata"]["name"]: each for each in RESOURCES if each["kind"] in ("Deployment", "StatefulSet", "Job")
}
OURS = ("gateway", "reconciler", "index", "worker", "flower")


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Resources of one kind, by name."""
    return {each["metadata"]["name"]: each for each in RESOURCES if each["kind"] == kind}


def pod(name: str) -> dict[str, Any]:
    """What a workload's pods are made of."""
    spec: dict[str, Any] = WORKLOADS[name]["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    """The only container of a workload's pods."""
    (only,) = pod(name)["containers"]
    assert "initContainers" not in pod(name)
    found: dict[str, Any] = only
    return found


def generated(kind: str) -> dict[str, dict[str, Any]]:
    """What kustomize makes of `configMapGenerator` or `secretGenerator`, by name."""
    return {each["name"]: each for each in KUSTOMIZATION[kind]}


def secret_files(name: str) -> dict[str, str]:
    """File in the mounted secret -> file that it is made from."""
    return dict(each.split("=") for each in generated("secretGenerator")[name]["files"])


def settings_literals() -> dict[str, str]:
    """The environment of all our parts."""
    return dict(each.split("=", 1) for each in generated("configMapGenerator")["settings"]["literals"])


def matches(selector: dict[str, Any], app: str) -> bool:
    """Whether a label selector takes the pods of `app`."""
    if not all(wanted == app for wanted in selector.get("matchLabels", {}).values()):
        return False
    return all(app in each["values"] for each in selector.get("matchExpressions", ()))


def may_call(source: str, target: str, port: int) -> tuple[bool, bool]:
    """Whether the policies let `source` out to `target`, and whether they let it in there."""
    policies = [each["spec"] for each in of_kind("NetworkPolicy").values() if each["spec"]["podSelector"]]
    out = [rule for each in policies if matches(each["podSelector"], source) for rule in each.get("egress", ())]
    into = [rule for each in policies if matches(each["podSelector"], target) for rule in each.get("ingress", ())]
    return (
        any(_names(rule["to"], target) and {"port": port} in rule["ports"] for rule in out),
        any(_names(rule["from"], source) and {"port": port} in rule["ports"] for rule in into),
    )


def _names(peers: list[dict[str, Any]], app: str) -> bool:
    return any("podSelector" in peer and matches(peer["podSelector"], app) for peer in peers)
