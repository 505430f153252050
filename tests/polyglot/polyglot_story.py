"""Runs a program of another language against an `outlast server`, and says what all of them have to answer.

Every program is a worker and a client in one process, written on that language's official SDK. It takes the server's
address as its last argument, and prints one line of JSON: the answer of each case, by name.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server_process import ServerProcess

HERE = Path(__file__).parent
ENDED_S = 240
"""How long a program may run; only a hang takes so long."""

ANSWERS: dict[str, Any] = {
    "activities": {
        "third": {"number": 3, "heartbeat": 2},
        "type": "CardError",
        "message": "no such card",
        "detail": 4711,
        "heartbeat_timeout": True,
    },
    "waits": "fired and cancelled",
    "messages": {
        "updated": 3,
        "rejected": "an item has a name",
        "open": 13,
        "unknown": True,
        "stack": True,
        "items": ["bread", "milk", "eggs"],
        "closed": 23,
    },
    "children": {
        "answer": "child good",
        "failure": "ChildError",
        "cancelled": True,
        "items": ["from outside"],
        "unknown": True,
    },
    "chain": 3,
    "cancel": "cleaned up",
    "attributes": {"memo": {"note": "changed", "second": 2}, "listed": ["attributes"], "red": 0, "known": 12},
    "terminate": {"terminated": True, "twice": False},
    "asynchronous": {"token": "one", "id": "two"},
    "eager": True,
    "with_start": {"signalled": 2, "updated": [2, 3], "items": ["first", "by signal"]},
    "conflict": {"named": True, "replaced": True},
    "retried": 3,
    "reset": ["bread", "milk", "eggs"],
    "delayed": {"answer": "child late", "late": True},
    "schedules": {
        "ran": "child by schedule",
        "paused": True,
        "unpaused": True,
        "note": "by hand",
        "every": 7200,
        "listed": ["daily"],
        "deleted": True,
    },
    "server": {"pollers": True, "namespaces": ["default"]},
}
"""What every language answers. Each test adds what differs from SDK to SDK: `markers`, and `replay`, the number of
histories that the SDK's replayer has followed."""


@dataclass(frozen=True, slots=True)
class Language:
    """One program: its folder, how it is made ready, how it is run, and what it answers beside ANSWERS."""

    folder: str
    build: tuple[str, ...]
    run: tuple[str, ...]
    answers: dict[str, Any]

    @property
    def expected(self) -> dict[str, Any]:
        return ANSWERS | self.answers

    def play(self, folder: Path) -> dict[str, Any]:
        """What the program has answered, against a server with a fresh database in `folder`."""
        subprocess.run(self.build, cwd=HERE / self.folder, check=True)
        return asyncio.run(self._play(folder))

    async def _play(self, folder: Path) -> dict[str, Any]:
        async with ServerProcess(folder) as server, asyncio.timeout(ENDED_S):
            program = await asyncio.create_subprocess_exec(
                *self.run, server.address, cwd=HERE / self.folder, stdout=asyncio.subprocess.PIPE
            )
            printed, _ = await program.communicate()
        assert program.returncode == 0, printed.decode()
        answers: dict[str, Any] = json.loads(printed.decode().splitlines()[-1])
        return answers
