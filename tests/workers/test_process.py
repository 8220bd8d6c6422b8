"""Cores, quotas, caps and pins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import THREAD_CAPS, child_environment, decoder_environment
from workers import process
from workers.errors import ParameterError

linux = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds processes to cores")


def machine(root: Path, siblings: dict[int, str], files: dict[str, str] | None = None) -> Path:
    for core, line in siblings.items():
        folder = root / f"sys/devices/system/cpu/cpu{core}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(line + "\n")
    for name, text in (files or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_allowed", lambda: list(range(8)))


@pytest.mark.usefixtures("eight")
class TestPhysicalCores:
    def test_come_before_their_siblings(self, tmp_path: Path) -> None:
        root = machine(tmp_path, {core: f"{core % 4},{core % 4 + 4}" for core in range(8)})
        assert process.physical_cores(root) == (0, 1, 2, 3, 4, 5, 6, 7)
        root = machine(tmp_path / "pairs", {core: f"{core // 2 * 2}-{core // 2 * 2 + 1}" for core in range(8)})
        assert process.physical_cores(root) == (0, 2, 4, 6, 1, 3, 5, 7)

    def test_are_all_cores_where_nothing_is_known_of_siblings(self, tmp_path: Path) -> None:
        assert process.physical_cores(tmp_path) == tuple(range(8))

    def test_are_no_more_than_a_version_2_quota_pays_for(self, tmp_path: Path) -> None:
        files = {"proc/self/cgroup": "0::/pod/box", "sys/fs/cgroup/pod/cpu.max": "150000 100000"}
        files |= {"sys/fs/cgroup/pod/box/cpu.max": "max 100000"}
        root = machine(tmp_path, {}, files)
        assert process.cpu_quota(root) == 1.5
        assert process.physical_cores(root) == (0, 1)

    def test_heed_the_quota_of_a_container_that_sees_only_its_own_group(self, tmp_path: Path) -> None:
        files = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "50000 100000"}
        assert process.physical_cores(machine(tmp_path, {}, files)) == (0,)

    def test_heed_a_version_1_quota(self, tmp_path: Path) -> None:
        files = {
            "proc/self/cgroup": "4:memory:/x\n2:cpu,cpuacct:/box",
            "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "300000",
            "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
        }
        assert process.physical_cores(machine(tmp_path, {}, files)) == (0, 1, 2)


def test_workers_go_round_the_cores() -> None:
    cores = process.physical_cores()
    assert [process.choose_core(number) for number in range(2 * len(cores))] == [*cores, *cores]


def test_refuses_a_negative_worker() -> None:
    with pytest.raises(ParameterError):
        process.choose_core(-1)


def run(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@linux
def test_pins_this_process_and_what_it_starts() -> None:
    core = sorted(os.sched_getaffinity(0))[-1]
    code = (
        "import os, subprocess, sys; from workers.process import pin\n"
        f"assert pin({core}); sys.stdout.flush()\n"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.sched_getaffinity(0))'], check=True)"
    )
    assert run(code, child_environment()).strip() == str({core})


@linux
def test_a_core_that_is_not_there_leaves_the_process_where_it_was() -> None:
    before = os.sched_getaffinity(0)
    assert not process.pin(100_000)
    assert not process.pin(-1)
    assert os.sched_getaffinity(0) == before


LEASES = """
import sys
from pathlib import Path
from workers.process import lease_core
print(lease_core(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def leasing(folder: Path) -> subprocess.Popen[str]:
    """A process that leases a core and keeps it until its input ends or it is killed."""
    command = [sys.executable, "-c", LEASES, str(folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=child_environment(), stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_each_process_leases_a_core_of_its_own_and_a_killed_one_gives_it_back(tmp_path: Path) -> None:
    cores = [str(core) for core in process.allowed_cores()]
    holders = [leasing(tmp_path) for _ in cores]
    try:
        held = [first_line(holder) for holder in holders]
        assert sorted(held) == sorted(cores)
        assert process.lease_core(tmp_path) is None
        holders[0].kill()
        holders[0].wait()
        holders.append(leasing(tmp_path))
        assert first_line(holders[-1]) == held[0]
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


def test_without_the_folder_no_core_is_leased(tmp_path: Path) -> None:
    assert process.lease_core(tmp_path / "nowhere") is None


@linux
def test_a_worker_is_pinned_to_the_core_it_leases(tmp_path: Path) -> None:
    code = (
        "import os, sys, types\n"
        "kernels = types.ModuleType('workers.kernels')\n"
        "kernels.warm = lambda: 1.5\n"
        "sys.modules['workers.kernels'] = kernels\n"
        "from pathlib import Path\n"
        "from config.settings import WorkerSettings\n"
        "from workers.process import prepare\n"
        f"prepare(WorkerSettings(cores_dir=Path({str(tmp_path)!r})))\n"
        "print(os.sched_getaffinity(0))\n"
    )
    assert run(code, child_environment()).strip() == str({process.allowed_cores()[0]})


def test_says_that_a_system_without_affinity_cannot_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_setaffinity"):
        monkeypatch.delattr(os, "sched_setaffinity")
        monkeypatch.delattr(os, "sched_getaffinity")
    assert not process.pin(0)
    assert process.physical_cores()


def test_importing_the_module_imports_no_numpy() -> None:
    code = "import sys, workers.process; print('numpy' in sys.modules, 'numba' in sys.modules)"
    assert run(code, child_environment()).strip() == "False False"


def test_a_prepared_worker_is_capped_cached_pinned_and_warm(tmp_path: Path) -> None:
    core = process.physical_cores()[0]
    code = (
        "import os, sys, types\n"
        "kernels = types.ModuleType('workers.kernels')\n"
        "def warm():\n"
        "    import numpy\n"
        "    return 1.5\n"
        "kernels.warm = warm\n"
        "sys.modules['workers.kernels'] = kernels\n"
        "from config.settings import WorkerSettings\n"
        "from workers.process import prepare\n"
        f"seconds = prepare(WorkerSettings(core={core}))\n"
        "print(seconds, os.environ['OPENBLAS_NUM_THREADS'], os.environ['NUMBA_CACHE_DIR'])\n"
        "print(len(os.listdir('/proc/self/task')) if sys.platform == 'linux' else 1)\n"
    )
    said = run(code, child_environment(NUMBA_CACHE_DIR=str(tmp_path))).splitlines()
    assert said == [f"1.5 1 {tmp_path}", "1"]


def test_says_so_when_numpy_came_before_the_caps() -> None:
    code = (
        "import sys, types, numpy\n"
        "kernels = types.ModuleType('workers.kernels'); kernels.warm = lambda: 0.0\n"
        "sys.modules['workers.kernels'] = kernels\n"
        "from config.settings import WorkerSettings\n"
        "from workers.process import prepare\n"
        "prepare(WorkerSettings())\n"
    )
    uncapped = {name: value for name, value in child_environment().items() if name not in THREAD_CAPS}
    assert "thread_caps_too_late" in run(code, uncapped)
    assert "thread_caps_too_late" not in run(code, uncapped | THREAD_CAPS)


def test_the_decoder_sees_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_MONGO__URL", "mongodb://name:secret@host")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert not any("secret" in value for value in decoder_environment().values())
