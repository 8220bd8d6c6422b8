"""F1 to F8: processes that are killed or frozen."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil

from tests.faults.plant import Plant
from tests.faults.scenario import Trial, scenario
from tests.faults.trial import SMALL_JOB
from tests.servers import Server, free_port
from workers.model import ANALYZER_VERSION

_ANSWERED_WITHIN_S = 20
"""Many times what the gateway waits for a store: said no sooner than when it hangs."""


def kill(process: psutil.Process) -> None:
    """SIGKILL, if it is not gone already."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _kill_one_after_another(
    trial: Trial, victims: Callable[[], list[psutil.Process]], between_s: tuple[float, float]
) -> None:
    trial.plant.under_way(trial.job_id)
    for _ in range(3):
        if trial.over:
            return
        alive = victims()
        if alive:
            kill(trial.chance.choice(alive))
        trial.pause(*between_s)


def restart(server: Server, trial: Trial) -> None:
    """kill -9, a moment of absence, and a start on the same data and port."""
    server.kill()
    trial.pause(0.2, 2)
    server.start()


@scenario(1, "kill -9 of a worker's main process, every few seconds")
def killed_workers(trial: Trial) -> None:
    _kill_one_after_another(trial, trial.plant.worker_parents, (1, 3))


@scenario(2, "kill -9 of a random process that works, or of its decoder")
def killed_children(trial: Trial) -> None:
    plant = trial.plant
    _kill_one_after_another(trial, lambda: [*plant.worker_children(), *plant.decoders()], (0.5, 2))


@scenario(3, "SIGSTOP of a worker past its lease, then SIGCONT or SIGKILL")
def frozen_worker(trial: Trial) -> None:
    trial.plant.under_way(trial.job_id)
    parents = trial.plant.worker_parents()
    victim = trial.chance.choice(parents)
    frozen = [victim, *victim.children(recursive=True)]
    for process in frozen:
        process.suspend()
    trial.plant.wait(trial.hold_s)
    killed = trial.chance.random() < 0.5
    for process in frozen:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill() if killed else process.resume()


@scenario(4, "kill -9 of the gateway during a POST and during events; the client asks again with its key")
def killed_gateway(trial: Trial) -> None:
    cluster = trial.plant.cluster
    body = {"source": {"root": "library", "path": trial.library.folder.name, "pattern": "**/blip_0000*"}}
    headers = {"Idempotency-Key": f"again-{trial.job_id}"}
    answers: list[str] = []

    def post() -> None:
        with contextlib.suppress(httpx.HTTPError):
            answer = cluster.http.post("/v1/jobs", json=body, headers=headers)
            if answer.status_code == 202:
                answers.append(answer.json()["id"])

    for _ in range(3):
        poster = threading.Thread(target=post)
        poster.start()
        trial.pause(0, 0.02)
        for gateway in cluster.processes("-m api"):
            kill(gateway)
        poster.join()
        cluster.wait_ready(60)
    post()
    assert len(set(answers)) == 1, f"one key, {len(set(answers))} jobs"
    assert cluster.wait_job(answers[-1])["state"] == "complete"


@scenario(5, "kill -9 of the queue's broker: it comes back with its data, then without any")
def lost_broker(trial: Trial) -> None:
    broker = trial.plant.broker
    trial.plant.under_way(trial.job_id)
    restart(broker, trial)
    trial.pause(0.5, 2)
    broker.kill()
    for kept in (broker.directory / ("mnesia" if broker.name == "rabbitmq" else "valkey")).iterdir():
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
    broker.start()


@scenario(6, "kill -9 of the ledger, again and again")
def killed_ledger(trial: Trial) -> None:
    trial.plant.under_way(trial.job_id)
    for _ in range(3):
        restart(trial.plant.servers["mongo"], trial)
        trial.pause(1, 3)


@scenario(7, "kill -9 of Chroma while vectors are written, then its folder deleted")
def lost_index(trial: Trial) -> None:
    chroma = trial.plant.servers["chroma"]
    trial.plant.under_way(trial.job_id)
    restart(chroma, trial)
    trial.pause(0.5, 2)
    chroma.kill()
    shutil.rmtree(chroma.directory / "chroma", ignore_errors=True)
    chroma.start()


@scenario(8, "SIGSTOP of each server in turn; who asks meanwhile is answered")
def frozen_servers(trial: Trial) -> None:
    plant = trial.plant
    plant.under_way(trial.job_id)
    names = ["mongo", "redis", "chroma"]
    trial.chance.shuffle(names)
    with another_gateway(plant) as gateway:
        for name in names:
            process = plant.servers[name].process
            assert process is not None
            process.send_signal(signal.SIGSTOP)
            _is_answered(trial, gateway, name)
            plant.wait(trial.hold_s / 3 if trial.full else 0)
            process.send_signal(signal.SIGCONT)
            trial.pause(0.2, 0.8)


@contextlib.contextmanager
def another_gateway(plant: Plant) -> Iterator[str]:
    """The URL of one more gateway, which waits for a store no longer than a second or two."""
    port = free_port()
    quick = {f"SAMPLEMIND_{part}": "1.5" for part in ("MONGO__SOCKET_TIMEOUT_S", "REDIS__SOCKET_TIMEOUT_S")}
    quick |= {"SAMPLEMIND_CHROMA__TIMEOUT_S": "1.5", "SAMPLEMIND_GATEWAY__PORT": str(port)}
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/health").status_code == 200
        except httpx.HTTPError:
            return False

    with plant.extra("api", **plant.hooked(), **quick):
        plant.wait_for(answers)
        yield url


def _is_answered(trial: Trial, gateway: str, frozen: str) -> None:
    """Whatever stands still, a read and a submission are answered: done, or come again later."""
    similar = {"like": {"sample": "0" * 64 + f"-{ANALYZER_VERSION}-0"}}
    asked = [
        ("GET", f"/v1/jobs/{trial.job_id}", None),
        ("POST", "/v1/jobs", SMALL_JOB),
        ("POST", "/v1/search", similar),
    ]

    def answer(question: tuple[str, str, object]) -> str:
        method, path, content = question
        try:
            said = httpx.request(method, gateway + path, json=content, timeout=_ANSWERED_WITHIN_S)
        except httpx.HTTPError as error:
            return f"{method} {path}: {type(error).__name__}"
        if said.status_code == 202:
            trial.others.append(said.json()["id"])
        return "" if said.status_code in (200, 202, 404, 503) else f"{method} {path}: {said.text}"

    with ThreadPoolExecutor(3 * len(asked)) as clients:
        unanswered = [text for text in clients.map(answer, asked * 3) if text]
    assert not unanswered, f"with {frozen} frozen: {unanswered}"
