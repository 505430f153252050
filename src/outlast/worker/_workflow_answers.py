"""One workflow task: find its run, run the workflow's code, tell the server.

Rule: workflow code runs inline in the event loop, because an activation is synchronous and takes about 100 us. A run
that failed a task, that is closed, or whose completion the server did not take, is thrown away: the next task starts
from event 1.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from outlast.api.enums.v1 import (
    QUERY_RESULT_TYPE_FAILED,
    WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE,
    WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    WorkflowTaskFailedCause,
)
from outlast.api.failure.v1 import Failure
from outlast.api.taskqueue.v1 import StickyExecutionAttributes
from outlast.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
)
from outlast.common import HeaderCodecBehavior
from outlast.converter import StorageDriverWorkflowInfo
from outlast.converter._stored_payloads import StoredPayloads
from outlast.replay import HistoryGap, Run, RunConfig
from outlast.service import RPCError, RPCStatusCode
from outlast.vocab.limits import WORKER_CACHE_BYTES_MAX

from . import _codec, _history
from ._codec import Answer
from ._codec_contexts import RunCodecs
from ._config import Link, Settings
from ._deadlock import DeadlockError, Watchdog
from ._eager import EagerActivities
from ._local_activities import LocalActivities
from ._payload_sizes import oversized
from ._report import report
from ._resident import Resident
from ._run_cache import RunCache

logger = logging.getLogger("outlast.worker")

# A completion that the server did not get in this time has lost its race against the task's timeout.
_RESPOND_NS = 10_000_000_000

Task = PollWorkflowTaskQueueResponse


class WorkflowAnswers:
    """Answers workflow tasks and queries.

    Attributes:
        stopping: the worker shuts down: ask for no further tasks.
    """

    def __init__(
        self,
        settings: Settings,
        link: Link,
        run_config: RunConfig,
        sticky: StickyExecutionAttributes | None,
        eager: EagerActivities | None,
        local: LocalActivities,
    ) -> None:
        self._settings = settings
        self._link = link
        self._run_config = run_config
        self._sticky = sticky
        self._eager = eager
        self._local = local
        self._watchdog = Watchdog(settings.deadlock_s)
        self._cache: RunCache[Resident] = RunCache(settings.cached_max, WORKER_CACHE_BYTES_MAX)
        self._codec = settings.data_converter._codec
        self._headers = settings.header_codec is not HeaderCodecBehavior.NO_CODEC
        self.stopping = False

    @property
    def cached(self) -> int:
        """How many runs are kept in memory."""
        return len(self._cache)

    def forget_runs(self) -> None:
        """Evict all runs; no task is answered any more."""
        self._cache.clear()
        self._watchdog.stop()

    async def answer(self, task: Task) -> Task | None:
        """Answer a task; returns the run's next one if the reply carries it."""
        began = time.monotonic_ns()
        metrics = self._settings.metrics
        resident = self._cache.take(task.workflow_execution.run_id)
        keep = False
        try:
            cached = resident is not None
            if metrics is not None and not task.HasField("query"):
                metrics.on_workflow_task(task, cached=cached)
            answer: Answer | None = None
            if resident is not None:
                answer = await self._resume(resident, task, began)
                if answer is None:
                    resident.evict()
                    cached = False
            if answer is None:
                resident = Resident(Run(self._run_config), self._local, self._watchdog)
                answer = await self._begin(resident, task, began)
            assert resident is not None
            run = resident.run
            if isinstance(answer, RespondWorkflowTaskCompletedRequest):
                reply = await self._complete(task, answer)
                if reply is None:
                    return None
                if metrics is not None:
                    metrics.on_completed(task, answer, began, run.started_at)
                keep = not run.closed
                if reply.reset_history_event_id:
                    run.rewind(reply.reset_history_event_id)
                return reply.workflow_task if reply.HasField("workflow_task") else None
            if isinstance(answer, RespondQueryTaskCompletedRequest):
                # A cause says that replaying failed, and not just the query.
                keep = cached and not run.closed and not answer.cause
                await self._answer_query(task, answer)
            else:
                if metrics is not None:
                    metrics.on_failed(task, answer)
                await self._fail(task, answer)
            return None
        finally:
            if resident is not None:
                if keep:
                    self._cache.put(resident.run.run_id, resident)
                else:
                    resident.evict()
            if metrics is not None:
                metrics.on_cache(len(self._cache))

    # -- running --------------------------------------------------------------------------------------------------

    async def _resume(self, resident: Resident, task: Task, began: int) -> Answer | None:
        """Run a cached run's code; None when the task does not go on where the run stands."""
        try:
            if task.next_page_token:
                task = await _history.with_all_pages(task, self._link.service, self._settings.namespace)
            return await self._activate(resident, task, began)
        except DeadlockError as error:
            return _failed(task, str(error), error.stack)
        except HistoryGap:
            return None
        except RPCError as error:
            return _failed(task, f"Fetching the workflow's history failed: {error.message}")

    async def _begin(self, resident: Resident, task: Task, began: int) -> Answer:
        """Run a new run's code from event 1 on."""
        try:
            task = await _history.from_the_start(task, self._link.service, self._settings.namespace)
        except RPCError as error:
            return _failed(task, f"Fetching the workflow's history failed: {error.message}")
        try:
            return await self._activate(resident, task, began)
        except DeadlockError as error:
            return _failed(task, str(error), error.stack)
        except HistoryGap as gap:
            return _failed(task, f"The server sent an incomplete history: {gap}")

    def _played(self, run: Run, task: Task, began: int) -> Answer | None:
        """Run the code for a task; None while local activities are to run."""
        replays = not run.run_id and task.previous_started_event_id > 0
        answer = self._watchdog.call(run.activate, task)
        if replays and self._settings.metrics is not None:
            self._settings.metrics.on_replayed(task, began)
        return answer

    async def _activate(self, resident: Resident, task: Task, began: int) -> Answer:
        run = resident.run
        codec = self._codec
        if codec is None:
            return self._checked(task, self._played(run, task, began) or await resident.finish(began))
        if resident.codecs is None:
            settings = self._settings
            if isinstance(codec, StoredPayloads):
                codec = codec.for_target(self._owner(task), settings.storage_calls)
            resident.codecs = RunCodecs.for_task(codec, settings.namespace, task, settings.task_queue)
        codecs = resident.codecs
        try:
            decoded = await _codec.decode_task(task, codecs, self._headers)
        except HistoryGap:
            raise
        except Exception as error:
            return self._failed_by(task, "Failed decoding the workflow task", error)
        answer = self._played(run, decoded, began) or await resident.finish(began)
        try:
            return self._checked(task, await _codec.encode_answer(answer, codecs, self._headers))
        except Exception as error:
            return self._failed_by(task, "Failed encoding the completion of the workflow task", error)

    def _owner(self, task: Task) -> StorageDriverWorkflowInfo:
        execution = task.workflow_execution
        return StorageDriverWorkflowInfo(
            namespace=self._settings.namespace,
            id=execution.workflow_id,
            run_id=execution.run_id,
            type=task.workflow_type.name,
        )

    def _checked(self, task: Task, answer: Answer) -> Answer:
        """The answer, or a failure when it has payloads that no server takes."""
        if not self._settings.check_payload_sizes or not isinstance(answer, RespondWorkflowTaskCompletedRequest):
            return answer
        problem = oversized(answer)
        if problem is None:
            return answer
        return RespondWorkflowTaskFailedRequest(
            cause=WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE, failure=_application_failure(problem)
        )

    def _failed_by(self, task: Task, what: str, error: Exception) -> Answer:
        logger.warning("%s of %s", what, described(task), exc_info=error)
        return _failed(task, f"{what}: {error}")

    # -- responding -----------------------------------------------------------------------------------------------

    async def _complete(
        self, task: Task, answer: RespondWorkflowTaskCompletedRequest
    ) -> RespondWorkflowTaskCompletedResponse | None:
        """Report the commands; None when the server did not take them."""
        answer.task_token = task.task_token
        answer.identity = self._settings.identity
        answer.namespace = self._settings.namespace
        versioning = self._settings.versioning
        versioning.on_report(answer)
        if not answer.versioning_behavior:
            answer.versioning_behavior = versioning.behavior.value
        answer.return_new_workflow_task = not self.stopping
        answer.capabilities.discard_speculative_workflow_task_with_events = True
        if self._sticky is not None and not self.stopping:
            answer.sticky_attributes.CopyFrom(self._sticky)
        eager = self._eager
        reserved = 0 if eager is None else eager.reserve(answer.commands, stopping=self.stopping)
        try:
            reply: RespondWorkflowTaskCompletedResponse = await report(
                self._link.service.respond_workflow_task_completed, answer, _deadline()
            )
            if eager is not None and reply.activity_tasks:
                reserved -= eager.start(reply.activity_tasks)
            return reply
        except RPCError as error:
            _log_refusal(task, "completion", error)
            return None
        finally:
            if eager is not None:
                eager.give_back(reserved)

    async def _fail(self, task: Task, answer: RespondWorkflowTaskFailedRequest) -> None:
        logger.warning(
            "Failed workflow task of %s, attempt %d, cause %s: %s\n%s",
            described(task),
            task.attempt,
            WorkflowTaskFailedCause.Name(answer.cause),
            answer.failure.message,
            answer.failure.stack_trace.replace("\n\n", "\n").rstrip(),
        )
        if task.attempt > 1:
            return  # left to its timeout, whose growth is the backoff between attempts
        answer.task_token = task.task_token
        answer.identity = self._settings.identity
        answer.namespace = self._settings.namespace
        self._settings.versioning.on_report(answer)
        try:
            await report(self._link.service.respond_workflow_task_failed, answer, _deadline())
        except RPCError as error:
            _log_refusal(task, "failure", error)

    async def _answer_query(self, task: Task, answer: RespondQueryTaskCompletedRequest) -> None:
        answer.task_token = task.task_token
        answer.namespace = self._settings.namespace
        try:
            await report(self._link.service.respond_query_task_completed, answer, _deadline())
        except RPCError as error:
            _log_refusal(task, "query answer", error)


def described(task: Task) -> str:
    """The run of a task, for messages."""
    execution = task.workflow_execution
    return f"workflow {execution.workflow_id!r} of type {task.workflow_type.name!r}, run {execution.run_id}"


def _deadline() -> Callable[[], int]:
    at = time.monotonic_ns() + _RESPOND_NS
    return lambda: at


def _log_refusal(task: Task, what: str, error: RPCError) -> None:
    level = logging.DEBUG if error.status is RPCStatusCode.NOT_FOUND else logging.WARNING
    logger.log(
        level, "The server did not take the %s of %s: %s: %s", what, described(task), error.status.name, error.message
    )


def _failed(task: Task, message: str, stack: str = "") -> Answer:
    failure = _application_failure(message)
    failure.stack_trace = stack
    cause = WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    if task.HasField("query"):
        return RespondQueryTaskCompletedRequest(
            completed_type=QUERY_RESULT_TYPE_FAILED, error_message=message, failure=failure, cause=cause
        )
    return RespondWorkflowTaskFailedRequest(cause=cause, failure=failure)


def _application_failure(message: str) -> Failure:
    failure = Failure(message=message)
    failure.application_failure_info.SetInParent()
    return failure
