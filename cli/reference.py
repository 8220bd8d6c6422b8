"""The reference page of the command line, from the commands themselves: ``python -m cli.reference > docs/cli.md``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from cli.app import app

HEAD = """# Commands

Every command of `./samplemind` with what it takes; `--help` says the same. Made by
`python -m cli.reference > docs/cli.md`, do not edit. Each exits 0 where it did what it was asked for, 1 where it could
not, 2 where it was asked for nonsense.
"""


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by how it is called, in alphabetical order."""
    if isinstance(command, TyperGroup):
        if command.invoke_without_command:
            yield name, command
        for part in sorted(command.commands):
            yield from commands(command.commands[part], f"{name} {part}")
    elif isinstance(command, TyperCommand) and not command.hidden:
        yield name, command


def section(name: str, command: Any) -> str:
    """One command: how it is called, what it is for, what it takes."""
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## {name.removeprefix('samplemind ')}", "", f"```text\n{usage}\n```", "", (command.help or "").strip()]
    rows = [row for each in command.params if (row := _row(each, context)) is not None]
    if rows:
        lines += ["", "| | meaning |", "|---|---|", *rows]
    return "\n".join(lines)


def _row(parameter: TyperArgument | TyperOption, context: Any) -> str | None:
    if parameter.hidden:
        return None
    said = parameter.get_help_record(context)
    name, text = said or (str(parameter.name), "")
    cells = (f"`{name}`", " ".join(text.split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def markdown() -> str:
    """The page."""
    found = commands(typer.main.get_command(app), "samplemind")
    return "\n\n".join([HEAD.strip(), *(section(name, command) for name, command in found)]) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
