"""Histories as JSON, against the installed temporalio."""

from __future__ import annotations

import json
from typing import Any

import pytest
import temporalio.api.history.v1
import temporalio.client

from outlast.api.history.v1 import History
from outlast.client import WorkflowHistory

# As the CLI and the UI of older servers write it: enum values in PascalCase.
OLD = {
    "events": [
        {
            "eventId": "1",
            "eventTime": "2024-01-02T03:04:05.000000006Z",
            "eventType": "WorkflowExecutionStarted",
            "workflowExecutionStartedEventAttributes": {
                "workflowType": {"name": "W"},
                "taskQueue": {"name": "q", "kind": "Normal"},
                "originalExecutionRunId": "run",
                "initiator": "CronSchedule",
                "continuedFailure": {
                    "message": "m",
                    "cause": {"timeoutFailureInfo": {"timeoutType": "StartToClose"}},
                    "activityFailureInfo": {"retryState": "MaximumAttemptsReached"},
                },
                "memo": {"fields": {"a": {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}}},
            },
        },
        {
            "eventId": "2",
            "eventType": "StartChildWorkflowExecutionInitiated",
            "startChildWorkflowExecutionInitiatedEventAttributes": {
                "parentClosePolicy": "RequestCancel",
                "workflowIdReusePolicy": "AllowDuplicateFailedOnly",
            },
        },
        {
            "eventId": "3",
            "eventType": "WorkflowTaskFailed",
            "workflowTaskFailedEventAttributes": {"cause": "NonDeterministicError"},
        },
        {
            "eventId": "4",
            "eventType": "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT",
            "workflowTaskTimedOutEventAttributes": {"timeoutType": "TIMEOUT_TYPE_SCHEDULE_TO_START"},
            "unknownField": 5,
        },
    ]
}


@pytest.mark.parametrize("history", [OLD, json.dumps(OLD)], ids=["dict", "text"])
def test_old_json_is_read_as_temporal_reads_it(history: Any) -> None:
    mine = WorkflowHistory.from_json("w", history)
    reference = temporalio.client.WorkflowHistory.from_json("w", history)
    read = History(events=mine.events).SerializeToString(deterministic=True)
    assert read == temporalio.api.history.v1.History(events=reference.events).SerializeToString(deterministic=True)
    assert mine.run_id == reference.run_id == "run"
    assert mine.to_json() == reference.to_json()
    assert mine.to_json_dict() == reference.to_json_dict()
    assert WorkflowHistory.from_json("w", mine.to_json()) == mine


def test_reading_leaves_the_callers_dict_alone() -> None:
    before = json.dumps(OLD)
    WorkflowHistory.from_json("w", OLD)
    assert json.dumps(OLD) == before


@pytest.mark.parametrize("history", ["[]", {"events": 5}, {"events": [1]}, {}])
def test_what_is_no_history_is_refused(history: Any) -> None:
    with pytest.raises(ValueError, match=r"(?i)history|event"):
        WorkflowHistory.from_json("w", history)
