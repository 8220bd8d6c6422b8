"""The manifests for Kubernetes against all they must agree with. `make manifests` holds them against its schemas."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from api.metrics import Metrics
from config.settings import Settings
from stores.memory import ManualClock, MemoryStores
from stores.memory.pulse import MemoryPulse
from stores.pulse import QUEUES
from tests.config.kubernetes import (
    FOLDER,
    KUSTOMIZATION,
    OURS,
    RESOURCES,
    WORKLOADS,
    container,
    generated,
    may_call,
    of_kind,
    pod,
    secret_files,
    settings_literals,
)
from tests.servers import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (PROJECT / "deploy" / "image" / "Dockerfile").read_text()
PORTS = {"redis": 6379, "mongo": 27017, "chroma": 8000, "flower": 5555, "gateway": 8000}


def image_of(said: str) -> str:
    """An image's name without registry and version of ours."""
    return re.sub(r"\$\{[^}]*\}", "", said).rstrip(":")


def test_every_file_is_part_of_it_and_every_name_is_there_once() -> None:
    there = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert there == set(KUSTOMIZATION["resources"])
    names = [(each["kind"], each["metadata"]["name"]) for each in RESOURCES]
    assert len(names) == len(set(names))


def test_every_setting_is_one_and_its_value_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SAMPLEMIND_")]:
        monkeypatch.delenv(name)
    for name, value in settings_literals().items():
        monkeypatch.setenv(name, value)
    for part in OURS:
        for file in secret_files(part):
            (tmp_path / file).write_text(
                "flower:secret" if "auth" in file else "mongodb://a" if "mongo" in file else "redis://a"
            )
        monkeypatch.setenv("SAMPLEMIND_SECRETS_DIR", str(tmp_path))
        settings = Settings()
    assert settings.roots == {"library": Path("/library")}
    assert settings.chroma.url == f"http://chroma:{PORTS['chroma']}"
    assert settings.flower.url == f"http://flower:{settings.flower.port}"


@pytest.mark.parametrize("name", OURS)
def test_a_part_is_what_it_is_on_one_server(name: str) -> None:
    here, there = container(name), COMPOSE[name]
    assert here["image"] == image_of(there["image"])
    assert here.get("command") == there.get("command")
    there_env = {name for name, value in there["environment"].items() if value is not None}
    there_env -= {"SAMPLEMIND_WORKER__CORES_DIR"}  # in Kubernetes the kubelet gives the cores
    assert there_env <= set(settings_literals())
    if "healthcheck" in there:
        assert here["livenessProbe"]["exec"]["command"] == there["healthcheck"]["test"][1:]
    assert {each["target"] for each in there["secrets"]} == set(secret_files(name))
    assert {each["source"] for each in there["secrets"]} == {
        Path(source).name for source in secret_files(name).values()
    }


