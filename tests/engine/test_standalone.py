"""The laws of standalone activities: what every request does in every state; history alone gives the same state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from brain import EPOCH, RUN_ID, SECOND, payloads, seconds

from outlast.api.activity.v1 import ActivityOptions
from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as e
from outlast.api.failure.v1 import Failure
from outlast.api.protobuf import Duration, FieldMask
from outlast.api.workflowservice import v1 as api
from outlast.engine.activity_execution import operations, requests, start
from outlast.engine.effects import OfferWorkflowTask
from outlast.engine.execution import activity, advance, snapshot, standalone
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import Activity, ExecutionState
from outlast.engine.transition import Transition
from outlast.vocab.attributes import EVENT_NAMES
from outlast.vocab.divisions import ACTIVITIES, division
from outlast.vocab.errors import ServiceError

STATUS = {number: name.removeprefix("ACTIVITY_EXECUTION_STATUS_") for name, number in e.ActivityExecutionStatus.items()}


class Alone:
    """One standalone activity, driven by hand."""

    def __init__(self, **fields: Any) -> None:
        fields.setdefault("start_to_close_timeout", seconds(10))
        request = api.StartActivityExecutionRequest(
            activity_id="a", activity_type={"name": "Ship"}, task_queue={"name": "q"}, request_id="1", **fields
        )
        start.validate(request)
        self.state = ExecutionState(division("n", ACTIVITIES), "a", RUN_ID)
        self.history: list[Any] = []
        self.now = EPOCH
        attributes = SearchAttributes()
        self.decide(
            lambda draft: draft.apply(start.begin(request, self.now, run_id=RUN_ID, search_attributes=attributes))
        )

    def decide(self, decision: Callable[[Draft], Any]) -> None:
        draft = Draft(self.state, self.now)
        decision(draft)
        outcome = draft.finish()
        self.state = outcome.state
        self.history += outcome.events
        assert not any(isinstance(effect, OfferWorkflowTask) for effect in outcome.effects)
        assert self.state.task is None and len(self.state.activities) == (1 if self.state.running else 0)
        assert snapshot.decode(snapshot.encode(self.state)) == self.state
        rebuilt = snapshot.rebuild(self.state.namespace_id, "a", RUN_ID, self.history)
        assert snapshot.historic(rebuilt) == snapshot.historic(self.state)

    def apply(self, decision: Callable[[Activity, int], Transition]) -> None:
        self.decide(lambda draft: draft.apply(decision(self.activity, self.now)))

    @property
    def activity(self) -> Activity:
        return standalone.activity(self.state)

    @property
    def status(self) -> str:
        return STATUS[standalone.status(self.state)]

    @property
    def events(self) -> list[str]:
        return [EVENT_NAMES[event.event_type] for event in self.history]

    def take(self, process: str = "") -> None:
        attempt = self.activity.attempt
        started = activity.start(
            self.state,
            self.now,
            scheduled_event_id=2,
            attempt=attempt,
            identity="w",
            request_id="",
            process=process,
            queue="q",
        )
        assert started is not None
        self.decide(lambda draft: draft.apply(started))

    def pass_time(self, length: float) -> None:
        self.now += int(length * SECOND)
        self.decide(lambda draft: advance.advance(draft, None))

    # -- what can be asked -----------------------------------------------------------------------------------------

    def cancel(self) -> None:
        request = api.RequestCancelActivityExecutionRequest(request_id="c", reason="late")
        self.decide(lambda draft: draft.apply(requests.request_cancel(draft.state, request, self.now)))

    def terminate(self) -> None:
        self.decide(lambda draft: requests.terminate(draft, api.TerminateActivityExecutionRequest(request_id="t")))

    def pause(self) -> None:
        self.decide(lambda draft: operations.pause(draft, api.PauseActivityExecutionRequest()))

    def unpause(self) -> None:
        self.decide(lambda draft: operations.unpause(draft, api.UnpauseActivityExecutionRequest(), 0))

    def reset(self, **fields: Any) -> None:
        self.decide(lambda draft: operations.reset(draft, api.ResetActivityExecutionRequest(**fields), 0))

    def delay(self) -> None:
        options = ActivityOptions(start_delay=Duration(seconds=60))
        request = api.UpdateActivityExecutionOptionsRequest(
            activity_options=options, update_mask=FieldMask(paths=["start_delay"])
        )
        self.decide(lambda draft: operations.update_options(draft, request))

    def restore(self) -> None:
        request = api.UpdateActivityExecutionOptionsRequest(restore_original=True)
        self.decide(lambda draft: operations.update_options(draft, request))

    def fail(self) -> None:
        failure = Failure(message="no")
        self.apply(lambda pending, now: activity.fail(pending, now, failure=failure, identity="w"))

    def complete(self) -> None:
        result = payloads(b"1")
        self.apply(lambda pending, now: activity.complete(pending, now, result=result, identity="w"))


def waiting() -> Alone:
    return Alone()


def delayed() -> Alone:
    return Alone(start_delay=seconds(30))


def started() -> Alone:
    alone = Alone()
    alone.take()
    return alone


def after(begin: Callable[[], Alone], *steps: str) -> Callable[[], Alone]:
    def reached() -> Alone:
        alone = begin()
        for step in steps:
            getattr(alone, step)()
        return alone

    return reached


STATES: dict[str, Callable[[], Alone]] = {
    "waiting": waiting,
    "delayed": delayed,
    "started": started,
    "backing off": after(started, "fail"),
    "paused": after(waiting, "pause"),
    "pause requested": after(started, "pause"),
    "cancel requested": after(started, "cancel"),
    "reset requested": after(started, "reset"),
    "completed": after(waiting, "complete"),
    "terminated": after(waiting, "terminate"),
}

LAWS = """
                 | cancel    | terminate  | pause   | unpause | reset   | delay   | restore | complete
