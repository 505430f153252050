"""Commands that Temporal's server refuses or caps, refused and capped alike."""

from __future__ import annotations

from typing import Any

import pytest
from brain import Brain, command, schedule_activity, seconds, start_timer

from outlast.api.enums import v1 as e

CENTURY_S = 100 * 365 * 24 * 3600


@pytest.mark.parametrize(
    "attributes",
    [
        {"activity_type": {"name": "x" * 1001}},
        {"task_queue": {"name": "x" * 1001}},
        {"task_queue": {"name": "/_sys/orders"}},
        {"priority": {"priority_key": -1}},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_an_activity_that_cannot_be_fails_the_task(attributes: dict[str, Any]) -> None:
    brain = Brain()
    brain.turn(schedule_activity(**attributes))
    failed = brain.events[-1].workflow_task_failed_event_attributes
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES


def test_a_timer_of_ten_thousand_years_is_one_of_a_hundred() -> None:
    brain = Brain()
    brain.turn(start_timer(after=10_000 * 365 * 24 * 3600))
    started = brain.events[-1].timer_started_event_attributes
    assert started.start_to_fire_timeout.seconds == CENTURY_S


def test_the_next_run_ends_with_the_chain() -> None:
    brain = Brain(workflow_execution_timeout=seconds(600))
    brain.turn(
        command(
            e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
            workflow_run_timeout=seconds(7_000),
            workflow_task_timeout=seconds(500),
        )
    )
    continued = brain.events[-1].workflow_execution_continued_as_new_event_attributes
    assert (continued.workflow_run_timeout.seconds, continued.workflow_task_timeout.seconds) == (600, 120)


def test_a_next_run_of_negative_length_fails_the_task() -> None:
    brain = Brain()
    brain.turn(command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, workflow_run_timeout={"seconds": -1}))
    failed = brain.events[-1].workflow_task_failed_event_attributes
    assert failed.cause == e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES
