"""One attempt of an activity: decode, run, report.

Rule: one asyncio task per attempt. What an attempt rarely needs (info, heartbeats, interceptors, threads) is made when
it is first needed.

    running --user code ends--> done --report--> gone
       ^ cancel() interrupts it     ^ cancel() has no effect any more
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from outlast.activity import ActivityCancellationDetails, Info
from outlast.activity._context import Context, current
from outlast.activity._definition import Definition
from outlast.api.common.v1 import Payload, Payloads
from outlast.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCompletedRequest,
)
from outlast.common import RawValue
from outlast.converter import DataConverter, result_to_payloads
from outlast.exceptions import ApplicationError
from outlast.vocab.times import from_duration

from ._activity_info import info_of
from ._attempt_deadline import AttemptDeadline
from ._heartbeat_throttle import Throttle, throttle_interval
from ._heartbeats import Heartbeats
from ._interceptor import ActivityInboundInterceptor, ActivityOutboundInterceptor, ExecuteActivityInput
from ._process import Parcel, Processes, ProcessSignals
from ._process import run as run_in_process
from ._thread import ThreadCanceller

if TYPE_CHECKING:
    from ._activity_tasks import ActivityTasks

logger = logging.getLogger("outlast.worker")


class Attempt:
    """One attempt that this worker runs.

    Attributes:
        cancellation: why it is to stop; None while it is not.
        deadline: when the worker gives it up by itself.
        heartbeats: None until the first.
    """

    __slots__ = (
        "_canceller",
        "_context",
        "_done",
        "_info",
        "_loop",
        "_signals",
        "_task",
        "_timer",
        "cancellation",
        "converter",
        "deadline",
        "heartbeat_details",
        "heartbeats",
        "task",
        "worker",
    )

    is_local: ClassVar[bool] = False

    def __init__(self, worker: ActivityTasks, task: PollActivityTaskQueueResponse) -> None:
        self.worker = worker
        self.task = task
        self.converter: DataConverter = worker.converter_for(task, is_local=self.is_local)
        self.deadline = AttemptDeadline(task, time.monotonic_ns())
        self.heartbeats: Heartbeats | None = None
        self.heartbeat_details: Sequence[Any] = ()
        self.cancellation: ActivityCancellationDetails | None = None
        self._info: Info | None = None
        self._context: Context | None = None
        self._canceller: ThreadCanceller | None = None
        self._signals: ProcessSignals | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._done = False
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[Any] | None = None

    # -- running --------------------------------------------------------------------------------------------------

    async def run(self) -> RespondActivityTaskCompletedRequest:
        """Run the activity's code; returns the report of its success, without identity and namespace.

        Raises:
            BaseException: whatever the code raised; ``CompleteAsyncError`` when the result comes later.
        """
        payloads = await self.result()
        if self.converter._codec is not None:
            payloads = await self.converter._codec.encode(payloads)
        self.worker.check_result_size(payloads, self.task.activity_type.name)
        return RespondActivityTaskCompletedRequest(task_token=self.task.task_token, result=Payloads(payloads=payloads))

    async def result(self) -> list[Payload]:
        """Run the activity's code; returns what it returned, converted and not encoded.

        Raises:
            BaseException: as ``run``.
        """
        self._task = asyncio.current_task()
        self._watch()
        try:
            result = await self._execute()
        finally:
            # From here on a cancel must not interrupt the report.
            self._done = True
            self._end()
        target = f"activity {self.task.activity_type.name!r}"
        return result_to_payloads(self.converter.payload_converter, result, target)

    def _end(self) -> None:
        """The code has ended: let go of what knows this attempt, so that nothing waits for the garbage collector."""
        if self._timer is not None:
            self._timer.cancel()
        if self.cancellation is not None and self._task is not None:
            while self._task.cancelling():
                self._task.uncancel()
        self._timer = self._task = self._context = None

    async def _execute(self) -> Any:
        definition = self.worker.definition_of(self.task)
        args = await self._arguments(definition)
        if self.task.HasField("heartbeat_details") and self.task.heartbeat_details.payloads:
            self.heartbeat_details = await self._details()
        is_async = definition.is_async
        if not is_async and not definition.no_thread_cancel_exception and self.worker.processes is None:
            self._canceller = ThreadCanceller()
        self._context = context = Context(
            info=self.info,
            worker_shutdown=self.worker.shutdown_latch,
            payload_converter=self.converter.payload_converter,
            is_async=is_async,
            meter=self.worker.meter,
            client=self.worker.link.client if is_async else None,
            heartbeat=self.heartbeat if is_async else self._heartbeat_from_thread,
            shield=None if self._canceller is None else self._canceller.shield,
        )
        current.set(context)
        if self.cancellation is not None:
            context.cancellation = self.cancellation
            context.cancelled.set()
        if self.worker.interceptors:
            return await self._intercepted(context, definition, args)
        if is_async:
            return await definition.fn(*args)
        return await self._in_thread(definition.fn, args)

    async def _intercepted(self, context: Context, definition: Definition, args: Sequence[Any]) -> Any:
        record, context.heartbeat = context.heartbeat, None
        assert record is not None
        chain: ActivityInboundInterceptor = _InboundEnd(self, context, definition)
        for interceptor in reversed(self.worker.interceptors):
            chain = interceptor.intercept_activity(chain)
        chain.init(_OutboundEnd(self, record))
        return await chain.execute_activity(
            ExecuteActivityInput(
                fn=definition.fn,
                args=args,
                executor=None if definition.is_async else self.worker.executor,
                headers=await self._headers(),
            )
        )

    async def _in_process(self, processes: Processes, fn: Callable[..., Any], args: Sequence[Any]) -> Any:
        worker, info, manager = self.worker, self.info(), processes.manager
        shutdown = await processes.shutdown_event()
        self._signals = signals = await asyncio.to_thread(ProcessSignals, manager)
        sender = await manager.register_heartbeater(info.task_token, self._heartbeat_from_thread)
        try:
            if self.cancellation is not None:
                await asyncio.to_thread(signals.cancel, self.cancellation)
            parcel = Parcel(
                fn, args, info, sender, signals.cancelled, signals.reasons, shutdown,
                worker.settings.data_converter.payload_converter_class,
            )  # fmt: skip
            return await self._loop.run_in_executor(worker.executor, run_in_process, parcel)
        finally:
            self._signals = None
            await manager.unregister_heartbeater(info.task_token)
            # What came in through the thread of the queue is waiting in the event loop.
            await asyncio.sleep(0)

    async def _headers(self) -> Mapping[str, Payload]:
        return await self.worker.headers_of(self.task, self.converter)

    async def _in_thread(self, fn: Callable[..., Any], args: Sequence[Any]) -> Any:
        if self.worker.processes is not None:
            return await self._in_process(self.worker.processes, fn, args)
        # The thread sees what this task's context sees, the running activity among it.
        context = contextvars.copy_context()
        if self._canceller is not None:
            return await self._loop.run_in_executor(self.worker.executor, context.run, self._canceller.run, fn, args)
        return await self._loop.run_in_executor(self.worker.executor, context.run, fn, *args)

    # -- input ----------------------------------------------------------------------------------------------------

    async def _arguments(self, definition: Definition) -> Sequence[Any]:
        payloads = self.task.input.payloads
        try:
            hints: Any = definition.arg_types
            if definition.name is None:
                hints = [RawValue] * len(payloads)
            elif hints is not None and len(hints) != len(payloads):
                hints = None
            args = await self._decoded(payloads, hints) if payloads else []
        except Exception as error:
            raise ApplicationError(f"Failed decoding arguments of activity {self.task.activity_type.name}") from error
        return [args] if definition.name is None else args

    async def _details(self) -> Sequence[Any]:
        try:
            return await self._decoded(self.task.heartbeat_details.payloads, None)
        except Exception as error:
            raise ApplicationError("Failed decoding heartbeat details", non_retryable=True) from error

    async def _decoded(self, payloads: Sequence[Payload], hints: Any) -> Sequence[Any]:
        if self.converter._codec is None:
            return self.converter.payload_converter.from_payloads(payloads, hints)
        return await self.converter.decode(payloads, hints)

    # -- what activity code calls ---------------------------------------------------------------------------------

    def info(self) -> Info:
        """The facts of this attempt."""
        if self._info is None:
            settings = self.worker.settings
            self._info = info_of(
                self.task,
                namespace=settings.namespace,
                task_queue=settings.task_queue,
                heartbeat_details=self.heartbeat_details,
                is_local=self.is_local,
            )
        return self._info

    def heartbeat(self, *details: Any) -> None:
        """Record a heartbeat, in the event loop."""
        self._record(self._converted(details))

    def _heartbeat_from_thread(self, *details: Any) -> None:
        self._loop.call_soon_threadsafe(self._record, self._converted(details))

    def _converted(self, details: Sequence[Any]) -> Sequence[Payload]:
        # At once, because the caller may change what it passed.
        return self.converter.payload_converter.to_payloads(details) if details else ()

    def _record(self, details: Sequence[Payload]) -> None:
        if self._done:
            return
        self.deadline.heard_at = time.monotonic_ns()
        if self.heartbeats is None:
            worker, settings = self.worker, self.worker.settings
            interval = throttle_interval(
                from_duration(self.task.heartbeat_timeout), settings.heartbeat_default_ns, settings.heartbeat_longest_ns
            )
            request = RecordActivityTaskHeartbeatRequest(
                task_token=self.task.task_token, identity=settings.identity, namespace=settings.namespace
            )
            codec = worker.heartbeat_codec(self.task, self.converter)
            self.heartbeats = Heartbeats(worker.link, request, Throttle(interval), codec, self.cancel)
        self.heartbeats.record(details)

    # -- cancellation ---------------------------------------------------------------------------------------------

    def cancel(self, reason: ActivityCancellationDetails) -> None:
        """Ask the activity's code to stop; only the first reason counts."""
        if self.cancellation is not None or self._done:
            return
        self.cancellation = reason
        context = self._context
        if context is not None:
            context.cancellation = reason
            context.cancelled.set()
            if not context.is_async:
                if self._canceller is not None:
                    self._canceller.cancel()
                if self._signals is not None:
                    self._loop.run_in_executor(None, self._signals.cancel, reason)
                return
        if self._task is not None:
            self._task.cancel("Activity cancelled")

    def _watch(self) -> None:
        at = self.deadline.next_at()
        if at is not None:
            self._timer = self._loop.call_later((at - time.monotonic_ns()) / 1e9, self._on_deadline)

    def _on_deadline(self) -> None:
        at = self.deadline.next_at()
        if at is not None and at > time.monotonic_ns():
            self._watch()  # heartbeats have moved it
            return
        self._timer = None
        self.cancel(ActivityCancellationDetails(timed_out=True))


class _InboundEnd(ActivityInboundInterceptor):
    """The end of the inbound chain: runs the function."""

    def __init__(self, attempt: Attempt, context: Context, definition: Definition) -> None:
        self._attempt = attempt
        self._context = context
        self._definition = definition

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._context.info = outbound.info
        self._context.heartbeat = outbound.heartbeat

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if self._definition.is_async:
            return await input.fn(*input.args)
        return await self._attempt._in_thread(input.fn, input.args)


class _OutboundEnd(ActivityOutboundInterceptor):
    """The end of the outbound chain: answers from the attempt."""

    def __init__(self, attempt: Attempt, record: Callable[..., None]) -> None:
        self._attempt = attempt
        self._record = record

    def info(self) -> Info:
        return self._attempt.info()

    def heartbeat(self, *details: Any) -> None:
        self._record(*details)
