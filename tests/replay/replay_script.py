"""A server of sixty lines: turns a run's commands into events, so that tests can play both sides of a workflow.

``Script`` keeps one history. ``task()`` runs a workflow task on a cached run (sticky), ``replay()`` hands the whole
history to a new one. Methods like ``complete_activity`` add what a server would add between tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import Command
from outlast.api.common.v1 import Payloads, WorkflowExecution, WorkflowType
from outlast.api.failure.v1 import ApplicationFailureInfo, Failure
from outlast.api.history.v1 import History, HistoryEvent
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.api.query.v1 import WorkflowQuery
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.api.update.v1 import Acceptance, Input, Meta, Request, Response
from outlast.api.workflowservice.v1 import (
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
)
from outlast.converter import PayloadConverter
from outlast.replay import Run, RunConfig
from outlast.vocab.attributes import COMMAND_FIELD, EVENT_FIELD
from outlast.workflow._definition import Definition

RUN_ID = "3ba2a8ee-9d9b-4b2f-8f3f-9a3b0c8d9e10"
START_NS = 1_700_000_000_000_000_000

# Command type -> the event that records it, with the fields that both have copied over by name.
RECORDS = {
    e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    e.COMMAND_TYPE_START_TIMER: e.EVENT_TYPE_TIMER_STARTED,
    e.COMMAND_TYPE_CANCEL_TIMER: e.EVENT_TYPE_TIMER_CANCELED,
    e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    e.COMMAND_TYPE_RECORD_MARKER: e.EVENT_TYPE_MARKER_RECORDED,
    e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: (
        e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
    ),
}


def payloads(*values: Any) -> Payloads:
    return Payloads(payloads=PayloadConverter.default.to_payloads(values))


def values(message: Payloads) -> list[Any]:
    return PayloadConverter.default.from_payloads(message.payloads)


class Script:
    """One workflow, its history and its cached run.

    Attributes:
        events: the history so far.
        completions: what the run answered, task by task.
        local: plays the worker while local activities keep a task waiting; answers what the run then answers.
    """

    def __init__(self, workflow: type, *args: Any, started: Mapping[str, Any] | None = None, **config: Any) -> None:
        definition = Definition.must_from_class(workflow)
        self.config = RunConfig(
            namespace="default", task_queue="queue", definitions={definition.name: definition}, **config
        )
        self.workflow_type = definition.name or "anything"
        self.events: list[HistoryEvent] = []
        self.completions: list[RespondWorkflowTaskCompletedRequest] = []
        self.now_ns = START_NS
        self.run = Run(self.config)
        self.local: Callable[[Run], Any] | None = None
        self._seen = self._previous_started = 0
        self.add(
            e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
            workflow_type=WorkflowType(name=self.workflow_type),
            task_queue=TaskQueue(name="queue"),
            input=payloads(*args) if args else None,
            original_execution_run_id=RUN_ID,
            first_execution_run_id=RUN_ID,
            attempt=1,
            **(started or {}),
        )

    # -- history --------------------------------------------------------------------------------------------------

    def add(self, event_type: int, **attributes: Any) -> HistoryEvent:
        event = HistoryEvent(event_id=len(self.events) + 1, event_type=event_type)
        event.event_time.FromNanoseconds(self.now_ns)
        target = getattr(event, EVENT_FIELD[event_type])
        target.SetInParent()
        target.MergeFrom(type(target)(**{name: value for name, value in attributes.items() if value is not None}))
        self.events.append(event)
        return event

    def ids(self, event_type: int) -> list[int]:
        return [event.event_id for event in self.events if event.event_type == event_type]

    def names(self) -> list[str]:
        return [e.EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in self.events]

    def history(self) -> History:
        return History(events=self.events)

    def _scheduled(self, activity_id: str) -> HistoryEvent:
        return next(
            event
            for event in reversed(self.events)
            if event.activity_task_scheduled_event_attributes.activity_id == activity_id
        )

    # -- what a server adds ---------------------------------------------------------------------------------------

    def start_activity(self, activity_id: str) -> HistoryEvent:
        scheduled = self._scheduled(activity_id).event_id
        return self.add(e.EVENT_TYPE_ACTIVITY_TASK_STARTED, scheduled_event_id=scheduled, attempt=1)

    def end_activity(self, activity_id: str, event_type: int, **attributes: Any) -> None:
        scheduled = self._scheduled(activity_id).event_id
        running = [
            event.event_id
            for event in self.events
            if event.activity_task_started_event_attributes.scheduled_event_id == scheduled
        ]
        started = running[0] if running else self.start_activity(activity_id).event_id
        self.add(event_type, scheduled_event_id=scheduled, started_event_id=started, **attributes)

    def complete_activity(self, activity_id: str, *result: Any) -> None:
        self.end_activity(
            activity_id, e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, result=payloads(result[0] if result else None)
        )

    def fail_activity(self, activity_id: str, message: str = "boom", type: str = "Boom") -> None:
        failure = Failure(message=message, application_failure_info=ApplicationFailureInfo(type=type))
        self.end_activity(
            activity_id,
            e.EVENT_TYPE_ACTIVITY_TASK_FAILED,
            failure=failure,
            retry_state=e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
        )

    def fire_timer(self, timer_id: str) -> None:
        started = next(
            event.event_id for event in self.events if event.timer_started_event_attributes.timer_id == timer_id
        )
        self.add(e.EVENT_TYPE_TIMER_FIRED, timer_id=timer_id, started_event_id=started)

    def signal(self, name: str, *args: Any) -> None:
        self.add(e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, signal_name=name, input=payloads(*args))

    def cancel(self, reason: str = "") -> None:
        self.add(e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED, cause=reason)

    def start_child(self, workflow_id: str) -> int:
        initiated = self._initiated(workflow_id)
        return self.add(
            e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
            initiated_event_id=initiated,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=f"run-of-{workflow_id}"),
        ).event_id

    def end_child(self, workflow_id: str, event_type: int, **attributes: Any) -> None:
        self.add(event_type, initiated_event_id=self._initiated(workflow_id), **attributes)

    def _initiated(self, workflow_id: str) -> int:
        return next(
            event.event_id
            for event in reversed(self.events)
            if event.start_child_workflow_execution_initiated_event_attributes.workflow_id == workflow_id
        )

    def update_request(self, update_id: str, name: str, *args: Any) -> ProtocolMessage:
        request = Request(meta=Meta(update_id=update_id), input=Input(name=name, args=payloads(*args)))
        # Sequenced before the task's started event: after its scheduled event, which is yet to be written.
        message = ProtocolMessage(
            id=f"{update_id}/request", protocol_instance_id=update_id, event_id=len(self.events) + 1
        )
        message.body.type_url = "type.googleapis.com/temporal.api.update.v1.Request"
        message.body.value = request.SerializeToString()
        return message

    # -- workflow tasks -------------------------------------------------------------------------------------------

    def open_task(self, seconds: float = 1) -> HistoryEvent:
        self.now_ns += int(seconds * 1e9)
        scheduled = self.add(e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
        return self.add(e.EVENT_TYPE_WORKFLOW_TASK_STARTED, scheduled_event_id=scheduled.event_id)

    def poll(self, *, full: bool, **fields: Any) -> PollWorkflowTaskQueueResponse:
        return PollWorkflowTaskQueueResponse(
            workflow_execution=WorkflowExecution(workflow_id="wf", run_id=RUN_ID),
            workflow_type=WorkflowType(name=self.workflow_type),
            previous_started_event_id=self._previous_started,
            started_event_id=len(self.events),
            history=History(events=self.events if full else self.events[self._seen :]),
            **fields,
        )

    def task(
        self,
        *messages: ProtocolMessage,
        queries: Mapping[str, WorkflowQuery] | None = None,
        fresh: bool = False,
        seconds: float = 1,
    ) -> RespondWorkflowTaskCompletedRequest:
        """Run one workflow task to its end; ``fresh`` for a cache miss."""
        started = self.open_task(seconds)
        if fresh:
            self.run.evict()
            self.run = Run(self.config)
        answer = self.run.activate(self.poll(full=fresh, messages=messages, queries=queries))
        while answer is None:
            assert self.local is not None, "the task waits for local activities"
            answer = self.local(self.run)
        if isinstance(answer, RespondWorkflowTaskFailedRequest):
            raise TaskFailed(answer)
        assert isinstance(answer, RespondWorkflowTaskCompletedRequest)
        self._seen, self._previous_started = len(self.events), started.event_id
        self.completions.append(answer)
        completed = self.add(
            e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
            scheduled_event_id=started.event_id - 1,
            started_event_id=started.event_id,
            sdk_metadata=answer.sdk_metadata,
        )
        for command in answer.commands:
            self._record(command, completed.event_id, answer)
        return answer

    def _record(self, command: Command, completed: int, answer: RespondWorkflowTaskCompletedRequest) -> None:
        source = getattr(command, COMMAND_FIELD[command.command_type])
        if command.command_type == e.COMMAND_TYPE_PROTOCOL_MESSAGE:
            self._record_message(next(one for one in answer.messages if one.id == source.message_id), completed)
            return
        event = self.add(RECORDS[command.command_type], workflow_task_completed_event_id=completed)
        target = getattr(event, EVENT_FIELD[event.event_type])
        shared = set(source.DESCRIPTOR.fields_by_name) & set(target.DESCRIPTOR.fields_by_name)
        for field, value in source.ListFields():
            if field.name in shared and field.message_type is not None and field.is_repeated:
                getattr(target, field.name).MergeFrom(value)
            elif field.name in shared and field.message_type is not None:
                getattr(target, field.name).CopyFrom(value)
            elif field.name in shared:
                setattr(target, field.name, value)
        if command.command_type == e.COMMAND_TYPE_CANCEL_TIMER:
            target.started_event_id = next(
                one.event_id for one in self.events if one.timer_started_event_attributes.timer_id == source.timer_id
            )
        if command.command_type == e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
            target.workflow_execution.CopyFrom(source.execution)
        if command.command_type == e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
            target.workflow_execution.workflow_id = source.workflow_id

    def _record_message(self, message: ProtocolMessage, completed: int) -> None:
        if message.body.type_url.endswith("Acceptance"):
            body = Acceptance.FromString(message.body.value)
            self.add(
                e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
                protocol_instance_id=message.protocol_instance_id,
                accepted_request_message_id=body.accepted_request_message_id,
                accepted_request_sequencing_event_id=body.accepted_request_sequencing_event_id,
                accepted_request=body.accepted_request,
            )
        else:
            response = Response.FromString(message.body.value)
            accepted = self.ids(e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)[-1]
            self.add(
                e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
                meta=response.meta,
                outcome=response.outcome,
                accepted_event_id=accepted,
            )

    def query(self, name: str, *args: Any, fresh: bool = False) -> Any:
        """A direct query; what ``activate`` answers."""
        query = WorkflowQuery(query_type=name, query_args=payloads(*args))
        if fresh:
            self.run = Run(self.config)
        task = PollWorkflowTaskQueueResponse(
            workflow_execution=WorkflowExecution(workflow_id="wf", run_id=RUN_ID),
            previous_started_event_id=self._previous_started,
            history=History(events=self.events if fresh else []),
            query=query,
        )
        return self.run.activate(task)

    def replay(self) -> Any:
        """The whole history as a new run sees it, through a query that any workflow answers."""
        return self.query("__temporal_workflow_metadata", fresh=True)

    def play(self, *steps: Callable[[], Any], fresh: bool = False) -> Script:
        """A first task, then each step followed by a task."""
        self.task()
        for step in steps:
            step()
            self.task(fresh=fresh)
        return self


class TaskFailed(Exception):
    """The run failed a workflow task."""

    def __init__(self, answer: RespondWorkflowTaskFailedRequest) -> None:
        super().__init__(answer.failure.message)
        self.answer = answer


def commands(answer: RespondWorkflowTaskCompletedRequest) -> list[str]:
    return [e.CommandType.Name(one.command_type).removeprefix("COMMAND_TYPE_") for one in answer.commands]
