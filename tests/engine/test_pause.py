"""A paused run: what is kept from workers, what goes on, and what its end offers again (rule 3.6.9)."""

from __future__ import annotations

import json

import pytest
from brain import SECOND, Brain, command, complete_workflow, schedule_activity, start_timer
from test_update import request

from outlast.api.enums import v1 as e
from outlast.engine.effects import OfferActivityTask, OfferWorkflowTask, RunEagerly
from outlast.engine.execution import activity_operations as operations
from outlast.engine.execution import describe, due, query, speculative, update
from outlast.engine.execution import pause as pauses
from outlast.vocab.errors import FailedPrecondition, InvalidArgument


def working() -> Brain:
    """A run with an activity on offer and a timer of 10 s, without a workflow task."""
    brain = Brain()
    brain.turn(schedule_activity("1"), start_timer("1", 10))
    return brain


def attribute(brain: Brain) -> list[str] | None:
    fields = describe.info(brain.state).search_attributes.indexed_fields
    return json.loads(fields["TemporalPauseInfo"].data) if "TemporalPauseInfo" in fields else None


def test_an_activity_on_offer_rests_until_the_end_of_the_pause() -> None:
    brain = working()
    brain.pause()
    assert not brain.effects and not due.outstanding(brain.state)
    assert not due.under_way(brain.state) and not due.has_open_work(brain.state)
    assert not brain.start_activity(), "an offer from before the pause was taken"
    brain.unpause()
    kinds = [type(effect) for effect in brain.effects]
    assert sorted(kinds, key=str) == [OfferActivityTask, OfferWorkflowTask]
    assert sorted(map(str, due.outstanding(brain.state))) == sorted(map(str, brain.effects))
    assert brain.start_activity()


def test_an_attempt_that_fails_meanwhile_is_offered_at_the_end() -> None:
    brain = working()
    assert brain.start_activity()
    brain.pause()
    brain.fail_activity()
    brain.tick(1)
    assert not brain.activity.backing_off and not brain.effects
    brain.unpause()
    (offer,) = [effect for effect in brain.effects if isinstance(effect, OfferActivityTask)]
    assert offer.attempt == 2


def test_an_attempt_that_still_backs_off_at_the_end_is_offered_when_that_is_over() -> None:
    brain = working()
    assert brain.start_activity()
    brain.fail_activity()
    brain.pause()
    brain.unpause()
    assert not [effect for effect in brain.effects if isinstance(effect, OfferActivityTask)]
    brain.tick(1)
    assert [effect.attempt for effect in brain.effects if isinstance(effect, OfferActivityTask)] == [2]


def test_a_task_that_runs_may_ask_for_activities_but_nobody_gets_them() -> None:
    brain = Brain()
    brain.poll()
    brain.pause()
    brain.complete(schedule_activity("1", request_eager_execution=True), start_timer("1", 10))
    assert not [effect for effect in brain.effects if isinstance(effect, OfferActivityTask | RunEagerly)]
    assert not brain.activity.started
    assert brain.names[-3:] == ["ActivityTaskScheduled", "TimerStarted", "WorkflowExecutionPaused"]


def test_an_activity_that_an_operator_lets_go_on_waits_for_the_workflow() -> None:
    brain = working()
    brain.operate(lambda _, pending, now: operations.pause(pending, now, identity="operator", reason=""))
    brain.pause()
    brain.operate(
        lambda _, pending, now: operations.unpause(
            pending, now, delay_ns=0, reset_attempts=False, reset_heartbeat=False
        )
    )
    assert not brain.effects
    brain.unpause()
    assert [effect.scheduled_event_id for effect in brain.effects if isinstance(effect, OfferActivityTask)] == [5]


def test_timers_fire_and_signals_come_but_wake_nobody() -> None:
    brain = working()
    brain.pause()
    brain.signal()
    brain.tick(10)
    brain.request_cancel()
    assert brain.names[-3:] == ["WorkflowExecutionSignaled", "TimerFired", "WorkflowExecutionCancelRequested"]
    assert brain.state.task is None
    brain.unpause()
    assert brain.names[-2:] == ["WorkflowExecutionUnpaused", "WorkflowTaskScheduled"]


def test_the_events_say_who_and_why_and_workers_may_ignore_them() -> None:
    brain = working()
    (paused,) = brain.pause("pause-1", "bad key")
    said = paused.workflow_execution_paused_event_attributes
    assert (said.identity, said.reason, said.request_id, paused.worker_may_ignore) == (
        "operator", "bad key", "pause-1", True,
    )  # fmt: skip
    unpaused = brain.unpause("unpause-1", "mended")[0]
    told = unpaused.workflow_execution_unpaused_event_attributes
    assert (told.identity, told.reason, told.request_id, unpaused.worker_may_ignore) == (
        "operator", "mended", "unpause-1", True,
    )  # fmt: skip


def test_a_withdrawn_task_is_failed_by_the_server_before_the_pause_and_counts_for_nothing() -> None:
    brain = Brain()
    brain.pause()
    failed, _ = brain.events[-2:]
    attributes = failed.workflow_task_failed_event_attributes
    assert attributes.cause == e.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED
    assert (attributes.scheduled_event_id, attributes.started_event_id) == (2, 0)
    assert attributes.identity == "history-service"
    assert brain.state.task_failure is None and brain.state.task_failures == 0
    brain.unpause()
    assert brain.state.task is not None and (brain.state.task.attempt, brain.state.task.written) == (1, True)


def test_the_same_request_pauses_once_and_another_is_refused() -> None:
    brain = working()
    brain.pause("pause-1")
    before = brain.state
    assert not brain.pause("pause-1")
    assert brain.state.pause == before.pause
    for other in ("pause-2", ""):
        with pytest.raises(FailedPrecondition, match=r"already paused.*by 'operator'"):
            brain.pause(other)
    brain.unpause("unpause-1")
    events = len(brain.events)
    assert not brain.unpause("unpause-1")
    assert len(brain.events) == events
    for other in ("unpause-2", "pause-1", ""):
        with pytest.raises(FailedPrecondition, match="not paused"):
            brain.unpause(other)
    brain.pause("pause-1")
    assert brain.state.paused, "the request of a pause that is over pauses anew"


def test_a_pause_without_a_request_id_is_never_taken_for_the_same() -> None:
    brain = working()
    brain.pause("")
    with pytest.raises(FailedPrecondition):
        brain.pause("")
    brain.unpause("")
    with pytest.raises(FailedPrecondition):
        brain.unpause("")


@pytest.mark.parametrize("field", ["reason", "request_id", "identity"])
def test_words_that_are_too_long_are_refused(field: str) -> None:
    words = {"reason": "x" * 1000, "request_id": "x" * 1000, "identity": "x" * 1000}
    pauses.check("pause", **words)
    with pytest.raises(InvalidArgument, match=field):
        pauses.check("pause", **(words | {field: "x" * 1001}))


def test_the_description_and_the_search_attribute_show_the_pause() -> None:
    brain = working()
    brain.pause(reason="bad key")
    shown = describe.describe(brain.state)
    assert shown.workflow_execution_info.status == e.WORKFLOW_EXECUTION_STATUS_PAUSED
    info = shown.workflow_extended_info.pause_info
    assert (info.identity, info.reason, info.paused_time.seconds) == ("operator", "bad key", brain.now // SECOND)
    assert attribute(brain) == ["Workflow:order-42", "Reason:bad key"]
    brain.unpause()
    assert not describe.describe(brain.state).workflow_extended_info.HasField("pause_info")
    assert attribute(brain) is None


def test_the_attribute_names_paused_activities_beside_the_workflow_and_cuts_what_is_too_long() -> None:
    brain = working()
    brain.operate(lambda _, pending, now: operations.pause(pending, now, identity="operator", reason=""))
    brain.pause(reason="")
    assert attribute(brain) == ["Workflow:order-42", "property:activityType=charge"]
    brain.unpause()
    assert attribute(brain) == ["property:activityType=charge"]
    brain.pause("pause-2", reason="x" * 400)
    words = attribute(brain)
    assert words is not None and len(words[1]) == 255


def test_a_paused_run_takes_no_query_and_no_update() -> None:
    brain = working()
    brain.pause()
    assert query.rejected(brain.state, 0)
    with pytest.raises(FailedPrecondition, match=r"paused.*unpause"):
        update.admit(brain.state, request("u1"), [])
    assert not speculative.want(brain.state, brain.now).folds


def test_a_close_that_a_pause_overtook_is_tried_again_after_it() -> None:
    brain = Brain()
    brain.poll()
    brain.pause()
    outcome = brain.complete(complete_workflow())
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert brain.state.paused and brain.state.task is None
    brain.unpause()
    brain.turn(complete_workflow())
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_COMPLETED


def test_a_continue_as_new_waits_too_and_the_next_run_is_not_paused() -> None:
    brain = Brain()
    brain.poll()
    brain.pause()
    brain.complete(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION))
    assert brain.state.paused
    brain.unpause()
    brain.turn(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION))
    assert not brain.state.running and brain.successor is not None
    following = Brain.following(brain)
    assert following.state.status == e.WORKFLOW_EXECUTION_STATUS_RUNNING and following.state.pause is None


def test_a_run_that_times_out_while_paused_is_retried_and_the_next_one_is_at_work() -> None:
    policy = {"initial_interval": {"seconds": 1}, "maximum_attempts": 3}
    brain = Brain(workflow_run_timeout={"seconds": 5}, retry_policy=policy)
    brain.pause()
    brain.tick(5)
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
    assert brain.successor is not None and not Brain.following(brain).state.paused


def test_the_end_of_a_paused_run_keeps_who_paused_it() -> None:
    brain = working()
    brain.pause()
    brain.terminate()
    assert brain.state.status == e.WORKFLOW_EXECUTION_STATUS_TERMINATED
    assert describe.describe(brain.state).workflow_extended_info.pause_info.reason == "bad key"


def test_a_restart_in_the_middle_of_a_task_leaves_the_run_paused() -> None:
    brain = working()
    brain.signal()
    brain.poll()
    brain.pause()
    brain.recover()
    assert brain.names[-2:] == ["WorkflowTaskFailed", "WorkflowExecutionPaused"]
    assert brain.state.paused and brain.state.task is None and not due.outstanding(brain.state)
    brain.unpause()
    brain.turn(complete_workflow())


def test_a_second_pause_while_the_task_of_the_first_still_runs() -> None:
    brain = Brain()
    brain.poll()
    brain.pause("pause-1")
    brain.unpause("unpause-1")
    brain.pause("pause-2")
    brain.complete()
    assert brain.names[-3:] == [
        "WorkflowExecutionPaused", "WorkflowExecutionUnpaused", "WorkflowExecutionPaused",
    ]  # fmt: skip
    assert brain.state.paused and brain.state.task is None
