"""The examples of the pages on finding, likeness, copies and exports, run as they stand against a real gateway."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.environment import child_environment
from stores.records import Reason, Row, Status
from tests.api.gateway import make_gateway
from tests.api.serving import serve
from tests.servers import PROJECT

HOWTO = PROJECT / "docs" / "howto"
STRICT = 'set -eo pipefail\ncurl() { command curl --fail-with-body --no-progress-meter "$@"; }\n'
ABSENT = ("hum.wav", "ffmpeg", *(() if shutil.which("jq") else ("jq",)))
"""Examples with one of these are left out: they need a worker, or another program."""


@dataclass(frozen=True)
class Place:
    """A gateway that listens, and what the examples speak of."""

    url: str
    samples: list[str]
    job: str
    folder: Path

    def told(self, example: str) -> str:
        """An example with the gateway, the samples and the job that there are."""
        cli = f"{shlex.quote(sys.executable)} -m cli"
        for said, meant in {
            "http://127.0.0.1:8000": self.url,
            "localhost:8000": self.url,
            "./samplemind": cli,
            "ANOTHER_ID": self.samples[1],
            "SAMPLE_ID": self.samples[0],
            "| head": "| cat",  # which may close the pipe before all of it was written
        }.items():
            example = example.replace(said, meant)
        return re.sub(r"\bJOB\b", self.job, example)

    def run(self, script: str) -> str:
        """What a script prints; it must succeed."""
        more = {"SAMPLEMIND_URL": self.url, "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(
            ["bash", "-c", STRICT + self.told(script)],
            cwd=self.folder,
            env={**child_environment(), **more},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{done.stderr}\n{done.stdout[-2000:]}"
        return done.stdout


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    gateway = make_gateway(tmp_path)
    samples = [gateway.sample(f"kick {n}.wav") for n in range(4)]
    rows = {f"kick {n}.wav": Row(Status.DONE, one) for n, one in enumerate(samples)}
    job = gateway.folder_job({**rows, "broken.wav": Row(Status.FAILED, None, Reason("not_audio", "It is text."))})
    gateway.index()
    with serve(gateway) as there:
        yield Place(there.url, samples, job.id, tmp_path)


def commands(page: str, language: str = "bash") -> str:
    """The examples of a page, one after the other: later ones go on with what earlier ones said."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (HOWTO / page).read_text("utf-8"), re.DOTALL)
    whole = re.sub(r"(\\|\|)\n", lambda end: end[1].replace("\\", "") + " ", "\n".join(blocks))
    return "\n".join(line for line in whole.splitlines() if not any(name in line for name in ABSENT))


@pytest.mark.parametrize(
    ("page", "least"), [("find.md", 22), ("similar.md", 6), ("duplicates.md", 4)], ids=lambda value: str(value)
)
def test_the_examples_of_a_page_are_answered(place: Place, page: str, least: int) -> None:
    script = commands(page)
    assert len(re.findall(r"^(?:curl|search|\./samplemind) ", script, re.MULTILINE)) >= least
    assert '"items"' in place.run(script)


def test_an_export_is_read_as_the_page_says(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.run(commands("export.md"))
    assert {path.suffix for path in place.folder.glob("pack.*")} == {".parquet", ".csv", ".xml"}
    example = commands("export.md", "python").replace("pack.parquet", str(place.folder / "pack.parquet"))
    exec(compile(example, "docs/howto/export.md", "exec"), {"__name__": "example"})
    assert "kick 0.wav" in capsys.readouterr().out
