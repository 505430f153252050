"""A server with its UI as a process, and a life on it in a thread."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ui_world import living

from outlast.client import Client

T = TypeVar("T")
_STARTED_S = 120


class Served(NamedTuple):
    """Where the server is."""

    address: str
    url: str
    process: subprocess.Popen[str]


@contextmanager
def server(folder: Path, *options: str, port: int = 0, ui_port: int = 0) -> Iterator[Served]:
    """``outlast server`` on free ports, or on given ones."""
    command = ["-m", "outlast", "server", "--db", "ui.db", "--port", str(port), "--ui-port", str(ui_port), *options]
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        greeting = _greeting(process)
        address = _found(r"listening on (\S+)", greeting)
        yield Served(
            address, _found(r"Web UI: (\S+)", greeting).replace("localhost", "127.0.0.1").rstrip("/") + "/", process
        )
    finally:
        process.terminate()
        process.communicate()


def _greeting(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Stop with" in line:
            return "".join(lines)
    raise AssertionError(f"the server ended: {lines}")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


class Life:
    """The workflows of ``ui_world`` and their worker, and a client in their thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.client: Client | None = None

    def do(self, call: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """Have a call made with the client."""
        assert self.client is not None
        return asyncio.run_coroutine_threadsafe(call(self.client), self.loop).result(_STARTED_S)


@contextmanager
def life(address: str) -> Iterator[Life]:
    """The life on a server, in a thread of its own until the block is left."""
    lived = Life()
    ready, leave = threading.Event(), threading.Event()
    problems: list[BaseException] = []

    async def live() -> None:
        lived.client = await Client.connect(address)
        async with living(lived.client):
            ready.set()
            await asyncio.to_thread(leave.wait)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: lived.loop) as runner:
                runner.run(live())
        except BaseException as error:
            problems.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="life of the UI tests")
    thread.start()
    try:
        assert ready.wait(_STARTED_S), "the workflows did not come about"
        assert not problems, problems
        yield lived
    finally:
        leave.set()
        thread.join()
    assert not problems, problems