@pytest.mark.parametrize("name", ["redis", "mongo", "chroma"])
def test_a_server_is_what_it_is_on_one_server(name: str) -> None:
    here, there = container(name), COMPOSE[name]
    assert here["image"] == there["image"]
    context = pod(name)["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == there["user"]


def test_images_and_ports_are_those_of_the_dockerfile() -> None:
    targets = set(re.findall(r"(?m)^FROM \S+ AS (gateway|worker|flower)$", DOCKERFILE))
    assert {each["name"] for each in KUSTOMIZATION["images"]} == {f"samplemind-{target}" for target in targets}
    exposed = dict(re.findall(r"(?ms)^FROM \S+ AS (gateway|flower)$.*?^EXPOSE (\d+)$", DOCKERFILE))
    assert {name: str(PORTS[name]) for name in exposed} == exposed
    for name, service in of_kind("Service").items():
        (port,) = service["spec"]["ports"]
        (opened,) = container(name)["ports"]
        assert (port["port"], port["targetPort"]) == (opened["containerPort"], opened["name"])
        assert port["port"] == PORTS[name]
        assert service["spec"]["selector"] == WORKLOADS[name]["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_pod_has_more_than_it_needs(name: str) -> None:
    spec, only = pod(name), container(name)
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} == set(only["resources"]["requests"])
    assert "memory" in only["resources"]["limits"]
    assert ":latest" not in only["image"]
    assert not re.search("(?i)hostpath|hostnetwork|hostpid|privileged|secretKeyRef", json.dumps(spec))
    mounted = {each["secret"]["secretName"] for each in spec["volumes"] if "secret" in each}
    assert mounted <= {name}
    if WORKLOADS[name]["kind"] != "Job":
        assert {"startupProbe", "livenessProbe"} <= set(only)


def test_every_volume_and_claim_is_there() -> None:
    claims = set(of_kind("PersistentVolumeClaim"))
    maps = set(generated("configMapGenerator"))
    for name in WORKLOADS:
        own = {each["metadata"]["name"] for each in WORKLOADS[name]["spec"].get("volumeClaimTemplates", ())}
        volumes = {each["name"]: each for each in pod(name)["volumes"]}
        assert {each["name"] for each in container(name)["volumeMounts"]} == own | set(volumes)
        for each in volumes.values():
            assert each.get("persistentVolumeClaim", {}).get("claimName") in {None, *claims}
            assert each.get("configMap", {}).get("name") in {None, *maps}


def test_workers_get_whole_cores_of_their_own() -> None:
    resources = container("worker")["resources"]
    assert resources["requests"] == resources["limits"]
    assert str(resources["limits"]["cpu"]).isdigit()
    assert "replicas" not in WORKLOADS["worker"]["spec"]  # else each apply would undo what KEDA chose


def test_workers_have_the_time_to_finish_their_chunk() -> None:
    grace = pod("worker")["terminationGracePeriodSeconds"]
    assert grace >= Settings().queue.soft_shutdown_s + 30
    assert f"{grace}s" == COMPOSE["worker"]["stop_grace_period"]


def test_the_files_that_secrets_and_maps_are_made_of_are_there(tmp_path: Path) -> None:
    make = PROJECT / "deploy" / "compose" / "make-secrets.sh"
    subprocess.run([make, tmp_path], check=True, capture_output=True)
    for name in generated("secretGenerator"):
        for source in secret_files(name).values():
            assert (tmp_path / Path(source).name).stat().st_size, source
    for each in generated("configMapGenerator").values():
        assert all((FOLDER / file.rpartition("=")[2]).is_file() for file in each.get("files", ()))


def test_who_has_a_servers_password_may_call_it_and_nobody_else() -> None:
    wanted = {
        "redis": {name for name in OURS if "redis__url" in secret_files(name)},
        "mongo": {name for name in OURS if "mongo__url" in secret_files(name)} | {"mongo", "mongo-users"},
        "chroma": {"gateway", "index"},
        "flower": {"gateway"},
        "gateway": set(),
    }
    for target, callers in wanted.items():
        for source in WORKLOADS:
            assert may_call(source, target, PORTS[target]) == (source in callers,) * 2, (source, target)
    everybody = of_kind("NetworkPolicy")["default"]["spec"]
    assert (everybody["podSelector"], set(everybody["policyTypes"])) == ({}, {"Ingress", "Egress"})
    assert "ingress" not in everybody
    assert {port["port"] for rule in everybody["egress"] for port in rule["ports"]} == {53}


def test_what_scales_the_workers_exists() -> None:
    schema = json.loads((PROJECT / "tests" / "config" / "keda.schema.json").read_text())
    for each in yaml.safe_load_all((FOLDER / "scaling.yaml").read_text()):
        jsonschema.validate(each, schema)
    spec = of_kind("ScaledObject")["worker"]["spec"]
    assert WORKLOADS[spec["scaleTargetRef"]["name"]]["kind"] == "Deployment"
    auth = of_kind("TriggerAuthentication")["scaler"]["spec"]["secretTargetRef"]
    assert [each["key"] for each in auth] == list(secret_files("scaler"))
    lists = [each["metadata"] for each in spec["triggers"] if each["type"] == "redis"]
    prefix = Settings().redis.key_prefix
    assert {each["listName"] for each in lists} <= {prefix + name for name in QUEUES}
    users = (PROJECT / "config" / "redis-users.acl").read_text()
    (scaler,) = [line for line in users.splitlines() if line.startswith("user scaler ")]
    assert all(f"%R~{each['listName']} " in scaler for each in lists)
    assert {each["username"] for each in lists} == {"scaler"}


def test_the_figure_that_scales_the_workers_is_at_metrics(tmp_path: Path) -> None:
    stores = MemoryStores(ManualClock())
    text = Metrics(stores.ledger, stores.samples, MemoryPulse(ManualClock()), tmp_path).text().decode()
    asked = [each["metadata"] for each in of_kind("ScaledObject")["worker"]["spec"]["triggers"] if "name" in each]
    places = [each["valueLocation"] for each in asked if "valueLocation" in each]
    assert places
    for place in places:
        assert re.search(rf"(?m)^{re.escape(place)} [0-9.]+$", text), place
    names = json.loads(settings_literals()["SAMPLEMIND_GATEWAY__ALLOWED_HOSTS"])
    for each in asked:
        if "url" in each:
            assert each["url"].removeprefix("http://").partition(":")[0] in names


def test_a_drained_node_takes_no_part_down() -> None:
    for name, budget in of_kind("PodDisruptionBudget").items():
        spec = WORKLOADS[name]["spec"]
        assert budget["spec"]["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        # with one pod, "at least one" would hold up the node for ever
        assert "minAvailable" not in budget["spec"] or spec["replicas"] > budget["spec"]["minAvailable"]


def test_kustomize_builds_it(tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    for name in ("deploy", "config"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    make = tmp_path / "deploy" / "compose" / "make-secrets.sh"
    subprocess.run([make, tmp_path / "deploy" / "k8s" / "secrets"], check=True, capture_output=True)
    command = ["kubectl", "kustomize", "--load-restrictor", "LoadRestrictionsNone", tmp_path / "deploy" / "k8s"]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = list(yaml.safe_load_all(built))
    made = len(RESOURCES) + len(generated("configMapGenerator")) + len(generated("secretGenerator"))
    assert len(found) == made
    assert {each["metadata"].get("namespace", "samplemind") for each in found} == {"samplemind"}
    worker = next(each for each in found if (each["kind"], each["metadata"]["name"]) == ("Deployment", "worker"))
    only = worker["spec"]["template"]["spec"]["containers"][0]
    assert only["image"] == "samplemind-worker:dev"
    assert only["envFrom"][0]["configMapRef"]["name"].startswith("settings-")


def test_scripts_for_mongosh_can_be_read() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    subprocess.run(["node", "--check", PROJECT / "deploy" / "mongo" / "replicas.js"], check=True)
