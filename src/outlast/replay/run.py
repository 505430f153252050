"""Run: one cached workflow run, from workflow task to completion. What the worker talks to.

Rule: a run that has failed a workflow task is of no further use: its code may have stopped anywhere. The worker throws
it away, and the next task builds a new one from the first event on.
"""

from __future__ import annotations

from collections.abc import Sequence

from outlast.api.enums.v1 import (
    QUERY_RESULT_TYPE_FAILED,
    VERSIONING_BEHAVIOR_UNSPECIFIED,
    WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
)
from outlast.api.failure.v1 import ApplicationFailureInfo, Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)
from outlast.exceptions import ApplicationError
from outlast.vocab.times import from_duration, from_timestamp
from outlast.workflow import NondeterminismError
from outlast.workflow._definition import Definition

from .config import RunConfig
from .context import RunContext
from .cutter import cut
from .local_work import LocalOutcome, LocalTask
from .nondeterminism import Nondeterminism
from .nouns import Nouns
from .player import Player
from .runtime import WorkflowRuntime
from .started import Beginning
from .workflow_loop import WorkflowLoop

Answer = RespondWorkflowTaskCompletedRequest | RespondWorkflowTaskFailedRequest | RespondQueryTaskCompletedRequest

_LEGACY_QUERY = ""


class HistoryGap(Exception):
    """The task's history does not go on where this run stands: fetch all of it and begin a new run."""


