"""Activity tasks of one worker: polls, slots, attempts and their reports.

Rule: nothing that an activity does ends the worker, except breaking the executor that runs it. A report is tried again
until the attempt's own timeout makes it pointless; during a shutdown, for ten seconds at most.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from typing import Any

from google.protobuf.message import Message

from outlast.activity import ActivityCancellationDetails
from outlast.activity import logger as activity_logger
from outlast.activity._context import CompleteAsyncError
from outlast.activity._definition import Definition
from outlast.activity._latch import Latch
from outlast.api.common.v1 import Payload
from outlast.api.enums.v1 import TASK_QUEUE_KIND_NORMAL
from outlast.api.failure.v1 import Failure
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
)
from outlast.common import HeaderCodecBehavior, MetricMeter
from outlast.converter import (
    PAYLOAD_SIZE_MAX,
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    StorageDriverActivityInfo,
    StorageDriverWorkflowInfo,
)
from outlast.converter._frames import from_users_code
from outlast.exceptions import ApplicationError, ApplicationErrorCategory, PayloadSizeError
from outlast.service import RPCError, RPCStatusCode

from ._attempt import Attempt
from ._attempt_deadline import GRACE_NS
from ._attempt_outcome import Outcome, outcome_of
from ._config import Link, Settings
from ._poller import Poller
from ._process import Processes
from ._rate_limit import RateLimit
from ._registry import names
from ._report import report
from ._slot_suppliers import ActivitySlot, Pool

logger = logging.getLogger("outlast.worker")

_REPORT_AT_SHUTDOWN_NS = 10_000_000_000

Task = PollActivityTaskQueueResponse
Report = RespondActivityTaskCompletedRequest | RespondActivityTaskFailedRequest | RespondActivityTaskCanceledRequest


class ActivityTasks:
    """The activity side of a worker.

    Attributes:
        slots: free ones are lent to eager activities.
        shutdown_latch: set when the worker is told to stop.
        processes: when plain ``def`` activities run in other processes; None for threads.
    """

    def __init__(
        self,
        settings: Settings,
        link: Link,
        definitions: Mapping[str | None, Definition],
        executor: Executor | None,
        meter: MetricMeter,
        fatal: Callable[[BaseException], None],
        slots: Pool,
        processes: Processes | None = None,
    ) -> None:
        self.settings = settings
        self.link = link
        self.interceptors = settings.interceptors
        self.meter = meter
        self.slots = slots
        self.shutdown_latch = Latch()
        self.processes = processes
        self._definitions = definitions
        self._executor = executor
        self._own_executor: ThreadPoolExecutor | None = None
        self._fatal = fatal
        self._attempts: dict[Attempt, asyncio.Task[None]] = {}
        self._give_up_at: int | None = None
        converter = settings.data_converter
        self._contextual = converter.with_context(_probe) is not converter

    # -- polling --------------------------------------------------------------------------------------------------

    def poll_loops(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """One coroutine function per poll that may be open at a time."""
        settings = self.settings
        request = PollActivityTaskQueueRequest(
            namespace=settings.namespace,
            task_queue=TaskQueue(name=settings.task_queue, kind=TASK_QUEUE_KIND_NORMAL),
            identity=settings.identity,
            worker_instance_key=settings.instance_key,
        )
        settings.versioning.on_poll(request)
        if settings.queue_activities_per_second is not None:
            request.task_queue_metadata.max_tasks_per_second.value = settings.queue_activities_per_second
        limit = None
        if settings.activities_per_second is not None:
            limit = RateLimit(settings.activities_per_second, time.monotonic_ns())
        name = f"activity tasks of {settings.task_queue!r} in namespace {settings.namespace!r}"
        poller = Poller(
            name,
            lambda: self.link.service.poll_activity_task_queue(request),
            self.accept,
            self.slots,
            limit,
            settings.activity_scale.make(),
            settings.measuring_polls("activity_task"),
        )
        return [poller.run] * settings.activity_scale.loops

    def accept(self, task: Task) -> None:
        """Run an attempt in a slot that the caller has taken for it."""
        attempt = Attempt(self, task)
        self.slots.use(attempt, lambda: ActivitySlot(task.activity_type.name))
        work = asyncio.get_running_loop().create_task(self._run(attempt))
        if not work.done():  # a loop with eager tasks may have finished it already
            self._attempts[attempt] = work
        self._measure_slots()

    def _measure_slots(self) -> None:
        if self.settings.metrics is not None:
            self.settings.metrics.on_slots("ActivityWorker", len(self._attempts), self.settings.activity_slots)

    # -- attempts -------------------------------------------------------------------------------------------------

    async def _run(self, attempt: Attempt) -> None:
        metrics, began = self.settings.metrics, time.monotonic_ns()
        if metrics is not None:
            metrics.on_attempt(attempt.task)
        try:
            answer: Report | None
            try:
                answer = await attempt.run()
            except CompleteAsyncError:
                answer = None
            except (GeneratorExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                answer = await self._failure(attempt, error)
            if metrics is not None:
                failed = isinstance(answer, RespondActivityTaskFailedRequest)
                succeeded = isinstance(answer, RespondActivityTaskCompletedRequest)
                metrics.on_attempt_ended(attempt.task, began, failed=failed, succeeded=succeeded)
            if attempt.heartbeats is not None:
                if isinstance(answer, RespondActivityTaskFailedRequest):
                    await attempt.heartbeats.stop()  # the report has the newest details
                else:
                    await attempt.heartbeats.flush()
            if answer is not None:
                await self._report(attempt, answer)
        except Exception:
            logger.exception("Attempt of %s was not reported; this is a bug in outlast", _described(attempt.task))
        finally:
            self._attempts.pop(attempt, None)
            self.slots.done(attempt)
            self._measure_slots()

    async def _failure(self, attempt: Attempt, error: BaseException) -> Report | None:
        outcome, reported = outcome_of(error, attempt.cancellation)
        if outcome is Outcome.NOTHING:
            activity_logger.debug("Activity stopped; the server has given this attempt up")
            return None
        token = attempt.task.task_token
        if outcome is Outcome.CANCELED:
            activity_logger.debug("Completing activity as cancelled")
            return RespondActivityTaskCanceledRequest(task_token=token)
        benign = isinstance(reported, ApplicationError) and reported.category is ApplicationErrorCategory.BENIGN
        activity_logger.log(
            logging.DEBUG if benign else logging.WARNING,
            "Completing activity as failed",
            exc_info=(type(reported), reported, from_users_code(reported.__traceback__)),
        )
        if isinstance(error, BrokenExecutor):
            self._fatal(error)
        request = RespondActivityTaskFailedRequest(task_token=token)
        try:
            await attempt.converter.encode_failure(reported, request.failure)
            if attempt.heartbeats is not None:
                details = await attempt.heartbeats.encoded_last()
                if details is not None:
                    request.last_heartbeat_details.CopyFrom(details)
        except Exception as broken:
            activity_logger.exception("The failure of the activity could not be encoded")
            request.failure.CopyFrom(Failure(message=f"Failed building exception result: {broken}"))
            request.failure.application_failure_info.SetInParent()
        return request

    async def _report(self, attempt: Attempt, answer: Report) -> None:
        answer.identity = self.settings.identity
        answer.namespace = self.settings.namespace
        self.settings.versioning.on_report(answer)
        try:
            await report(self._respond(answer), answer, lambda: self._pointless_at(attempt))
        except RPCError as error:
            level = logging.DEBUG if error.status is RPCStatusCode.NOT_FOUND else logging.WARNING
            logger.log(
                level, "The server did not take the report of %s: %s: %s",
                _described(attempt.task), error.status.name, error.message,
            )  # fmt: skip

    def _respond(self, answer: Report) -> Callable[[Message], Awaitable[object]]:
        service = self.link.service
        if isinstance(answer, RespondActivityTaskCompletedRequest):
            return service.respond_activity_task_completed
        if isinstance(answer, RespondActivityTaskFailedRequest):
            return service.respond_activity_task_failed
        return service.respond_activity_task_canceled

    def _pointless_at(self, attempt: Attempt) -> int:
        close_at = attempt.deadline.close_at
        by_timeout = time.monotonic_ns() + _REPORT_AT_SHUTDOWN_NS if close_at is None else close_at + GRACE_NS
        return by_timeout if self._give_up_at is None else min(by_timeout, self._give_up_at)

    # -- what attempts need ---------------------------------------------------------------------------------------

    @property
    def executor(self) -> Executor:
        """Where plain ``def`` activities run; made when first needed, with a thread per slot at most."""
        if self._executor is not None:
            return self._executor
        if self._own_executor is None:
            self._own_executor = ThreadPoolExecutor(self.settings.activity_slots, thread_name_prefix="activity")
        return self._own_executor

    async def tell_of_shutdown(self) -> None:
        """Let running activities know that the worker was told to stop."""
        self.shutdown_latch.set()
        if self.processes is not None:
            await self.processes.stop()

    def definition_of(self, task: Task) -> Definition:
        """The activity to run.

        Raises:
            ApplicationError: there is none of this type here. Another worker may have it, so it is retried.
        """
        name = task.activity_type.name
        definition = self._definitions.get(name) or self._definitions.get(None)
        if definition is None:
            workflow_id = task.workflow_execution.workflow_id
            raise ApplicationError(
                f"Activity function {name}{f' for workflow {workflow_id}' if workflow_id else ''} is not registered on "
                f"this worker of task queue {self.settings.task_queue!r}, available activities: "
                f"{names(self._definitions)}",
                type="NotFoundError",
            )
        return definition

    def converter_for(self, task: Task, *, is_local: bool = False) -> DataConverter:
        """The data converter, with its serialization context if it cares for one."""
        if not self._contextual:
            return self.settings.data_converter
        namespace = task.workflow_namespace or self.settings.namespace
        converter = self.settings.data_converter.with_context(
            ActivitySerializationContext(
                namespace=namespace,
                workflow_id=task.workflow_execution.workflow_id or None,
                workflow_type=task.workflow_type.name or None,
                activity_type=task.activity_type.name,
                activity_id=task.activity_id,
                activity_task_queue=self.settings.task_queue,
                is_local=is_local,
            )
        )
        return converter._for_target(_owner(task, namespace))

    def heartbeat_codec(self, task: Task, converter: DataConverter) -> PayloadCodec | None:
        """What the details of heartbeats go through: they are the activity's own, also where a workflow began it."""
        return converter._for_target(_self(task, task.workflow_namespace or self.settings.namespace))._codec

    async def headers_of(self, task: Task, converter: DataConverter) -> Mapping[str, Payload]:
        """The headers for interceptors, decoded where headers are encoded."""
        fields = task.header.fields
        if self.settings.header_codec is not HeaderCodecBehavior.CODEC or converter.payload_codec is None:
            return fields
        return {key: (await converter.payload_codec.decode([payload]))[0] for key, payload in fields.items()}

    def check_result_size(self, payloads: Sequence[Payload], name: str) -> None:
        """Refuse a result that no server takes.

        Raises:
            PayloadSizeError: it is too large.
        """
        size = sum(len(payload.data) for payload in payloads)
        if size > PAYLOAD_SIZE_MAX and self.settings.check_payload_sizes:
            raise PayloadSizeError(
                f"[TMPRL1103] the result of activity {name!r} takes {size:,} bytes, more than the {PAYLOAD_SIZE_MAX:,} "
                "bytes that a server accepts; return a reference (a key, a path, a URL), or compress it with a payload "
                "codec",
                size=size,
                limit=PAYLOAD_SIZE_MAX,
            )

    # -- shutdown -------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Let attempts finish, cancel them after the grace period, and wait until all are reported. Nothing polls."""
        self._give_up_at = time.monotonic_ns() + int(self.settings.graceful_shutdown.total_seconds() * 1e9)
        self._give_up_at += _REPORT_AT_SHUTDOWN_NS
        if self._attempts:
            await asyncio.wait(list(self._attempts.values()), timeout=self.settings.graceful_shutdown.total_seconds())
        for attempt in list(self._attempts):
            attempt.cancel(ActivityCancellationDetails(worker_shutdown=True))
        while self._attempts:
            await asyncio.wait(list(self._attempts.values()))
        if self._own_executor is not None:
            self._own_executor.shutdown(wait=False)


_probe = ActivitySerializationContext(
    namespace="default",
    workflow_id="workflow",
    workflow_type="Workflow",
    activity_type="activity",
    activity_id="1",
    activity_task_queue="queue",
    is_local=False,
)


def _owner(task: Task, namespace: str) -> StorageDriverActivityInfo | StorageDriverWorkflowInfo:
    """Whose payloads an attempt handles: its workflow's, or its own where there is none."""
    run = task.workflow_execution
    if run.workflow_id:
        return StorageDriverWorkflowInfo(
            namespace=namespace, id=run.workflow_id, run_id=run.run_id, type=task.workflow_type.name
        )
    return _self(task, namespace)


def _self(task: Task, namespace: str) -> StorageDriverActivityInfo:
    return StorageDriverActivityInfo(
        namespace=namespace, id=task.activity_id, run_id=task.activity_run_id or None, type=task.activity_type.name
    )


def _described(task: Task) -> str:
    workflow_id = task.workflow_execution.workflow_id
    whose = f"of workflow {workflow_id!r}" if workflow_id else "of no workflow"
    return f"activity {task.activity_id!r} of type {task.activity_type.name!r}, attempt {task.attempt}, {whose}"
