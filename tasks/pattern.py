"""Which files of a folder are meant: globs on the path below it. Imports nothing heavy.

`**` stands for any number of folders, `*` and `?` and `[a-z]` and `[!a-z]` for characters within one name,
`{wav,flac}` for alternatives. The extension is compared in any case; the rest exactly, after Unicode
normalisation (NFC), so that names written by macOS match what people type.

A pattern is matched name by name as a small automaton: a walk carries the states of a folder down into it and
leaves out folders in which nothing can match. No pattern takes more than linear time for a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from workers.errors import BadPattern

_MAX_LENGTH = 1024
_MAX_ALTERNATIVES = 256
_ANY_FOLDERS = None

States = frozenset[tuple[int, int]]
"""Where in which alternative a walk stands; empty: nothing below can match."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: alternatives, each a list of names to match (``None``: any number of folders)."""

    source: str
    alternatives: tuple[tuple[re.Pattern[str] | None, ...], ...]

    def start(self) -> States:
        """The states at the top folder."""
        return self._close({(n, 0) for n in range(len(self.alternatives))})

    def step(self, states: States, name: str) -> States:
        """The states behind `name`, be it a file or a folder, in a folder with these states."""
        if not name.isascii():
            name = unicodedata.normalize("NFC", name)
        behind: set[tuple[int, int]] = set()
        for n, at in states:
            names = self.alternatives[n]
            if at == len(names):
                continue
            wanted = names[at]
            if wanted is _ANY_FOLDERS:
                behind.add((n, at))
            elif wanted.fullmatch(name):
                behind.add((n, at + 1))
        return self._close(behind)

    def accepts(self, states: States) -> bool:
        """Whether a file behind which the states are these is meant."""
        return any(at == len(self.alternatives[n]) for n, at in states)

    def leads_on(self, states: States) -> bool:
        """Whether something in a folder with these states can match."""
        return any(at < len(self.alternatives[n]) for n, at in states)

    def matches(self, path: str) -> bool:
        """Whether the file at `path` (``/`` between its parts) is meant."""
        states = self.start()
        for name in path.split("/"):
            states = self.step(states, name)
        return self.accepts(states)

    def _close(self, states: set[tuple[int, int]]) -> States:
        """With the states that are reached because ``**`` may stand for no folder at all."""
        closed = set(states)
        for n, at in states:
            names = self.alternatives[n]
            while at < len(names) and names[at] is _ANY_FOLDERS:
                at += 1
                closed.add((n, at))
        return frozenset(closed)


def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern.

    Raises
    ------
    BadPattern
        It is empty, too long, leaves the folder, or a bracket or brace is not closed.
    """
    if not pattern or len(pattern) > _MAX_LENGTH:
        raise BadPattern(f"It has {len(pattern)} characters; 1 to {_MAX_LENGTH} are allowed.")
    if "\0" in pattern or "\\" in pattern:
        raise BadPattern("Write / between folders, and [[] for a bracket itself; a backslash has no meaning here.")
    pattern = unicodedata.normalize("NFC", pattern)
    expanded = list(dict.fromkeys(_expand(pattern)))
    return Pattern(pattern, tuple(_names(one) for one in expanded))


def _names(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    parts = pattern.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise BadPattern("It must lead down from the folder: no empty part, no '.' and no '..'.")
    if parts[-1] == "**":
        parts.append("*")
    folders = [_name(part, extension=False) for part in parts[:-1]]
    merged = [one for n, one in enumerate(folders) if one is not _ANY_FOLDERS or n == 0 or folders[n - 1] is not None]
    return (*merged, _name(parts[-1], extension=True))


def _name(part: str, *, extension: bool) -> re.Pattern[str] | None:
    if part == "**":
        return _ANY_FOLDERS
    if "**" in part:
        raise BadPattern("'**' stands for whole folders; it must be alone between two '/'.")
    tokens = list(_tokens(part))
    dot = max((n for n, token in enumerate(tokens) if token == r"\."), default=-1) if extension else -1
    if dot >= 0:
        tokens[dot + 1 :] = [token if token == "*" else f"(?i:{token})" for token in tokens[dot + 1 :]]
    return re.compile(_without_backtracking(tokens), re.DOTALL)


def _without_backtracking(tokens: list[str]) -> str:
    """Join tokens so that each ``*`` but the last takes the first place that fits and never another.

    That is enough for globs, and without it ``*a*a*a*a*b`` would take time that grows with the fifth power
    of a name's length.
    """
    runs: list[str] = [""]
    for token in tokens:
        if token == "*":
            runs.append("")
        else:
            runs[-1] += token
    head, *middle = runs
    if not middle:
        return head
    *inner, tail = middle
    return head + "".join(f"(?>.*?{run})" for run in inner) + f".*{tail}"


def _tokens(part: str) -> Iterator[str]:
    """The characters of one name as regular expressions, with a bare ``*`` for any number of characters."""
    at = 0
    while at < len(part):
        character = part[at]
        at += 1
        if character == "*":
            yield "*"
        elif character == "?":
            yield "."
        elif character == "[":
            end = part.find("]", at + (2 if part[at : at + 1] == "!" else 1))
            if end < 0:
                raise BadPattern("A '[' is not closed; write [[] for the character itself.")
            yield _character_set(part[at:end])
            at = end + 1
        else:
            yield re.escape(character)


def _character_set(inner: str) -> str:
    negated = inner.startswith("!")
    wanted = inner[1:] if negated else inner
    escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", wanted)
    expression = f"[{'^' if negated else ''}{escaped}]"
    try:
        re.compile(expression)
    except re.error as error:
        raise BadPattern(f"[{inner}] is not a set of characters.") from error
    return expression


def _expand(pattern: str) -> Iterator[str]:
    """Every pattern that the braces stand for; braces may be nested."""
    pending, found = [pattern], 0
    while pending:
        one = pending.pop()
        span = _first_braces(one)
        if span is None:
            found += 1
            yield one
            continue
        start, end, choices = span
        pending.extend(one[:start] + choice + one[end:] for choice in reversed(choices))
        if found + len(pending) > _MAX_ALTERNATIVES:
            raise BadPattern(f"Its braces stand for more than {_MAX_ALTERNATIVES} patterns.")


def _first_braces(pattern: str) -> tuple[int, int, list[str]] | None:
    """Start, end and choices of the first outermost braces. Braces inside ``[...]`` are characters."""
    depth, start, in_set = 0, -1, False
    cuts: list[int] = []
    for at, character in enumerate(pattern):
        if in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
        elif character == "{":
            depth += 1
            if depth == 1:
                start, cuts = at, [at]
        elif character == "," and depth == 1:
            cuts.append(at)
        elif character == "}":
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                cuts.append(at)
                return start, at + 1, [pattern[a + 1 : b] for a, b in pairwise(cuts)]
    if depth != 0:
        raise BadPattern("A '{' or '}' has no partner; write [{] for the character itself.")
    return None
