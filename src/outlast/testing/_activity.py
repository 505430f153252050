"""The environment of one activity: runs the function as a worker would, without any server.

Source: temporalio.testing.ActivityEnvironment.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import inspect
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from outlast.activity import ActivityCancellationDetails, Info
from outlast.activity._context import Context, current
from outlast.activity._definition import Definition
from outlast.activity._latch import Latch
from outlast.client import Client
from outlast.common import MetricMeter, Priority
from outlast.converter import DataConverter, PayloadConverter
from outlast.worker._thread import ThreadCanceller

_P = ParamSpec("_P")
_R = TypeVar("_R")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REQUESTED = ActivityCancellationDetails(cancel_requested=True)
_INFO = Info(
    activity_id="test",
    activity_type="unknown",
    attempt=1,
    current_attempt_scheduled_time=_EPOCH,
    heartbeat_details=[],
    heartbeat_timeout=None,
    is_local=False,
    namespace="default",
    schedule_to_close_timeout=timedelta(seconds=1),
    scheduled_time=_EPOCH,
    start_to_close_timeout=timedelta(seconds=1),
    started_time=_EPOCH,
    task_queue="test",
    task_token=b"test",
    workflow_id="test",
    workflow_namespace="default",
    workflow_run_id="test-run",
    workflow_type="test",
    priority=Priority.default,
    retry_policy=None,
)


class ActivityEnvironment:
    """Runs activity functions as if in a worker.

    Attributes:
        info: what ``activity.info()`` answers; replace it to change it, ``dataclasses.replace(env.info, attempt=2)``.
        on_heartbeat: called with the details of every heartbeat.
        payload_converter: what ``activity.payload_converter()`` answers.
        metric_meter: what ``activity.metric_meter()`` writes to.
    """

    def __init__(self, client: Client | None = None) -> None:
        """``client`` is what ``activity.client()`` answers in ``async def`` activities."""
        self.info = ActivityEnvironment.default_info()
        self.on_heartbeat: Callable[..., None] = lambda *details: None
        self.payload_converter: PayloadConverter = DataConverter.default.payload_converter
        self.metric_meter: MetricMeter = MetricMeter.noop
        self._client = client
        self._running: set[_Running] = set()
        self._cancellation: ActivityCancellationDetails | None = None
        self._shut_down = False

    @staticmethod
    def default_info() -> Info:
        """The ``info`` of a new environment."""
        return dataclasses.replace(_INFO)

    def cancel(self, cancellation_details: ActivityCancellationDetails = _REQUESTED) -> None:
        """Cancel the activities that run and those that will; only the first call counts.

        An ``async def`` activity gets ``asyncio.CancelledError``, one in a thread ``exceptions.CancelledError``, unless
        it was defined with ``no_thread_cancel_exception``.
        """
        if self._cancellation is not None:
            return
        self._cancellation = cancellation_details
        for running in list(self._running):
            running.cancel(cancellation_details)

    def worker_shutdown(self) -> None:
        """Tell the activities that the worker stops; it does not cancel them."""
        self._shut_down = True
        for running in list(self._running):
            running.context.worker_shutdown.set()

    def run(self, fn: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the activity function.

        Args:
            fn: with or without ``@activity.defn``; ``async def`` functions are to be awaited, others run in this
                thread.

        Returns:
            What the function returns.
        """
        definition = Definition.from_callable(fn)
        call = fn if inspect.isroutine(fn) else fn.__call__  # type: ignore[operator]
        is_async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call)
        raises = not is_async and not (definition is not None and definition.no_thread_cancel_exception)
        running = _Running(self, is_async, ThreadCanceller() if raises else None)
        if is_async:
            return running.in_loop(fn, args, kwargs)  # type: ignore[return-value]
        result: _R = running.in_this_thread(fn, args, kwargs)
        return result


class _Running:
    """One call of an activity function."""

    def __init__(self, env: ActivityEnvironment, is_async: bool, canceller: ThreadCanceller | None) -> None:
        self._env = env
        self._canceller = canceller
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.context = Context(
            info=lambda: env.info,
            worker_shutdown=Latch(),
            payload_converter=env.payload_converter,
            is_async=is_async,
            meter=env.metric_meter,
            client=env._client if is_async else None,
            heartbeat=lambda *details: env.on_heartbeat(*details),
            shield=canceller.shield if canceller is not None else nullcontext,
        )

    def _begin(self) -> None:
        self._env._running.add(self)
        if self._env._shut_down:
            self.context.worker_shutdown.set()
        if self._env._cancellation is not None:
            self.cancel(self._env._cancellation)

    async def in_loop(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        context = contextvars.copy_context()
        context.run(current.set, self.context)
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(fn(*args, **kwargs), context=context)
        self._begin()
        try:
            return await self._task
        finally:
            self._env._running.discard(self)

    def in_this_thread(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        def call() -> Any:
            current.set(self.context)
            if self._canceller is None:
                return fn(*args, **kwargs)
            return self._canceller.run(lambda: fn(*args, **kwargs), ())

        self._begin()
        try:
            return contextvars.copy_context().run(call)
        finally:
            self._env._running.discard(self)

    def cancel(self, details: ActivityCancellationDetails) -> None:
        """Called in any thread."""
        self.context.cancellation = details
        if self._loop is None:
            self.context.cancelled.set()
            if self._canceller is not None:
                self._canceller.cancel()
            return
        self._loop.call_soon_threadsafe(self._cancel_task)

    def _cancel_task(self) -> None:
        self.context.cancelled.set()
        if self._task is not None:
            self._task.cancel()
