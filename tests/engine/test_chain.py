"""The chain of runs: cron, retry and continue-as-new one after the other (rules 3.5.7, 3.6.1 to 3.6.4)."""

from __future__ import annotations

from typing import Any

import pytest
from brain import (
    EPOCH,
    RUN_ID,
    SECOND,
    Brain,
    command,
    complete_workflow,
    fail_workflow,
    payloads,
    seconds,
    start_timer,
)

from outlast.api.enums import v1 as e
from outlast.api.history.v1 import WorkflowExecutionStartedEventAttributes
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument

# 2023-11-14 22:13:20 UTC
HOUR = 3600 * SECOND
NEXT_HOUR = (EPOCH // HOUR + 1) * HOUR


def started(brain: Brain) -> WorkflowExecutionStartedEventAttributes:
    return brain.events[0].workflow_execution_started_event_attributes


def to_first_task(brain: Brain) -> None:
    """Let the backoff of the first workflow task pass."""
    assert brain.state.task is None and brain.wakes_in is not None
    brain.tick(brain.wakes_in)
    assert brain.state.task is not None


def continue_as_new(**attributes: Any) -> Any:
    return command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, **attributes)


def test_the_first_run_of_a_cron_waits_for_its_turn() -> None:
    brain = Brain(cron_schedule="0 * * * *")
    assert started(brain).cron_schedule == "0 * * * *" and brain.state.task is None
    assert brain.state.first_task_at == NEXT_HOUR
    brain.signal()
    assert brain.state.task is None
    brain.tick((NEXT_HOUR - EPOCH) / SECOND)
    assert brain.names[-1] == "WorkflowTaskScheduled"


def test_a_completed_cron_run_hands_its_result_to_the_next() -> None:
    brain = Brain(cron_schedule="0 * * * *", input=payloads(b"7"), memo={"fields": {"m": payloads(b"1").payloads[0]}})
    to_first_task(brain)
    brain.now += 90 * 60 * SECOND  # the turn at the next full hour is missed
    brain.tick(0)
    brain.turn(complete_workflow(b"41"))
    completed = brain.events[-1].workflow_execution_completed_event_attributes
    after = Brain.following(brain)
    assert completed.new_execution_run_id == after.state.run_id
    assert started(after).initiator == e.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    assert started(after).last_completion_result == payloads(b"41") and not started(after).HasField("continued_failure")
    assert started(after).input == payloads(b"7") and "m" in started(after).memo.fields
    assert started(after).first_execution_run_id == RUN_ID and started(after).continued_execution_run_id == RUN_ID
    assert after.state.first_task_at == NEXT_HOUR + 2 * HOUR
    to_first_task(after)
    after.turn(fail_workflow("late"))
    third = Brain.following(after)
    assert after.events[-1].workflow_execution_failed_event_attributes.new_execution_run_id == third.state.run_id
    assert started(third).last_completion_result == payloads(b"41")
    assert started(third).continued_failure.message == "late"
    to_first_task(third)
    third.turn(complete_workflow(b"42"))
    assert not started(Brain.following(third)).HasField("continued_failure")


def test_a_failed_cron_run_is_retried_first_and_comes_back_with_attempt_one() -> None:
    brain = Brain(cron_schedule="@hourly", retry_policy={"initial_interval": seconds(5), "maximum_attempts": 2})
    to_first_task(brain)
    brain.turn(fail_workflow("first"))
    retried = Brain.following(brain)
    assert started(retried).attempt == 2 and started(retried).initiator == e.CONTINUE_AS_NEW_INITIATOR_RETRY
    assert retried.state.first_task_at == brain.now + 5 * SECOND
    to_first_task(retried)
    retried.turn(fail_workflow("second"))
    failed = retried.events[-1].workflow_execution_failed_event_attributes
    assert failed.retry_state == e.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    again = Brain.following(retried)
    assert started(again).attempt == 1 and started(again).initiator == e.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
    assert again.state.first_task_at == NEXT_HOUR + HOUR


def test_a_run_timeout_of_a_cron_leads_to_its_next_turn_and_an_execution_timeout_ends_the_chain() -> None:
    brain = Brain(cron_schedule="@hourly", workflow_run_timeout=seconds(60))
    to_first_task(brain)
    brain.tick(60)
    timed_out = brain.events[-1].workflow_execution_timed_out_event_attributes
    after = Brain.following(brain)
    assert timed_out.new_execution_run_id == after.state.run_id
    assert started(after).continued_failure.timeout_failure_info.timeout_type == e.TIMEOUT_TYPE_START_TO_CLOSE
    ends = Brain(cron_schedule="@hourly", workflow_execution_timeout=seconds(7200))
    to_first_task(ends)
    ends.turn(complete_workflow())
    last = Brain.following(ends)
    assert last.state.execution_expires_at == ends.state.execution_expires_at == EPOCH + (NEXT_HOUR - EPOCH) + 2 * HOUR
    last.tick((last.state.execution_expires_at - last.now) / SECOND)
    assert last.names[-1] == "WorkflowExecutionTimedOut" and last.successor is None


