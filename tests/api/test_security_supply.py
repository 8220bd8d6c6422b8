"""What is installed: by hash, known to nobody as broken, and never the part of a package that is."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.servers import PROJECT

ROOMS = ("api", "cli", "config", "stores", "tasks", "workers")


def load_audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", PROJECT / "requirements" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


audit = load_audit()
FLAW = {"id": "CVE-1", "aliases": ["GHSA-1"], "fix_versions": ["2"]}
SAID = {"dependencies": [{"name": "a", "version": "1", "vulns": [FLAW]}, {"name": "b", "version": "1", "vulns": []}]}


@pytest.mark.parametrize(
    ("package", "id_", "until", "code", "word"),
    [
        ("a", "CVE-1", date(2030, 1, 1), 0, "excused"),
        ("a", "GHSA-1", date(2030, 1, 1), 0, "excused"),
        ("a", "CVE-1", date(2029, 12, 30), 1, "OVER"),
        ("a", "CVE-2", date(2030, 1, 1), 1, "FOUND"),
        ("b", "CVE-1", date(2030, 1, 1), 1, "FOUND"),
    ],
)
def test_an_advisory_is_excused_by_name_and_until_a_day(
    package: str, id_: str, until: date, code: int, word: str
) -> None:
    found = audit.advisories("gateway", SAID)
    excuse = audit.Excuse(id_, package, "because", until)
    got, lines = audit.verdict(found, [excuse], date(2029, 12, 31))
    assert (got, lines[0].split()[0]) == (code, word)


def test_a_service_that_says_nothing_is_no_good_news() -> None:
    for said in ({"dependencies": []}, {"dependencies": [{"name": "a", "skip_reason": "not found"}]}):
        with pytest.raises(audit.Unreachable):
            audit.advisories("gateway", said)


def test_every_exception_says_why_and_until_when() -> None:
    kept = audit.excuses(PROJECT / "requirements" / "exceptions.toml")
    assert kept
    for each in kept:
        assert len(each.reason) > 20
        assert isinstance(each.until, date)
        pins = [path.read_text() for path in (PROJECT / "requirements").glob("*.txt")]
        assert any(f"\n{each.package}==" in text for text in pins), (
            f"{each.package} is not installed any more: drop its exception"
        )


def test_chromas_python_server_is_never_imported() -> None:
    for room in ROOMS:
        for file in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
                assert not any(re.match(r"chromadb\.(app|server)\b", name) for name in names), file
    code = "import stores.vectors, chromadb, sys; print(any(n.startswith('chromadb.server') for n in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"
    program = Path(sys.executable).parent / "chroma"
    assert "chromadb.app" not in program.read_text(errors="replace")


@pytest.mark.parametrize("path", sorted((PROJECT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_every_pin_has_its_hashes(path: Path) -> None:
    pins = re.split(r"\n(?=[a-z0-9])", path.read_text().strip())
    assert pins
    assert all(re.match(r"[a-z0-9][\w.\-\[\]]*==[^\s]+", pin) and "--hash=sha256:" in pin for pin in pins)


def test_ci_runs_pinned_actions_without_rights() -> None:
    for path in (PROJECT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        uses = re.findall(r"uses: (?!\./)(\S+)", text)  # a workflow of this repository is as pinned as this one
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in uses), path
