"""Every public kernel is compared with a slow twin that says the same as the paper does."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from workers import kernels

HERE = Path(__file__).parent
NO_SOUND = {"arguments", "cache", "compiled", "lanes", "start", "statistics", "vectors"}
"""Modules without a formula: what lanes are is said in numpy, and compared in `test_lanes`."""

TABLES = {"strand_plan", "plan", "plain_plan", "hann_window", "mel_frequencies", "channel_weights", "k_blocks"}
"""What other kernels are given, and are compared with: wrong tables make these wrong."""


def public_kernels() -> dict[str, str]:
    """Module by name of each public function."""
    found = {}
    for module in iter_modules(kernels.__path__):
        if module.name in NO_SOUND:
            continue
        loaded = import_module(f"{kernels.__name__}.{module.name}")
        for name, value in vars(loaded).items():
            own = getattr(value, "__module__", None) == loaded.__name__ and not isinstance(value, type)
            inner = hasattr(value, "py_func") or (hasattr(value, "__wrapped__") and not hasattr(value, "cache_clear"))
            if own and callable(value) and not name.startswith("_") and not inner:
                found[name] = module.name
    return found


def compared() -> set[str]:
    """Names that stand in a test beside a naive twin."""
    names: set[str] = set()
    for path in HERE.glob("test_*.py"):
        tree = ast.parse(path.read_text())
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        twins = {
            alias.asname or alias.name
            for node in imports
            if (node.module or "").startswith("tests.naive")
            for alias in node.names
        }
        functions = {node.name: _names(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
        for name, used in functions.items():
            within = used.union(*(functions[other] for other in used & functions.keys()))
            if name.startswith("test_") and within & twins:
                names |= within
    return names


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_every_public_kernel_is_compared_with_a_naive_twin() -> None:
    known = public_kernels()
    assert len(known) > 40
    without = {f"{module}.{name}" for name, module in known.items() if name not in compared() | TABLES}
    assert without == set()


def test_no_table_is_named_that_is_gone() -> None:
    assert {name for name in TABLES if name not in public_kernels()} == set()


def test_every_public_kernel_says_what_it_takes_and_returns() -> None:
    for name, module in public_kernels().items():
        said = inspect.getdoc(getattr(import_module(f"{kernels.__name__}.{module}"), name)) or ""
        assert said, f"{module}.{name}"
