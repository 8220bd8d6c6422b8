"""The kernels of one tree, each once: what `benchmarks.kernels` compares with references, without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.gate.side import Sample, own_cpu


def samples(asked: dict[str, Any]) -> Iterator[tuple[str, Sample]]:
    """Name and samples of each."""
    from benchmarks.kernel_cases import cases

    met: set[str] = set()
    for case in cases(references=False):
        name = f"{case.row} {case.what}".removeprefix("- ")
        if name not in met:
            met.add(name)
            yield name, own_cpu(case.ours)