class Run:
    """One workflow run in memory.

    Attributes:
        run_id: empty until the first task.
    """

    def __init__(self, config: RunConfig) -> None:
        self.run_id = ""
        self._config = config
        self._context: RunContext
        self._nouns: Nouns
        self._player: Player | None = None
        self._task: PollWorkflowTaskQueueResponse
        self._broken = False

    @property
    def closed(self) -> bool:
        """Whether nothing more can come but queries: the code has closed the run, or history says so."""
        player = self._player
        return player is not None and (player.closed or self._context.ledger.is_closing)

    @property
    def started_at(self) -> int:
        """When the run began, in ns since the epoch."""
        return from_timestamp(self._context.beginning.event.event_time)

    @property
    def history_bytes(self) -> int:
        """Of the history up to the last task, as the server says; 0 before the first and from servers that do not."""
        return 0 if self._player is None else self._player.history_bytes

    def activate(self, task: PollWorkflowTaskQueueResponse) -> Answer | None:
        """Run the workflow's code for a workflow task.

        Args:
            task: with payloads decoded and all pages of its history. From event 1 on for a new run; from where the
                last task ended, or anything earlier, for one that has run before; empty for a query alone.

        Returns:
            The completion, or the failure of the task, or the answer when ``task.query`` is set; without task token,
            identity and whatever else is the worker's. None while local activities are to run or running: see
            ``local_work``, ``resolve`` and ``heartbeat``.

        Raises:
            HistoryGap: the history starts later than this run stands.
        """
        assert not self._broken, f"run {self.run_id} has failed a workflow task and must be thrown away"
        events = self._unseen(task)
        self._task = task
        try:
            self._play(task, events)
            return self._answer_if_done()
        except Exception as error:
            self._broken = True
            return self._failed(task, error)

    # -- local activities -----------------------------------------------------------------------------------------

    @property
    def task_timeout_ns(self) -> int:
        """Of one workflow task."""
        return from_duration(self._context.beginning.attributes.workflow_task_timeout)

    def local_work(self) -> tuple[Sequence[LocalTask], Sequence[int]]:
        """What the worker has to run now, and the numbers of what it has to cancel."""
        return self._nouns.local_activities.take_work()

    def resolve(self, outcomes: Sequence[LocalOutcome]) -> Answer | None:
        """Go on with what local activities brought, in the workflow task that ``activate`` began."""
        assert not self._broken
        try:
            for outcome in outcomes:
                self._nouns.local_activities.resolve(outcome)
            self._started().activate_until_quiet()
            return self._answer_if_done()
        except Exception as error:
            self._broken = True
            return self._failed(self._task, error)

    def heartbeat(self) -> RespondWorkflowTaskCompletedRequest:
        """A completion with what there is, which asks for the next task: local activities go on meanwhile."""
        answer = self._answer(self._task)
        assert isinstance(answer, RespondWorkflowTaskCompletedRequest), "a query waits for nothing"
        answer.force_create_new_workflow_task = True
        return answer

    def _answer_if_done(self) -> Answer | None:
        waits = self._nouns.local_activities.outstanding and not self.closed
        return None if waits and not self._task.HasField("query") else self._answer(self._task)

    def rewind(self, started_event_id: int) -> None:
        """The server dropped the task that was just completed, which had delivered nothing but rejected updates.

        Args:
            started_event_id: ``reset_history_event_id`` of the reply to the completion.
        """
        player = self._started()
        player.started_event_id = started_event_id
        # Scheduled and started events of the dropped task.
        player.last_event_id -= 2
        self._context.ledger.forget_after(player.last_event_id)

    def evict(self) -> None:
        """Unwind the workflow's code and let go of it. Calls of the SDK out of ``finally`` blocks have no effect."""
        player, self._player = self._player, None
        if player is None:
            return
        context, nouns = self._context, self._nouns
        context.mode.evicting = context.mode.replaying = True
        context.loop.unwind()
        # The parts of a run know each other in circles. Cut here, nothing of it waits for the garbage collector.
        nouns.handlers.built_in.clear()
        context.loop.let_go()
        context.let_go()
        for part in (player, nouns):
            vars(part).clear()
        del self._context, self._nouns

    # -- intake ---------------------------------------------------------------------------------------------------

    def _unseen(self, task: PollWorkflowTaskQueueResponse) -> list[HistoryEvent]:
        seen = self._player.last_event_id if self._player else 0
        events = list(task.history.events)
        if events and events[0].event_id <= seen:
            events = [event for event in events if event.event_id > seen]
        if events and events[0].event_id != seen + 1:
            raise HistoryGap(f"history goes on at event {events[0].event_id}, this run stands at event {seen}")
        if not events and self._player is None:
            raise HistoryGap("the task has no history and this run has none either")
        return events

    def _play(self, task: PollWorkflowTaskQueueResponse, events: list[HistoryEvent]) -> None:
        if self._player is None:
            self._begin(task, events[0])
        player, context = self._started(), self._context
        context.mode.replaying = task.previous_started_event_id > 0
        player.previous_started_event_id = task.previous_started_event_id
        if task.messages:
            self._nouns.updates.receive(task.messages)
        if not player.closed:
            for one in cut(events):
                if context.instance is None and one.events[0].event_id == 1:
                    context.beginning.first_task_ns = max(from_timestamp(event.event_time) for event in one.events)
                    self._nouns.execution.prepare()
                player.play(one)
        context.mode.replaying = False

    def _begin(self, task: PollWorkflowTaskQueueResponse, started: HistoryEvent) -> None:
        self.run_id = task.workflow_execution.run_id
        definition = self._definition(started.workflow_execution_started_event_attributes.workflow_type.name)
        loop = WorkflowLoop()  # type: ignore[abstract]  # asyncio's own loops leave out methods, too
        context = self._context = RunContext(
            self._config, definition, Beginning(task.workflow_execution, started), loop
        )
        loop.context, loop.now_ns = context, from_timestamp(started.event_time)
        loop.guard = self._config.guards.get(definition.name)
        nouns = self._nouns = Nouns(context)
        runtime = WorkflowRuntime(context, nouns)
        loop.workflow_runtime, loop.timers = runtime, nouns.timers
        # With the runtime in place, because interceptors may ask for workflow.info() when they are made.
        with loop.entered():
            nouns.chain_interceptors(context)
        self._player = Player(context, nouns, runtime)

    def _definition(self, workflow_type: str) -> Definition:
        definitions = self._config.definitions
        definition = definitions.get(workflow_type) or definitions.get(None)
        if definition is None:
            known = ", ".join(sorted(name for name in definitions if name)) or "none"
            raise ApplicationError(
                f"Workflow class {workflow_type} is not registered on this worker of task queue "
                f"{self._config.task_queue!r}, available workflows: {known}",
                type="NotFoundError",
            )
        return definition

    def _started(self) -> Player:
        assert self._player is not None, "the first task begins the run"
        return self._player

    # -- answers --------------------------------------------------------------------------------------------------

    def _answer(self, task: PollWorkflowTaskQueueResponse) -> Answer:
        queries = self._nouns.queries
        if task.HasField("query"):
            queries.ask(_LEGACY_QUERY, task.query)
            self._started().answer_queries()
            result = queries.results.pop(_LEGACY_QUERY)
            return RespondQueryTaskCompletedRequest(
                completed_type=result.result_type,
                query_result=result.answer if result.HasField("answer") else None,
                error_message=result.error_message,
                failure=result.failure if result.HasField("failure") else None,
            )
        context = self._context
        if context.ledger.is_closing:
            self._nouns.handlers.warn_of_unfinished()
        messages, context.ledger.messages = context.ledger.messages, []
        completed = RespondWorkflowTaskCompletedRequest(
            commands=context.ledger.commands(),
            messages=messages,
            sdk_metadata=context.flags.for_completion(self._config.sdk_name, self._config.sdk_version),
        )
        if context.settings.versioning_behavior.value != VERSIONING_BEHAVIOR_UNSPECIFIED:
            completed.versioning_behavior = context.settings.versioning_behavior.value
        if task.queries:
            for query_id, query in task.queries.items():
                queries.ask(query_id, query)
            self._started().answer_queries()
            for query_id, result in queries.results.items():
                completed.query_results[query_id].CopyFrom(result)
            queries.results = {}
        return completed

    def _failed(self, task: PollWorkflowTaskQueueResponse, error: Exception) -> Answer:
        failure, cause = self._failure_of(error)
        if task.HasField("query"):
            return RespondQueryTaskCompletedRequest(
                completed_type=QUERY_RESULT_TYPE_FAILED, error_message=failure.message, failure=failure, cause=cause
            )
        if isinstance(error, Nondeterminism) and self._player is not None and self._fails_workflow():
            self._nouns.closing.fail(NondeterminismError(str(error)))
            return RespondWorkflowTaskCompletedRequest(commands=self._context.ledger.commands()[-1:])
        return RespondWorkflowTaskFailedRequest(cause=cause, failure=failure)

    def _fails_workflow(self) -> bool:
        types = (*(self._context.settings.failure_exception_types or ()), *self._config.failure_exception_types)
        return any(issubclass(NondeterminismError, one) for one in types)

    def _failure_of(self, error: Exception) -> tuple[Failure, int]:
        if isinstance(error, Nondeterminism):
            return (
                Failure(
                    message=str(error), application_failure_info=ApplicationFailureInfo(type="NondeterminismError")
                ),
                WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
            )
        failure = Failure()
        try:
            self._config.failure_converter.to_failure(error, self._config.payload_converter, failure)
        except Exception as broken:
            failure = Failure(message=f"Failed converting activation exception: {broken}")
            failure.application_failure_info.SetInParent()
        return failure, WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
