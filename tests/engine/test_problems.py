"""A workflow task that keeps failing shows as TemporalReportedProblems (rule 3.4.5)."""

from __future__ import annotations

import json

from brain import Brain

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as e


def problems(brain: Brain) -> list[str] | None:
    fields = SearchAttributes.FromString(brain.state.search_attributes).indexed_fields
    return json.loads(fields["TemporalReportedProblems"].data) if "TemporalReportedProblems" in fields else None


def test_five_failures_in_a_row_are_a_problem_until_one_succeeds() -> None:
    brain = Brain()
    for _ in range(5):
        assert problems(brain) is None
        brain.poll()
        brain.fail_task(e.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR)
    assert problems(brain) == [
        "category=WorkflowTaskFailed",
        "cause=WorkflowTaskFailedCauseNonDeterministicError",
    ]
    assert brain.names.count("WorkflowTaskFailed") == 1
    brain.turn()
    assert problems(brain) is None
    brain.signal()
    brain.poll()
    brain.fail_task()
    assert problems(brain) is None


def test_new_events_do_not_begin_the_count_anew_and_timeouts_count() -> None:
    brain = Brain()
    for _ in range(4):
        brain.poll()
        brain.fail_task()
        brain.signal()
    brain.poll()
    assert brain.wakes_in is not None
    brain.tick(brain.wakes_in)
    assert problems(brain) == ["category=WorkflowTaskTimedOut", "cause=WorkflowTaskTimedOutCauseStartToClose"]
