"""The patch that a nondeterminism error proposes, written from the recorded event and the user's line."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import Command
from outlast.api.common.v1 import Payload, Payloads
from outlast.api.history.v1 import HistoryEvent
from outlast.replay.nondeterminism import Line, Nondeterminism, user_line


def recorded(kind: str, **attributes: Any) -> HistoryEvent:
    event = HistoryEvent(event_id=7, event_type=getattr(e, f"EVENT_TYPE_{kind.upper()}"))
    field = getattr(event, f"{kind}_event_attributes")
    field.SetInParent()
    for name, value in attributes.items():
        target, (*path, last) = field, name.split("__")
        for one in path:
            target = getattr(target, one)
        setattr(target, last, value)
    return event


def timer(seconds: float) -> HistoryEvent:
    event = recorded("timer_started", timer_id="1")
    event.timer_started_event_attributes.start_to_fire_timeout.FromTimedelta(timedelta(seconds=seconds))
    return event


def marker(name: str, key: str, data: object) -> HistoryEvent:
    event = recorded("marker_recorded", marker_name=name)
    payloads = Payloads(payloads=[Payload(data=json.dumps(data).encode())])
    event.marker_recorded_event_attributes.details[key].CopyFrom(payloads)
    return event


@pytest.mark.parametrize(
    ("event", "call"),
    [
        (recorded("activity_task_scheduled", activity_type__name="charge"),
         'await workflow.execute_activity("charge", ...)'),
        (timer(5), "await workflow.sleep(5)"),
        (timer(0.25), "await workflow.sleep(0.25)"),
        (recorded("start_child_workflow_execution_initiated", workflow_type__name="Ship", workflow_id="s-1"),
         'await workflow.execute_child_workflow("Ship", ..., id="s-1")'),
        (recorded("signal_external_workflow_execution_initiated", signal_name="go",
                  workflow_execution__workflow_id="x"),
         'await workflow.get_external_workflow_handle("x").signal("go", ...)'),
        (recorded("request_cancel_external_workflow_execution_initiated", workflow_execution__workflow_id="x"),
         'await workflow.get_external_workflow_handle("x").cancel()'),
        (marker("core_local_activity", "data", {"activity_type": "price"}),
         'await workflow.execute_local_activity("price", ...)'),
        (recorded("workflow_execution_continued_as_new"), "workflow.continue_as_new(...)"),
    ],
)  # fmt: skip
def test_old_call_is_kept_for_old_runs(event: HistoryEvent, call: str) -> None:
    removed = str(Nondeterminism("x", event=event))
    assert f'    if not workflow.patched("change-at-event-7"):\n        {call}' in removed
    line = user_line()  # the new line
    changed = str(Nondeterminism("x", event=event, command=Command(command_type=1), line=line))
    new = "line = user_line()  # the new line"
    assert f'    if workflow.patched("change-at-event-7"):\n        {new}\n    else:\n        {call}' in changed


def test_added_commands_go_behind_a_patch() -> None:
    line = user_line()
    added = str(Nondeterminism("x", command=Command(command_type=1), line=line))
    assert '    if workflow.patched("my-change"):\n        line = user_line()' in added


def test_a_lost_patch_is_deprecated() -> None:
    lost = marker("core_patch", "patch-data", {"id": "faster", "deprecated": False})
    assert str(Nondeterminism("x", event=lost)).endswith('    workflow.deprecate_patch("faster")')


def test_without_anything_to_write_there_is_no_patch() -> None:
    for error in (
        Nondeterminism("x", event=marker("mine", "data", {})),
        Nondeterminism("x", event=recorded("timer_canceled")),
        Nondeterminism("x", line=Line(compile("", "<nowhere>", "exec"), 1)),
    ):
        assert "The patch" not in str(error)
