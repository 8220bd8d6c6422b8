"""An SSH server without OpenSSH, for the tests: ``python python_sshd.py FOLDER PORT``; commands get its environment."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import asyncssh


async def handle(process: Any) -> None:
    """Run a command with the channel as its standard streams."""
    child = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", process.command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    given = asyncio.create_task(pump(process.stdin, child.stdin))
    await asyncio.gather(pump(child.stdout, process.stdout), pump(child.stderr, process.stderr))
    given.cancel()
    process.exit(await child.wait())


async def pump(source: Any, target: Any) -> None:
    """All that comes, then the end of it, where the other side is a program."""
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except (BrokenPipeError, ConnectionError, asyncssh.Error):
        return
    if isinstance(target, asyncio.StreamWriter):
        target.close()


async def main(folder: str, port: int) -> None:
    """Serve until killed."""
    await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[f"{folder}/host"],
        authorized_client_keys=f"{folder}/authorized_keys",
        process_factory=handle,
        encoding=None,
    )
    print("Server listening", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
