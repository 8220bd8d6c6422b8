"""What the containers may do, and the secrets they are given. Nobody here runs them: these are checks of the text."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import MongoSettings, RedisSettings
from tests.servers import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("gateway", "reconciler", "index", "worker", "flower")
DOCKERFILE = (PROJECT / "deploy" / "image" / "Dockerfile").read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert not service.get("privileged")
    assert not re.search(r"docker\.sock|:latest", json.dumps(service))
    if name == "chroma-volume":  # root for a moment, to give a volume away
        assert (service["cap_add"], service["network_mode"], service["restart"]) == (["CHOWN"], "none", "no")
        return
    assert "cap_add" not in service
    assert name in OURS or service["user"].split(":")[0] not in ("0", "root")


@pytest.mark.parametrize("name", SERVICES)
def test_only_what_people_look_at_is_reached_and_only_from_this_machine(name: str) -> None:
    service = SERVICES[name]
    ports = service.get("ports", [])
    assert bool(ports) is (name in ("gateway", "flower", "prometheus", "grafana", "tls"))
    if name == "tls":  # what it is there for
        assert (ports, service["profiles"]) == (["443:8443"], ["tls"])
        return
    assert all(port.startswith("127.0.0.1:") for port in ports)
    if not ports and name != "chroma-volume":
        assert service["networks"] == ["back"]
    assert COMPOSE["networks"]["back"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_each_part_has_its_own_users_and_no_secret_in_its_environment(name: str) -> None:
    service = SERVICES[name]
    sources = {secret["target"]: secret["source"] for secret in service["secrets"]}
    user = {"index": "indexer"}.get(name, name)
    assert sources.pop("redis__url") == f"redis_url_{user}"
    assert sources.pop("mongo__url", None) == (None if name == "flower" else f"mongo_url_{user}")
    assert sources == ({"flower__basic_auth": "flower_basic_auth"} if name == "flower" else {})
    assert not re.search("(?i)password|secret_|token|key", json.dumps(service["environment"]))


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_from_the_checkout_is_there_and_goes_to_the_server(name: str) -> None:
    shipped = re.search(r'(?m)^tar -C "\$here" -cf - (.*) \|', (PROJECT / "deploy" / "ssh" / "deploy.sh").read_text())
    assert shipped is not None
    for volume in SERVICES[name].get("volumes", ()):
        source = volume.partition(":")[0]
        if source.startswith("./"):
            assert (PROJECT / source).exists(), source
            assert any(f"{source}/".startswith(f"./{place}/") for place in shipped[1].split()), source


def test_the_secrets_that_are_mounted_are_made(tmp_path: Path) -> None:
    make = PROJECT / "deploy" / "compose" / "make-secrets.sh"
    made = [subprocess.run([make, tmp_path / "secrets"], check=True, capture_output=True) for _ in range(2)]
    assert all(b"secrets are in" in each.stdout for each in made)
    files = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert {secret["file"].removeprefix("./secrets/") for secret in COMPOSE["secrets"].values()} <= set(files)
    used = {
        one if isinstance(one, str) else one["source"] for each in SERVICES.values() for one in each.get("secrets", ())
    }
    assert used == set(COMPOSE["secrets"])
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert not re.search("#@|@[a-z]+@", files["redis_users.acl"])
    for user in ("gateway", "worker"):
        assert RedisSettings(url=files[f"redis_url_{user}"]).url
        assert MongoSettings(url=files[f"mongo_url_{user}"]).url
    assert set(json.loads(files["mongo_users.json"])) == set(_roles())
    passwords = {name: text for name, text in files.items() if re.fullmatch("(redis|mongo)_[a-z]+", name)}
    assert len(set(passwords.values())) == len(passwords)


def _roles() -> dict[str, Any]:
    roles: dict[str, Any] = json.loads((PROJECT / "deploy" / "mongo" / "roles.json").read_text())
    return roles


def test_roles_name_collections_that_there_are_and_only_the_gateway_opens_keys() -> None:
    code = "".join(path.read_text() for path in (PROJECT / "stores").glob("*.py"))
    for part, privileges in _roles().items():
        for each in privileges:
            assert not each["collection"] or f'["{each["collection"]}"]' in code, (part, each)
            assert set(each["actions"]) <= {
                *("find", "insert", "update", "remove"),
                *("createCollection", "createIndex", "listCollections", "listIndexes"),
            }
    opened = {part for part, said in _roles().items() if any(each["collection"] == "keys" for each in said)}
    assert opened == {"gateway"}


@pytest.mark.parametrize("script", ["users.js", "health.js"])
def test_the_scripts_for_mongosh_can_be_read(script: str) -> None:
    try:
        subprocess.run(["node", "--check", PROJECT / "deploy" / "mongo" / script], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("node is not installed")


def test_images_do_not_run_as_root_and_install_by_hash_alone() -> None:
    stages = re.split(r"(?m)^FROM ", DOCKERFILE)[1:]
    final = [stage for stage in stages if re.match(r"\S+ AS (gateway|worker|flower)\b", stage)]
    assert len(final) == 3
    for stage in final:
        assert re.search(r"(?m)^USER 10001$", stage)
        assert "apt-get" not in stage
        assert stage.rindex("USER 10001") > stage.rindex("COPY")
    installs = re.findall(r"pip install[^&\n]*(?:\\\n[^&\n]*)*", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in line for line in installs)
    assert "ADD " not in DOCKERFILE
    assert ":latest" not in DOCKERFILE


def test_no_secret_is_in_a_builds_context() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert not any(line.startswith(("!secrets", "!.git", "!.venv", "!deploy")) for line in lines)
    copied = set(re.findall(r"(?m)^COPY (?!--from)(\w+)", DOCKERFILE))
    assert {f"!{name}" for name in copied} <= set(lines)
