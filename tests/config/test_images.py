"""Each image holds what its programs import: its own copied files, the requirements of its group, and no more.

Nobody here builds the images: the Dockerfile's COPY lines are replayed into a folder, and what its requirements do not
name is hidden from an interpreter that then imports every program of the image.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.webapp import DIST
from tests.servers import PROJECT
from workers.atlas import TABLE

DOCKERFILE = (PROJECT / "deploy" / "image" / "Dockerfile").read_text()
DECODING = ("workers.audio.decode", "workers.audio.decode_process", "workers.audio.sndfile", "workers.audio.ffmpeg")
PROGRAMS = {
    "gateway": ("api.__main__", "api.app", *DECODING, "tasks.reconcile", "tasks.index", "tasks.alive"),
    "worker": ("tasks.worker", "tasks.app", "tasks.analyze", "tasks.scan", "workers.file", "tasks.alive"),
    "flower": ("tasks.monitor", "tasks.flower_app"),
}
IMPORTS = """
import importlib.metadata, json, re, sys
from importlib.machinery import PathFinder
allowed, programs = set(json.loads(sys.argv[1])), json.loads(sys.argv[2])
def plain(name): return re.sub("[-_.]+", "-", name).lower()
whose = {top: {plain(each) for each in owners} for top, owners in importlib.metadata.packages_distributions().items()}
class Held(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        owners = whose.get(name.partition(".")[0])
        return None if owners and not owners & allowed else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Held
for program in programs: importlib.import_module(program)
"""


def pinned(group: str) -> set[str]:
    """What the group installs; the server's package stands for its client's, which share one name to import."""
    text = (PROJECT / "requirements" / f"{group}.txt").read_text()
    names = {re.sub("[-_.]+", "-", name).lower() for name in re.findall(r"(?m)^([\w.-]+)(?:\[[^]]*\])?==", text)}
    return names | ({"chromadb"} if "chromadb-client" in names else set())


def copied(image: str, folder: Path) -> Path:
    """The folder that the image's COPY lines make of this checkout."""
    stage = next(part for part in re.split(r"(?m)^FROM ", DOCKERFILE) if re.match(rf"\S+ AS {image}\n", part))
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", stage):
        *sources, target = line.split()
        for source in sources:
            if (PROJECT / source).is_dir():
                shutil.copytree(PROJECT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / source, folder / target)
    return folder


@pytest.mark.parametrize("image", PROGRAMS)
def test_an_image_holds_what_its_programs_import(image: str, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", IMPORTS, json.dumps(sorted(pinned(image))), json.dumps(PROGRAMS[image])]
    folder = copied(image, tmp_path)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]


@pytest.mark.parametrize("image", PROGRAMS)
def test_an_image_is_compiled_where_it_is_built_and_not_at_each_start(image: str, tmp_path: Path) -> None:
    """Its root cannot be written, so a module without bytecode would be compiled anew by every process."""
    stage = next(part for part in re.split(r"(?m)^FROM ", DOCKERFILE) if re.match(rf"\S+ AS {image}\n", part))
    (folders,) = re.findall(r"(?m)^RUN python -m (compileall .+)$", stage)
    assert stage.rindex("COPY") < stage.index("compileall") < stage.index("USER 10001")
    folder = copied(image, tmp_path)
    subprocess.run([sys.executable, "-m", *folders.split()], cwd=folder, check=True)
    bare = [path for path in folder.rglob("*.py") if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]
    assert bare == []
    installs = re.split(r"(?m)^FROM ", DOCKERFILE)
    assert all(re.match(r"build AS", part) for part in installs if "uv pip install" in part)
    assert "ENV UV_COMPILE_BYTECODE=1" in next(part for part in installs if re.match(r"base AS build\n", part))


def test_the_gateways_image_holds_the_web_app_where_it_is_looked_for() -> None:
    found = re.search(r"(?ms)^FROM \S+ AS gateway\n.*?^COPY --from=build-web /web/dist (\S+)$", DOCKERFILE)
    assert found
    assert PROJECT / found[1] == DIST
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert ignored.index("!web") < ignored.index("web/node_modules")


def test_the_gateways_image_holds_the_map_it_reads_from(tmp_path: Path) -> None:
    folder = copied("gateway", tmp_path)
    assert (folder / TABLE.relative_to(PROJECT)).exists()
