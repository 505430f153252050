"""Drives one run of the engine's brain by hand, with a clock that only the test moves.

After every step the law is checked that a state rebuilt from the history equals the live one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from outlast.api.command.v1 import Command
from outlast.api.common.v1 import Payloads
from outlast.api.enums import v1 as e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import History, HistoryEvent
from outlast.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from outlast.engine.command import CommandContext
from outlast.engine.effects import Effect
from outlast.engine.execution import (
    activity,
    advance,
    cancellation,
    completion,
    due,
    pause,
    signal,
    snapshot,
    speculative,
    start,
    workflow_task,
)
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import Activity, ExecutionState
from outlast.engine.transition import Successor, Transition
from outlast.vocab.attributes import COMMAND_FIELD, EVENT_NAMES

SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND
SEARCH_ATTRIBUTES = {"Kind": e.INDEXED_VALUE_TYPE_KEYWORD}
RUN_ID = "11111111-1111-4111-8111-111111111111"


def payloads(data: bytes) -> Payloads:
    message = Payloads()
    message.payloads.add(metadata={"encoding": b"json/plain"}, data=data)
    return message


def seconds(value: float) -> dict[str, int]:
    return {"seconds": int(value), "nanos": int(value % 1 * SECOND)}


def command(command_type: int, **attributes: Any) -> Command:
    return Command(command_type=command_type, **{COMMAND_FIELD[command_type]: attributes})


def schedule_activity(activity_id: str = "1", **attributes: Any) -> Command:
    attributes.setdefault("activity_type", {"name": "charge"})
    attributes.setdefault("task_queue", {"name": "orders"})
    if "schedule_to_close_timeout" not in attributes:
        attributes.setdefault("start_to_close_timeout", seconds(10))
    return command(e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, activity_id=activity_id, **attributes)


def start_timer(timer_id: str = "1", after: float = 60) -> Command:
    return command(e.COMMAND_TYPE_START_TIMER, timer_id=timer_id, start_to_fire_timeout=seconds(after))


def complete_workflow(result: bytes = b"1") -> Command:
    return command(e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, result=payloads(result))


def fail_workflow(message: str = "boom", **fields: Any) -> Command:
    failure = Failure(message=message, application_failure_info={"type": "ValueError", **fields})
    return command(e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, failure=failure)


class Brain:
    """One run under test."""

    def __init__(self, **request: Any) -> None:
        self.now = EPOCH
        self.events: list[HistoryEvent] = []
        self.effects: list[Effect] = []
        self.successor: Successor | None = None
        message = StartWorkflowExecutionRequest(
            **{
                "namespace": "default",
                "workflow_id": "order-42",
                "workflow_type": {"name": "Order"},
                "task_queue": {"name": "orders"},
                "request_id": "request-1",
                "identity": "client",
                **request,
            }
        )
        start.validate(message)
        self.state = ExecutionState("namespace-1", message.workflow_id, RUN_ID)
        draft = self.draft()
        draft.apply(start.begin(message, self.now, run_id=RUN_ID))
        self.keep(draft)

    @classmethod
    def following(cls, before: Brain) -> Brain:
        """The run that follows a closed one."""
        assert before.successor is not None
        after = cls.__new__(cls)
        after.now, after.events, after.effects, after.successor = before.now, [], [], None
        after.state = ExecutionState("namespace-1", before.state.workflow_id, before.successor.run_id)
        draft = after.draft()
        draft.apply(Transition((before.successor.started_event,), wakes=True))
        after.keep(draft)
        return after

    # -- steps -----------------------------------------------------------------------------------------------------

    def draft(self) -> Draft:
        return Draft(self.state, self.now)

    def keep(self, draft: Draft) -> list[HistoryEvent]:
        """Take the draft over, with a trip of the state through bytes, and check the law."""
        outcome = draft.finish()
        self.state = snapshot.decode(snapshot.encode(outcome.state))
        assert self.state == outcome.state
        assert self.state.task is None or not self.state.task.speculative, "a speculative task is never stored"
        self.events.extend(History.FromString(outcome.batch).events)
        self.effects = outcome.effects
        self.successor = draft.successor
        self.check()
        return outcome.events

    def hold(self, draft: Draft) -> None:
        """Take over a draft that recorded nothing, in memory alone."""
        assert not draft.events
        self.state = draft.state
        self.effects = draft.effects
        self.check()

    def check(self) -> None:
        assert [event.event_id for event in self.events] == list(range(1, len(self.events) + 1))
        assert self.state.next_event_id == len(self.events) + 1
        if not self.state.buffered:
            rebuilt = snapshot.rebuild(self.state.namespace_id, self.state.workflow_id, self.state.run_id, self.events)
            assert snapshot.historic(rebuilt) == snapshot.historic(self.state)

    def tick(self, by: float) -> list[HistoryEvent]:
        """Let time pass and do what is due."""
        self.now += int(by * SECOND)
        draft = self.draft()
        advance.advance(draft, self.events[0])
        return self.keep(draft)

    def poll(self, identity: str = "worker") -> list[HistoryEvent]:
        """Start the pending workflow task; answers the history that the poller sees."""
        task = self.state.task
        assert task is not None
        draft = self.draft()
        started = workflow_task.start(
            draft.state,
            self.now,
            scheduled_event_id=task.scheduled_event_id,
            attempt=task.attempt,
            identity=identity,
            request_id="",
        )
        assert started is not None, "the task is started already"
        draft.apply(started)
        self.hold(draft)
        return self.events + workflow_task.unwritten_events(self.state)

    def complete(
        self, *commands: Command, _search_attributes: Mapping[str, int] = SEARCH_ATTRIBUTES, **request: Any
    ) -> completion.Completed:
        """Complete the started workflow task with commands."""
        message = RespondWorkflowTaskCompletedRequest(commands=commands, identity="worker", **request)
        context = CommandContext(
            self.now,
            0,
            "worker",
            self.events[0],
            eager_activities=True,
            process="",
            search_attributes=_search_attributes,
            namespace="default",
            namespaces={"default": "namespace-1", "elsewhere": "namespace-2"},
        )
        outcome = completion.complete(self.state, message, context)
        advance.settle(outcome.draft)
        (self.keep if outcome.reset_to is None else self.hold)(outcome.draft)
        return outcome

    def turn(self, *commands: Command, **request: Any) -> completion.Completed:
        """Poll and complete."""
        self.poll()
        return self.complete(*commands, **request)

    def fail_task(self, cause: int = e.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE) -> None:
        self.keep(completion.failed(self.state, self.now, cause, Failure(message="bug"), "worker"))

    def signal(self, name: str = "approve", request_id: str = "") -> None:
        draft = self.draft()
        draft.apply(signal.signal(draft.state, self.now, name=name, request_id=request_id, identity="client"))
        advance.settle(draft)
        self.keep(draft)

    def want_task(self) -> None:
        """An update waits: see to it that it gets a workflow task."""
        draft = self.draft()
        draft.apply(speculative.want(draft.state, draft.now))
        (self.keep if draft.events else self.hold)(draft)

    def request_cancel(self) -> None:
        draft = self.draft()
        draft.apply(cancellation.request(draft.state, RequestCancelWorkflowExecutionRequest(identity="c"), self.now))
        self.keep(draft)

    def pause(self, request_id: str = "pause-1", reason: str = "bad key") -> list[HistoryEvent]:
        draft = self.draft()
        draft.apply(pause.pause(draft.state, self.now, reason=reason, request_id=request_id, identity="operator"))
        advance.settle(draft)
        return self.keep(draft)

    def unpause(self, request_id: str = "unpause-1", reason: str = "mended") -> list[HistoryEvent]:
        draft = self.draft()
        draft.apply(pause.unpause(draft.state, self.now, reason=reason, request_id=request_id, identity="operator"))
        advance.settle(draft)
        return self.keep(draft)

    def terminate(self) -> None:
        draft = self.draft()
        advance.terminate(draft, reason="enough", identity="client")
        self.keep(draft)

    def recover(self) -> list[HistoryEvent]:
        draft = self.draft()
        advance.recover(draft)
        return self.keep(draft)

    # -- activities ------------------------------------------------------------------------------------------------

    @property
    def activity(self) -> Activity:
        (pending,) = self.state.activities.values()
        return pending

    def start_activity(self, activity_id: str = "1", process: str = "", queue: str = "") -> bool:
        pending = self.state.activities[self.state.activity_ids[activity_id]]
        draft = self.draft()
        started = activity.start(
            draft.state,
            self.now,
            scheduled_event_id=pending.scheduled_event_id,
            attempt=pending.attempt,
            identity="worker",
            request_id="",
            process=process,
            queue=queue or pending.queue,
        )
        if started is None:
            return False
        draft.apply(started)
        self.keep(draft)
        return True

    def complete_activity(self, activity_id: str = "1", result: bytes = b"1") -> None:
        draft = self.draft()
        pending = activity.find_by_id(draft.state, activity_id)
        draft.apply(activity.complete(pending, self.now, result=payloads(result), identity="worker"))
        self.keep(draft)

    def fail_activity(self, activity_id: str = "1", message: str = "declined", **info: Any) -> None:
        failure = Failure(message=message, application_failure_info={"type": "Declined", **info})
        draft = self.draft()
        pending = activity.find_started_by_id(draft.state, activity_id)
        draft.apply(activity.fail(pending, self.now, failure=failure, identity="worker"))
        self.keep(draft)

    def heartbeat(self, details: bytes, activity_id: str = "1") -> None:
        draft = self.draft()
        pending = activity.find_started_by_id(draft.state, activity_id)
        draft.apply(activity.heartbeat(pending, self.now, payloads(details)))
        self.keep(draft)

    def operate(self, decision: Callable[[ExecutionState, Activity, int], Transition], activity_id: str = "1") -> None:
        draft = self.draft()
        draft.apply(decision(draft.state, activity.find_by_id(draft.state, activity_id), self.now))
        self.keep(draft)

    # -- looks -----------------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        return [EVENT_NAMES[event.event_type] for event in self.events]

    @property
    def wakes_in(self) -> float | None:
        """Seconds until the next deadline; None for never."""
        at = due.next_deadline(self.state)
        return None if at is None else (at - self.now) / SECOND
