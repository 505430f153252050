"""Crash a workflow's worker after every event of its history, and demand the same result each time.

Each round is an environment of its own: the worker runs until the history has the round's number of events, then it is
gone in mid-air: nothing that it does afterwards reaches the engine. A new worker takes over. The tasks that died with
the old one time out, which takes no real time, because the clock jumps over it.

Rule: workers keep no workflow in memory between two tasks, so every task replays the workflow from its beginning.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from outlast.client import Client, WorkflowHandle
from outlast.engine.execution.state import ExecutionState
from outlast.server.runs import Run
from outlast.service import ConnectConfig
from outlast.service._calls import TransportServiceClient
from outlast.vocab.errors import Unavailable
from outlast.worker import Worker

from ._engine import Engine
from ._environment import WorkflowEnvironment
from ._transport import TestTransport

_QUEUE = "crash-after-every-event"
_ID = "crash-after-every-event"
_TURNS = 20
"""Turns of the event loop without news after which the tasks of dead workers are taken to be all that is left."""

Drive = Callable[[WorkflowHandle[Any, Any]], Awaitable[None]]


class _Mortal:
    """The way of one worker to the engine, until it is cut."""

    def __init__(self, transport: TestTransport) -> None:
        self._transport = transport
        self._dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def cut(self) -> None:
        if not self._dead.done():
            self._dead.set_result(None)

    async def call(
        self, service: str, rpc: str, request: Message, *, metadata: Mapping[str, str | bytes], timeout: float | None
    ) -> Message:
        if self._dead.done():
            raise Unavailable("this worker is dead")
        call = asyncio.ensure_future(self._transport.call(service, rpc, request, metadata=metadata, timeout=timeout))
        try:
            either: set[asyncio.Future[Any]] = {call, self._dead}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._dead.done():
                raise Unavailable("this worker is dead")
            return call.result()
        finally:
            call.cancel()

    async def close(self) -> None:
        """The engine outlives this worker."""


async def crash_after_every_event(
    workflow: Any,
    args: Sequence[Any] = (),
    *,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]] = (),
    drive: Drive | None = None,
) -> Any:
    """Run a workflow undisturbed, then once for each event of its history with a crash of its worker after that event.

    Args:
        workflow: the run method, or the name of the workflow type.
        args: its arguments.
        workflows, activities: what the worker runs; the activities' side effects happen again in every round.
        drive: sends signals and the like to the workflow, in every round.

    Returns:
        The result.

    Raises:
        AssertionError: a round came to another result, or to a failure.
        WorkflowFailureError: the workflow fails undisturbed.
    """
    expected, events = await _round(workflow, args, workflows, activities, drive, crash_after=None)
    for number in range(1, events):
        try:
            result, _ = await _round(workflow, args, workflows, activities, drive, crash_after=number)
        except Exception as error:
            raise AssertionError(
                f"with a crash of the worker after event {number} of {events} the workflow failed: {error}"
            ) from error
        assert result == expected, (
            f"with a crash of the worker after event {number} of {events} the workflow returned {result!r}, and "
            f"{expected!r} without; something outside of workflow and activities decides"
        )
    return expected


async def _round(
    workflow: Any,
    args: Sequence[Any],
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
    drive: Drive | None,
    crash_after: int | None,
) -> tuple[Any, int]:
    """One run; the result, and how many events its history has."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        engine = env._engine
        assert engine is not None
        workers = _Workers(env, engine, workflows, activities)
        if crash_after is not None:
            workers.crash_when(lambda run: run.key.workflow_id == _ID and run.state.next_event_id > crash_after)
        workers.revive()
        try:
            handle = await env.client.start_workflow(workflow, args=args, id=_ID, task_queue=_QUEUE)
            driving = asyncio.ensure_future(drive(handle)) if drive is not None else None
            result = await handle.result()
            if driving is not None:
                await driving
            events = len((await handle.fetch_history()).events)
        finally:
            await workers.end()
        return result, events


class _Workers:
    """The worker of one round and its successor."""

    def __init__(
        self,
        env: WorkflowEnvironment,
        engine: Engine,
        workflows: Sequence[type],
        activities: Sequence[Callable[..., Any]],
    ) -> None:
        self._env, self._engine = env, engine
        self._workflows, self._activities = workflows, activities
        self._running: list[asyncio.Task[None]] = []
        self._dead: set[str] = set()
        self._way: _Mortal | None = None
        self._ferry: asyncio.Task[None] | None = None

    def revive(self) -> None:
        """Start a worker."""
        identity = f"worker-{len(self._running)}"
        self._way = _Mortal(self._engine.transport)
        service = TransportServiceClient(ConnectConfig("sqlite://:memory:", identity=identity), self._way)
        config = {**self._env.client.config(), "service_client": service}
        worker = Worker(
            Client(**config),  # type: ignore[arg-type]
            task_queue=_QUEUE,
            workflows=self._workflows,
            activities=self._activities,
            max_cached_workflows=0,
            identity=identity,
        )
        self._running.append(asyncio.ensure_future(worker.run()))

    def crash_when(self, due: Callable[[Run], bool]) -> None:
        """Kill the worker as soon as a run is as ``due`` says, and start its successor."""
        runs = self._engine.node.runs
        tell = runs.on_change
        assert tell is not None

        def watch(run: Run) -> None:
            tell(run)
            if not self._dead and due(run):
                self._dead.add("worker-0")
                assert self._way is not None
                self._way.cut()
                asyncio.get_running_loop().call_soon(self._replace)

        runs.on_change = watch

    def _replace(self) -> None:
        self._running[0].cancel()
        self.revive()
        self._ferry = asyncio.ensure_future(self._carry_over())

    async def _carry_over(self) -> None:
        """Jump over the time that the dead worker's tasks would take to time out."""
        clock, stillness = self._engine.clock, self._engine.node.stillness
        assert clock is not None and stillness is not None
        quiet, news = 0, -1
        while True:
            await asyncio.sleep(0)
            quiet, news = (quiet + 1, news) if news == stillness.news else (0, stillness.news)
            busy = [run for run in self._engine.node.runs.all() if run.key in stillness.busy_runs]
            if quiet > _TURNS and busy and all(self._is_held_by_the_dead(run.state) for run in busy):
                clock.jump()
                quiet = 0

    def _is_held_by_the_dead(self, state: ExecutionState) -> bool:
        task = state.task
        if task is not None and not (task.started and task.identity in self._dead):
            return False
        return all(
            activity.backing_off or activity.paused or (activity.started and activity.identity in self._dead)
            for activity in state.activities.values()
        )

    async def end(self) -> None:
        """Stop everything."""
        tasks = [*self._running, *([self._ferry] if self._ferry is not None else [])]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