def test_cancellation_and_termination_end_a_cron() -> None:
    brain = Brain(cron_schedule="@hourly")
    brain.request_cancel()
    brain.turn(command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION))
    assert brain.names[-1] == "WorkflowExecutionCanceled" and brain.successor is None
    brain = Brain(cron_schedule="@hourly")
    brain.terminate()
    assert brain.successor is None


def test_every_counts_from_when_the_run_was_due() -> None:
    brain = Brain(cron_schedule="@every 10m")
    to_first_task(brain)
    assert brain.now == EPOCH + 600 * SECOND
    brain.now += 25 * 60 * SECOND
    brain.tick(0)
    brain.turn(complete_workflow())
    assert Brain.following(brain).state.first_task_at == EPOCH + 4 * 600 * SECOND


def test_a_bad_cron_is_refused_where_it_is_given() -> None:
    with pytest.raises(InvalidArgument, match="cron_schedule 'never': it has 1 fields"):
        Brain(cron_schedule="never")
    brain = Brain()
    outcome = brain.turn(continue_as_new(cron_schedule="never"))
    assert outcome.failure is not None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES


def test_runs_of_a_chain_start_at_least_a_second_apart() -> None:
    brain = Brain(retry_policy={"initial_interval": {"nanos": 1000}})
    brain.now += SECOND // 4
    brain.turn(fail_workflow())
    assert Brain.following(brain).state.first_task_at == EPOCH + SECOND
    brain = Brain()
    brain.now += SECOND // 4
    brain.turn(continue_as_new())
    assert Brain.following(brain).state.first_task_at == EPOCH + SECOND
    slow = Brain()
    slow.tick(5)
    slow.turn(continue_as_new())
    assert Brain.following(slow).state.task is not None


def test_continue_as_new_begins_a_fresh_run_of_the_same_chain() -> None:
    brain = Brain(
        workflow_execution_timeout=seconds(600),
        workflow_run_timeout=seconds(300),
        header={"fields": {"h": payloads(b"1").payloads[0]}},
        input=payloads(b"1"),
        cron_schedule="@hourly",
    )
    to_first_task(brain)
    brain.tick(5)
    brain.turn(
        continue_as_new(
            backoff_start_interval=seconds(30),
            initial_versioning_behavior=e.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_AUTO_UPGRADE,
        )
    )
    event = brain.events[-1].workflow_execution_continued_as_new_event_attributes
    assert event.initial_versioning_behavior == e.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_AUTO_UPGRADE
    after = Brain.following(brain)
    assert event.new_execution_run_id == after.state.run_id and event.backoff_start_interval.seconds == 30
    first = started(after)
    assert not first.HasField("header") and not first.HasField("input") and first.cron_schedule == ""
    assert first.workflow_run_timeout.seconds == 300 and first.workflow_execution_timeout.seconds == 600
    assert after.state.execution_expires_at == brain.state.execution_expires_at
    assert after.state.first_run_id == RUN_ID and after.state.attempt == 1
    assert after.state.first_task_at == brain.now + 30 * SECOND


def test_buffered_events_hold_up_continue_as_new() -> None:
    brain = Brain()
    brain.poll()
    brain.signal()
    outcome = brain.complete(continue_as_new())
    assert outcome.failure is not None and brain.successor is None
    assert outcome.failure.cause == e.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert brain.names[-2:] == ["WorkflowExecutionSignaled", "WorkflowTaskScheduled"]


def test_a_long_history_suggests_to_continue_as_new_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HISTORY_EVENTS_SUGGEST", 4)
    brain = Brain()
    assert not brain.poll()[-1].workflow_task_started_event_attributes.suggest_continue_as_new
    brain.complete(start_timer())
    brain.signal()
    event = brain.poll()[-1].workflow_task_started_event_attributes
    assert event.suggest_continue_as_new
    assert event.suggest_continue_as_new_reasons == [e.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS]
    monkeypatch.setattr(limits, "HISTORY_BYTES_SUGGEST", 10)
    brain.complete()
    brain.signal()
    assert brain.poll()[-1].workflow_task_started_event_attributes.suggest_continue_as_new_reasons == [
        e.SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE,
        e.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS,
    ]
