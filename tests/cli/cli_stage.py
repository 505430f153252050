"""A server and a worker in a thread, and the command line beside them: in this process, in a pipe, at a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from click.testing import CliRunner, Result
from kept_logs import kept_logs

from outlast import activity, workflow
from outlast.cli import main
from outlast.client import Client
from outlast.common import RetryPolicy
from outlast.exceptions import ApplicationError
from outlast.server.node import Node
from outlast.server.rpc import GrpcDoor
from outlast.storage.port import Storage
from outlast.storage.sqlite import SqliteStorage
from outlast.worker import Worker

QUEUE = "orders"


@activity.defn
async def charge(amount: int) -> int:
    return amount


@activity.defn
async def refuse(amount: int) -> int:
    raise RuntimeError(f"card declined for {amount}")


@activity.defn
async def wait_for_the_shop() -> str:
    activity.raise_complete_async()


@workflow.defn
class Payment:
    @workflow.run
    async def run(self, amount: int) -> int:
        return await workflow.execute_activity(charge, amount, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class Order:
    """Pays in a child, then waits to be approved."""

    def __init__(self) -> None:
        self.amount = 0
        self.approved = False

    @workflow.run
    async def run(self, amount: int = 1) -> int:
        self.amount = amount
        await workflow.execute_child_workflow(Payment.run, amount, id=f"{workflow.info().workflow_id}-payment")
        await workflow.wait_condition(lambda: self.approved)
        return self.amount

    @workflow.signal
    def approve(self) -> None:
        self.approved = True

    @workflow.query
    def total(self) -> int:
        return self.amount

    @workflow.update
    def add(self, amount: int) -> int:
        self.amount += amount
        return self.amount

    @add.validator
    def check(self, amount: int) -> None:
        if amount < 0:
            raise ValueError("amounts are positive")


@workflow.defn
class Declined:
    """Its activity fails and is tried again, an hour later."""

    @workflow.run
    async def run(self) -> int:
        again = RetryPolicy(initial_interval=timedelta(hours=1))
        return await workflow.execute_activity(
            refuse, 7, start_to_close_timeout=timedelta(seconds=30), retry_policy=again
        )


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("sold out", type="SoldOut", non_retryable=True)


@workflow.defn
class Blocked:
    @workflow.run
    async def run(self) -> None:
        raise LookupError("a slip in the workflow's code")


@workflow.defn
class ByHand:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            wait_for_the_shop, activity_id="shop", start_to_close_timeout=timedelta(hours=1)
        )


WORKFLOWS = [Payment, Order, Declined, Failing, Blocked, ByHand]
ACTIVITIES = [charge, refuse, wait_for_the_shop]


def _not_of_grpc(record: logging.LogRecord) -> bool:
    """The loops of a process share gRPC's queue of events: one may still come for the loop of an ended command."""
    return "PollerCompletionQueue" not in record.getMessage()


class Stage:
    """A server with a worker, in a thread of its own."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self.address = ""
        self._loggers = [logging.getLogger(name) for name in ("outlast.activity", "outlast.worker")]
        self._nowhere = logging.NullHandler()

    def __enter__(self) -> Self:
        # What the worker says of failures would stand among what the commands of this process say.
        for logger in self._loggers:
            logger.addHandler(self._nowhere)
            logger.propagate = False
        logging.getLogger("asyncio").addFilter(_not_of_grpc)
        self._thread.start()
        assert self._ready.wait(60)
        assert self._fault is None, self._fault
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        logging.getLogger("asyncio").removeFilter(_not_of_grpc)
        for logger in self._loggers:
            logger.propagate = True
            logger.removeHandler(self._nowhere)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as fault:
            self._fault = fault
            self._ready.set()
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        node = await Node.open(self._storage(), namespaces=("default",))
        door = GrpcDoor(node)
        port = await door.start("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        async with (
            await Client.connect(self.address) as client,
            Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES),
        ):
            self._ready.set()
            await self._stop.wait()
        node.release()
        await door.stop(0.1)
        await node.close()

    def call(self, work: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:
        """Do something with a client in the server's loop."""

        async def do() -> Any:
            async with await Client.connect(self.address) as client:
                return await work(client)

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(60)

    def until(self, workflow_id: str, done: Callable[[Any], bool]) -> Any:
        """The description of a workflow once it is as wished."""

        async def ask(client: Client) -> Any:
            handle = client.get_workflow_handle(workflow_id)
            async with asyncio.timeout(30):
                while not done(found := (await handle.describe()).raw_description):
                    await asyncio.sleep(0.01)
            return found

        return self.call(ask)

    def run(self, *words: str, input: str | None = None) -> Result:
        """The command line in this process; no command may wait for ever."""
        return call(*words, "--address", self.address, "--command-timeout", "30s", input=input)

    def ok(self, *words: str) -> str:
        """The output of a command that has to succeed."""
        done = self.run(*words)
        assert done.exit_code == 0, (words, done.output, done.exception)
        assert not done.stderr, done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        """The same, as the JSON that it is."""
        return json.loads(self.ok(*words, "-o", "json"))

    def refused(self, *words: str) -> str:
        """What is said on standard error by a command that has to fail with exit status 1."""
        done = self.run(*words)
        assert done.exit_code == 1, (words, done.output, done.exception)
        return done.stderr


def call(*words: str, input: str | None = None, env: dict[str, str] | None = None) -> Result:
    """The command line in this process, without a configuration of the user's."""
    with kept_logs():
        return CliRunner().invoke(main, words, input=input, env={"TEMPORAL_CONFIG_FILE": os.devnull, **(env or {})})


def piped(*words: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process with pipes."""
    return subprocess.run(
        [sys.executable, "-m", "outlast", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        env=os.environ | {"TEMPORAL_CONFIG_FILE": os.devnull} | env,
    )


@contextlib.asynccontextmanager
async def database(path: Path) -> AsyncIterator[Client]:
    """A client with its own engine over a file."""
    client = await Client.connect(f"sqlite:///{path}")
    try:
        yield client
    finally:
        await client.close()


__all__ = ["QUEUE", "Stage", "SqliteStorage", "call", "database", "piped"]