waiting          | CANCELED  | TERMINATED | PAUSED  | refused | RUNNING | refused | RUNNING | COMPLETED
delayed          | CANCELED  | TERMINATED | PAUSED  | refused | RUNNING | RUNNING | RUNNING | COMPLETED
started          | RUNNING   | TERMINATED | RUNNING | refused | RUNNING | refused | RUNNING | COMPLETED
backing off      | CANCELED  | TERMINATED | PAUSED  | refused | RUNNING | refused | RUNNING | COMPLETED
paused           | CANCELED  | TERMINATED | refused | RUNNING | RUNNING | PAUSED  | PAUSED  | COMPLETED
pause requested  | RUNNING   | TERMINATED | refused | RUNNING | RUNNING | refused | RUNNING | COMPLETED
cancel requested | RUNNING   | TERMINATED | refused | refused | refused | refused | refused | COMPLETED
reset requested  | RUNNING   | TERMINATED | refused | refused | refused | refused | refused | COMPLETED
completed        | refused   | refused    | refused | refused | refused | refused | refused |
terminated       | refused   | TERMINATED | refused | refused | refused | refused | refused |
"""


def cells() -> list[tuple[str, str, str]]:
    head, *lines = (line for line in LAWS.splitlines() if line)
    names = [name.strip() for name in head.split("|")[1:]]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert {row[0] for row in rows} == set(STATES)
    return [(row[0], name, law) for row in rows for name, law in zip(names, row[1:], strict=True) if law]


@pytest.mark.parametrize(("state", "request_", "law"), cells())
def test_every_request_does_in_every_state_what_the_law_says(state: str, request_: str, law: str) -> None:
    alone = STATES[state]()
    before = alone.state
    if law == "refused":
        with pytest.raises(ServiceError):
            getattr(alone, request_)()
        assert alone.state is before
    else:
        getattr(alone, request_)()
        assert alone.status == law


def test_the_history_is_that_of_a_run_with_one_activity() -> None:
    alone = started()
    alone.complete()
    assert alone.events == [
        "WorkflowExecutionStarted",
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "WorkflowExecutionCompleted",
    ]
    assert not alone.history[-1].workflow_execution_completed_event_attributes.HasField("result")


def test_a_lost_process_ends_the_attempt_and_the_last_one_the_run() -> None:
    alone = Alone(retry_policy={"maximum_attempts": 2})
    alone.take("process-1")
    alone.decide(advance.recover)
    assert (alone.status, alone.activity.attempt) == ("RUNNING", 2)
    alone.pass_time(0)
    alone.take("process-2")
    alone.decide(advance.recover)
    assert alone.status == "TIMED_OUT"
    assert alone.events[-2:] == ["ActivityTaskTimedOut", "WorkflowExecutionTimedOut"]


def test_a_delay_is_passed_before_the_clocks_begin() -> None:
    alone = Alone(start_delay=seconds(30), schedule_to_start_timeout=seconds(5))
    alone.pass_time(29)
    assert not alone.activity.on_offer
    alone.pass_time(1)
    assert alone.activity.on_offer
    alone.pass_time(4)
    assert alone.status == "RUNNING"
    alone.pass_time(1)
    assert alone.status == "TIMED_OUT"


def test_a_reset_restores_the_options_of_an_attempt_that_runs_when_it_has_ended() -> None:
    alone = started()
    options = ActivityOptions(start_to_close_timeout=Duration(seconds=5))
    change = api.UpdateActivityExecutionOptionsRequest(
        activity_options=options, update_mask=FieldMask(paths=["start_to_close_timeout"])
    )
    alone.decide(lambda draft: operations.update_options(draft, change))
    alone.reset(restore_original_options=True)
    assert alone.activity.start_to_close_ns == 5 * SECOND
    alone.fail()
    assert (alone.activity.start_to_close_ns, alone.activity.attempt) == (10 * SECOND, 1)
