"""In place of docker on a server of the tests: writes down each call, keeps which release every service runs.

`told.json` beside `calls.jsonl` says what shall go wrong: ``pull``: false; ``well``: {service: [releases that get
healthy]}; ``hold``: a service whose `up` waits until the file ``go`` is there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

HOME = Path(os.environ["STAND_IN"])
STATE = HOME / "state.json"


def load(path: Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}


def compose(arguments: list[str]) -> int:
    options = {}
    while arguments[0].startswith("-"):
        options[arguments[0]], arguments = arguments[1], arguments[2:]
    verb, rest = arguments[0], arguments[1:]
    note(verb, rest)
    told, state = load(HOME / "told.json"), load(STATE)
    if verb == "version":
        print("Docker Compose version v2.40.0")
    elif verb == "pull" and not told.get("pull", True):
        print("manifest unknown", file=sys.stderr)
        return 1
    elif verb == "ps":
        print("\n".join(f"{rest[-1]}.{n}" for n in range(state.get(rest[-1], {}).get("count", 0))))
    elif verb == "up":
        folder = Path(options["--project-directory"])
        assert (folder / "docker-compose.yml").exists()
        assert (folder / "secrets" / "redis_operator").read_text() == "secret"
        return up(rest, told, state)
    return 0


def up(rest: list[str], told: dict, state: dict) -> int:
    count = int(rest[rest.index("--scale") + 1].partition("=")[2]) if "--scale" in rest else 1
    for service in [each for each in rest if not each.startswith("-") and "=" not in each]:
        while told.get("hold") == service and not (HOME / "go").exists():
            time.sleep(0.05)
        state[service] = {"version": os.environ["SAMPLEMIND_VERSION"], "count": count}
    STATE.write_text(json.dumps(state))
    return 0


def inspect(form: str, containers: list[str]) -> None:
    told, state = load(HOME / "told.json"), load(STATE)
    for container in containers:
        service = container.partition(".")[0]
        version = state[service]["version"]
        well = version in told.get("well", {}).get(service, [version])
        print(
            f"image sha256:{version} r.example/samplemind:{version}"
            if ".Image" in form
            else ("starting", "healthy")[well]
        )


def note(verb: str, rest: list[str]) -> None:
    with (HOME / "calls.jsonl").open("a") as file:
        file.write(json.dumps([verb, os.environ.get("SAMPLEMIND_VERSION"), *rest]) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "compose":
        sys.exit(compose(sys.argv[2:]))
    if sys.argv[1] == "tag":
        note("tag", sys.argv[2:])
    if sys.argv[1] == "inspect":
        inspect(sys.argv[3], sys.argv[4:])
