"""``outlast server`` and programs beside it as real processes: started, spoken to, killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Self

STARTED_S = 60
"""How long a process may take to say that it is ready; only a hang takes so long."""


class Program:
    """A Python process that says on its standard output when it is ready."""

    def __init__(self, *arguments: str, ready: str, folder: Path, **environment: str) -> None:
        self.environment = environment
        self.arguments = arguments
        self.ready = ready
        self.folder = folder
        self.greeting: list[str] = []
        """What the process printed up to and with the line that says it is ready."""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "not started"
        return self._process

    @property
    def log(self) -> str:
        """The standard error of every start so far."""
        return (self.folder / "stderr.log").read_text()

    async def start(self) -> Self:
        with (self.folder / "stderr.log").open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env=os.environ | self.environment,
            )
        self.greeting = []
        async with asyncio.timeout(STARTED_S):
            while not self.greeting or self.ready not in self.greeting[-1]:
                line = await self.line()
                if not line:
                    raise AssertionError(f"{self.arguments} ended with {await self.process.wait()}: {self.log}")
                self.greeting.append(line)
        return self

    async def line(self) -> str:
        """The next line that it prints; empty at the end."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()

    async def end(self) -> list[str]:
        """Wait until it ends by itself, without an error; answers what it printed since the greeting."""
        async with asyncio.timeout(STARTED_S):
            printed = (await self.process.communicate())[0].decode().splitlines()
        # The threads of Temporal's SDK can outlive the interpreter, which is then killed after the program has ended.
        killed = self._of_temporalio and self.process.returncode in (-signal.SIGABRT, -signal.SIGSEGV)
        assert self.process.returncode == 0 or killed, f"ended with {self.process.returncode}: {self.log}"
        return printed

    @property
    def _of_temporalio(self) -> bool:
        """Whether the program imports the real package."""
        programs = [self.folder / argument for argument in self.arguments if argument.endswith(".py")]
        return any("temporalio" in program.read_text() for program in programs)

    async def kill(self) -> list[str]:
        """SIGKILL; answers what it had printed and nobody had read."""
        assert self.process.returncode is None, f"{self.arguments} ended by itself: {self.log}"
        self.process.kill()
        return (await self.process.communicate())[0].decode().splitlines()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; answers the exit status."""
        self.process.send_signal(number)
        await self.process.communicate()
        return await self.process.wait()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()


class ServerProcess(Program):
    """``outlast server`` on a free port, which it keeps when it is started again; without HTTP unless ``ui``."""

    def __init__(self, folder: Path, *options: str, database: str = "orders.db", ui: bool = False) -> None:
        command = ("-m", "outlast", "server", "--db", database, "--port", "0", *(() if ui else ("--headless",)))
        super().__init__(*command, *options, ready="Namespaces:", folder=folder)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.arguments[self.arguments.index('--port') + 1]}"

    async def start(self) -> Self:
        await super().start()
        port = self.greeting[0].rsplit(":", 1)[1].strip()
        at = self.arguments.index("--port") + 1
        self.arguments = (*self.arguments[:at], port, *self.arguments[at + 1 :])
        return self
