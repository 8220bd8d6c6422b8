"""What the workflows may do, and that no test is left out of them. `make manifests` asks the linters, in CI."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.gate.report import MARK
from tests.servers import PROJECT

FILES = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
JOBS = {f"{name}: {job}": said for name, each in WORKFLOWS.items() for job, said in each["jobs"].items()}
MAY_WRITE = {
    "ci: comment": {"pull-requests"},
    "release: image": {"packages"},
    "release: publish": {"packages", "id-token", "attestations"},
    "release: release": {"contents"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_hash_with_its_version_beside_it(path: Path) -> None:
    uses = re.findall(r"(?m)^\s*(?:- )?uses: (?!\./)(.+)$", path.read_text())
    assert path.stem == "deploy" or uses
    for each in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_an_action_is_everywhere_the_same() -> None:
    found = {use for path in FILES for use in re.findall(r"uses: (\S+@\S+)", path.read_text())}
    assert len(found) == len({use.partition("@")[0] for use in found})


@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_write_only_what_it_is_for(job: str) -> None:
    workflow = WORKFLOWS[job.partition(":")[0]]
    assert workflow["permissions"] == {"contents": "read"}
    rights = JOBS[job].get("permissions", {})
    assert {name for name, right in rights.items() if right == "write"} == MAY_WRITE.get(job, set())
    assert "uses" in JOBS[job] or JOBS[job]["timeout-minutes"] <= 30


@pytest.mark.parametrize("job", JOBS)
def test_no_checkout_leaves_its_token_and_none_is_made_where_a_comment_is_written(job: str) -> None:
    checkouts = [step for step in JOBS[job].get("steps", ()) if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert job != "ci: comment" or not checkouts


@pytest.mark.parametrize("job", JOBS)
def test_nothing_from_outside_becomes_part_of_a_script(job: str) -> None:
    for step in JOBS[job].get("steps", ()):
        assert "${{" not in step.get("run", ""), step


def test_no_folder_of_tests_is_left_out() -> None:
    parts = " ".join(WORKFLOWS["ci"]["jobs"]["test"]["strategy"]["matrix"]["part"]).split()
    there = {f"tests/{path.relative_to(PROJECT / 'tests').parts[0]}" for path in (PROJECT / "tests").rglob("test_*.py")}
    assert there <= set(parts)
    assert all((PROJECT / part).is_dir() for part in parts)
    assert len(parts) == len(set(parts))


def test_the_pull_requests_comment_is_found_by_what_the_page_begins_with() -> None:
    steps = WORKFLOWS["ci"]["jobs"]["comment"]["steps"]
    assert f'startswith("{MARK}")' in steps[-1]["run"]


def test_a_release_needs_notes() -> None:
    script = PROJECT / "deploy" / "release-notes.sh"
    done = [subprocess.run([script, tag], capture_output=True, text=True) for tag in ("Unreleased", "v99.0.0")]
    assert [each.returncode for each in done] == [0, 1]
    assert done[0].stdout.lstrip().startswith("- ")
    assert "\n## " not in done[0].stdout
    assert "says nothing of v99.0.0" in done[1].stderr


def test_tags_and_hands_deploy_with_the_script_that_is_tested() -> None:
    assert WORKFLOWS["release"]["jobs"]["deploy"]["uses"] == "./.github/workflows/deploy.yml"
    step = WORKFLOWS["deploy"]["jobs"]["deploy"]["steps"][-1]
    assert "deploy/ssh/deploy.sh" in step["run"]
    assert "StrictHostKeyChecking=yes" in step["run"]
