"""What the pages tell people to type is there: commands with their options, requests, settings, targets, code."""

from __future__ import annotations

import json
import re
import shlex
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from api import reference as api_reference
from cli import reference as cli_reference
from cli.app import app

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", *sorted((DOCS).rglob("*.md"))]
WRITTEN_ONCE = [page for page in PAGES if "decisions" not in page.parts]
"""A decision says how things were when it was taken."""
COMMANDS = dict(cli_reference.commands(typer.main.get_command(app), "samplemind"))


def typed(page: Path) -> Iterator[str]:
    """Every line of a page's examples for a shell, continued ones joined."""
    for block in re.findall(r"```bash\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())


def calls() -> list[tuple[str, list[str]]]:
    """(page, words) of every call of our command in an example."""
    found = []
    for page in WRITTEN_ONCE:
        for line in typed(page):
            said = re.search(r"(?:^|\s)\./samplemind (.*)", line)
            if said:
                words = shlex.split(said[1], comments=True)
                words = words[: next((n for n, word in enumerate(words) if word in ("|", "&&", ";", ">")), len(words))]
                found.append((page.name, words))
    return found


def command_of(words: list[str]) -> tuple[str, Any]:
    """The command that these words call, the longest name first."""
    for n in (2, 1):
        name = " ".join(["samplemind", *words[:n]])
        if name in COMMANDS and len(words) >= n:
            return name, COMMANDS[name]
    raise AssertionError(f"there is no command: {' '.join(words)}")


@pytest.mark.parametrize(
    ("page", "words"), calls(), ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_every_command_is_one_and_has_its_options(page: str, words: list[str]) -> None:
    if words[0] == "--environment":  # the launcher's own
        return
    name, command = command_of(words)
    options = {word for each in command.params for word in (*each.opts, *each.secondary_opts)} | {"--help"}
    given = {word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)}
    assert given <= options, (name, given - options)


def test_every_request_is_one_that_the_gateway_knows() -> None:
    paths = json.loads((PROJECT / "web" / "openapi.json").read_text())["paths"]
    known = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in paths]
    for page in WRITTEN_ONCE:
        for line in typed(page):
            for path in re.findall(r"(?:127\.0\.0\.1|localhost):8000(/[^\s'\"?]*)", line):
                assert any(each.fullmatch(path) for each in known), (page.name, path)


def test_every_setting_and_every_target_is_one() -> None:
    settings = (DOCS / "settings.md").read_text()
    targets = set(re.findall(r"(?m)^([a-z-]+):", (PROJECT / "Makefile").read_text()))
    of_deployment = {"SAMPLEMIND_VERSION", "SAMPLEMIND_REGISTRY", "SAMPLEMIND_HOST", "SAMPLEMIND_VENV"}
    read_elsewhere = of_deployment | set(
        re.findall(r"SAMPLEMIND_\w+", (PROJECT / "config" / "settings.py").read_text())
    )
    for page in WRITTEN_ONCE:
        text = page.read_text("utf-8")
        named = set(re.findall(r"\bSAMPLEMIND_[A-Z_]*[A-Z]\b", text)) - read_elsewhere
        assert {name for name in named if f"`{name}`" not in settings} == set(), page.name
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets, page.name


@pytest.mark.parametrize(
    ("page", "made", "by"),
    [("cli.md", cli_reference.markdown, "cli.reference"), ("api.md", api_reference.markdown, "api.reference")],
    ids=["cli", "api"],
)
def test_the_references_say_what_the_code_says(page: str, made: Any, by: str) -> None:
    assert (DOCS / page).read_text() == made(), f"run: python -m {by} > docs/{page}"


def test_every_page_is_on_the_site() -> None:
    index = (DOCS / "index.md").read_text()
    listed = {
        line for block in re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL) for line in block.splitlines()
    }
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md") if "_site" not in page.parts}
    missing = {page for page in pages - {"index"} if page not in listed and not page.startswith("decisions/0")}
    assert missing == set()


def test_the_kernel_of_the_how_to_is_compiled_and_passes_its_own_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.kernels import compiled

    for kept in ("kernels", "warmers"):  # it is none of ours
        monkeypatch.setattr(compiled, kept, [])
    page = DOCS / "howto" / "write-a-kernel.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert len(examples) == 3
    file = tmp_path / "crest.py"
    file.write_text("\n\n".join(examples))
    module = types.ModuleType("crest")
    module.__file__ = str(file)
    exec(compile(file.read_text(), file, "exec"), module.__dict__)
    module.__dict__["test_agrees_with_its_definition"]()
    module.__dict__["test_is_deaf_to_gain"]()
    refuses = module.__dict__["test_refuses"]
    for wrong in refuses.pytestmark[0].args[1]:
        refuses(wrong)
