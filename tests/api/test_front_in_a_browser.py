"""The front page as a person uses it, in a real browser driven over its own protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile
from tornado.websocket import websocket_connect

from tests.api.gateway import Gateway, done, failed
from tests.api.serving import serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = "--no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-quic"
PROMPT = """new Promise((resolve, reject) => {
  const began = Date.now();
  const look = () => {
    const found = (() => %s)();
    if (found) resolve(found);
    else if (Date.now() - began > 60000) reject(document.body.innerText);
    else setTimeout(look, 50);
  };
  look();
})"""


class Page:
    """One page of a browser; `complaints` is what it logged."""

    def __init__(self, port: int) -> None:
        self._port, self._ids = port, itertools.count(1)
        self.complaints: list[str] = []

    async def open(self, url: str) -> Page:
        """Connect, and go there."""
        with urlopen(f"http://127.0.0.1:{self._port}/json/list", timeout=10) as said:
            target = next(each for each in json.load(said) if each["type"] == "page")
        self._socket = await websocket_connect(target["webSocketDebuggerUrl"])
        for command in ("Runtime.enable", "Log.enable", "Page.enable"):
            await self._call(command)
        await self._call("Page.navigate", url=url)
        return self

    async def until(self, expression: str) -> Any:
        """Wait until a piece of JavaScript gives something true; what it gave."""
        said = await self._call(
            "Runtime.evaluate", expression=PROMPT % expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def close(self) -> None:
        """Part from the browser in order."""
        self._socket.close()
        while await self._socket.read_message() is not None:
            pass

    async def _call(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        await self._socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = await self._socket.read_message()
            assert message is not None
            said = json.loads(message)
            if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.complaints.append(said["params"]["entry"]["text"])
            if said.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(said["params"]))
            if said.get("id") == number:
                return said.get("result")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Page]:
    if BROWSER is None:
        pytest.skip("no Chromium here")
    profile = tmp_path / "profile"
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", *QUIET.split()]
    command += [f"--user-data-dir={profile}", "--autoplay-policy=no-user-gesture-required", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "DevTools listening on" in line)
        try:
            yield Page(int(told.split("127.0.0.1:")[1].split("/")[0]))
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_samples_are_found_heard_and_likened_and_a_failure_is_explained(
    gateway: Gateway, browser: Page, tmp_path: Path
) -> None:
    t = np.arange(11025) / 22050
    soundfile.write(tmp_path / "library" / "kick.wav", (0.5 * np.sin(2 * np.pi * 220 * t)).astype(np.float32), 22050)
    kick, pad = gateway.sample("kick.wav"), gateway.sample("<b>pad</b>.wav")
    gateway.folder_job({"kick.wav": done(kick), "pad.wav": done(pad), "bad.wav": failed("not_audio")})
    gateway.index()

    async def use(url: str) -> None:
        page = await browser.open(f"{url}/status")
        try:
            names = await page.until("[...document.querySelectorAll('#samples .name')].map((e) => e.title).sort()[1]")
            assert names == "kick.wav"
            assert await page.until("document.querySelectorAll('#samples svg path').length === 2")
            await page.until("document.querySelector('#text').value = 'kick'")
            await page.until("(document.querySelector('#filter button').click(), 1)")
            assert await page.until("document.querySelectorAll('#samples tr').length === 1")
            await page.until("(document.querySelector('.play').click(), 1)")
            assert await page.until("document.querySelector('.play').textContent === '■'")
            assert await page.until("document.querySelector('.play').textContent === '▶'")
            await page.until("(document.querySelector('#samples td:last-child button').click(), 1)")
            assert await page.until("document.querySelector('#told').textContent === 'what sounds like kick.wav'")
            await page.until("(document.querySelector('.counts button').click(), 1)")
            assert "bad.wav" in await page.until("document.querySelector('.why')?.textContent")
            assert await page.until("document.querySelector('#missed').textContent === ''")
        finally:
            await page.close()

    with serve(gateway) as serving:
        asyncio.run(use(serving.url))
    assert [each for each in browser.complaints if "503" not in each] == []
