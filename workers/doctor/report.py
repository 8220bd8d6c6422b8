"""Findings of many files in bounded memory: counts by code, the worst files, what could not be read and why."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from workers.doctor.advice import ADVICE, advice
from workers.doctor.findings import Finding, findings
from workers.errors import sentence_of

MOST_WORST: Final = 50
MOST_EXAMPLES: Final = 10
"""Files named for each code."""
_ANALYSED: Final = ("done", "reused", "duplicate")


@dataclass(slots=True)
class _Worst:
    """The worst of any number: a heap whose least bad is first."""

    most: int
    seen: int = 0
    heap: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)

    def add(self, badness: float, what: dict[str, Any]) -> None:
        self.seen += 1
        entry = (badness, -self.seen, what)  # of two that are alike, the one that came first is kept
        if len(self.heap) < self.most:
            heapq.heappush(self.heap, entry)
        else:
            heapq.heappushpop(self.heap, entry)

    def sorted(self) -> list[dict[str, Any]]:
        return [what for _, _, what in sorted(self.heap, key=lambda each: each[:2], reverse=True)]


class Report:
    """What is wrong among the files that were added."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._status: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._examples: dict[str, _Worst] = {}
        self._worst = _Worst(MOST_WORST)
        self._reasons: dict[str, tuple[str, list[str]]] = {}
        self._reason_counts: Counter[str] = Counter()
        self._bad = self._n = 0
        self._seconds = 0.0

    def add(
        self,
        path: str,
        status: str,
        said: Mapping[str, Any] | None,
        *,
        sample_id: str | None = None,
        reason: Mapping[str, Any] | None = None,
    ) -> None:
        """Take one file: its analysis, or why there is none."""
        self._n += 1
        self._status[status] += 1
        if said is not None:
            self._judge({"path": path, "sample_id": sample_id}, said)
        elif reason is not None:
            code = str(reason.get("code", "unknown"))
            self._reason_counts[code] += 1
            sentence = sentence_of(code) or str(reason.get("message", ""))
            _, paths = self._reasons.setdefault(code, (sentence, []))
            if len(paths) < MOST_EXAMPLES:
                paths.append(path)

    def _judge(self, file: dict[str, Any], said: Mapping[str, Any]) -> None:
        seconds = (said.get("audio") or {}).get("duration_s")
        self._seconds += seconds if isinstance(seconds, int | float) else 0
        found = findings(said)
        if not found:
            return
        self._bad += 1
        for code in {each.code for each in found}:
            self._codes[code] += 1
        for each in found:
            badness = abs(each.amount or 0)
            self._examples.setdefault(each.code, _Worst(MOST_EXAMPLES)).add(badness, file | asdict(each))
        score = sum(advice(each.code).weight for each in found)
        self._worst.add(score, {**file, "score": score, "findings": _plain(found)})

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        order = {code: n for n, code in enumerate(ADVICE)}
        codes = sorted(self._codes, key=lambda code: (-self._codes[code], order.get(code, len(order)), code))
        analysed = sum(self._status[each] for each in _ANALYSED)
        return {
            "title": self.title,
            "files": {
                "all": self._n,
                "analysed": analysed,
                "clean": analysed - self._bad,
                "with_defects": self._bad,
                **{each: self._status[each] for each in ("failed", "skipped", "pending")},
            },
            "hours": round(self._seconds / 3600, 3),
            "defects": [self._defect(code) for code in codes],
            "worst": self._worst.sorted(),
            "unread": [
                {"code": code, "message": self._reasons[code][0], "files": n, "examples": self._reasons[code][1]}
                for code, n in self._reason_counts.most_common()
            ],
        }

    def _defect(self, code: str) -> dict[str, Any]:
        known = advice(code)
        return {
            "code": code,
            "title": known.title,
            "what_to_do": known.what_to_do,
            "files": self._codes[code],
            "worst": self._examples[code].sorted(),
        }


def _plain(found: Sequence[Finding]) -> list[dict[str, Any]]:
    return [asdict(each) for each in found]
