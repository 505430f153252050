"""The patch that would mend a nondeterminism error, as source: the new line, and the old call as history recorded it.

Rule: what history does not have (arguments, options) is written as ``...``, never guessed.
"""

from __future__ import annotations

import json
import linecache
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

import outlast.api.enums.v1 as e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import event_attributes

_PATCH_MARKER = "core_patch"
_LOCAL_ACTIVITY_MARKER = "core_local_activity"


def advice(event: HistoryEvent | None, code: CodeType | None, number: int) -> str:
    """Lines of source to write at the user's line; empty when nothing better can be said than the rule.

    Args:
        event: what history has, if it has something.
        code: where the code did something else, with its line ``number``; None when it did nothing.
    """
    new = None if code is None else _statement(code, number)
    old = None if event is None else _call(event)
    if event is None and new is not None:
        return f'    if workflow.patched("my-change"):\n        {new}'
    if event is None or old is None:
        return ""
    if old.startswith("workflow.deprecate_patch"):
        return f"    {old}"
    name = f"change-at-event-{event.event_id}"
    if new is None:
        return f'    if not workflow.patched("{name}"):\n        {old}'
    return f'    if workflow.patched("{name}"):\n        {new}\n    else:\n        {old}'


def _statement(code: CodeType, number: int) -> str | None:
    text = linecache.getline(code.co_filename, number).strip()
    return f"{text}...)" if text.endswith("(") else text or None


def _call(event: HistoryEvent) -> str | None:
    write = _CALLS.get(event.event_type)
    return None if write is None else write(event_attributes(event))


def _activity(recorded: Any) -> str:
    return f"await workflow.execute_activity({_q(recorded.activity_type.name)}, ...)"


def _timer(recorded: Any) -> str:
    seconds = recorded.start_to_fire_timeout.ToTimedelta().total_seconds()
    return f"await workflow.sleep({seconds:g})"


def _child(recorded: Any) -> str:
    return (
        f"await workflow.execute_child_workflow({_q(recorded.workflow_type.name)}, ..., id={_q(recorded.workflow_id)})"
    )


def _signal(recorded: Any) -> str:
    target = _q(recorded.workflow_execution.workflow_id)
    return f"await workflow.get_external_workflow_handle({target}).signal({_q(recorded.signal_name)}, ...)"


def _cancel(recorded: Any) -> str:
    return f"await workflow.get_external_workflow_handle({_q(recorded.workflow_execution.workflow_id)}).cancel()"


def _marker(recorded: Any) -> str | None:
    if recorded.marker_name not in (_PATCH_MARKER, _LOCAL_ACTIVITY_MARKER):
        return None
    for key in ("patch-data", "data"):
        if key in recorded.details and recorded.details[key].payloads:
            data = json.loads(recorded.details[key].payloads[0].data)
            if recorded.marker_name == _PATCH_MARKER:
                return f"workflow.deprecate_patch({_q(data['id'])})"
            return f"await workflow.execute_local_activity({_q(data['activity_type'])}, ...)"
    return None


def _q(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_CALLS: Mapping[int, Callable[[Any], str | None]] = {
    e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _activity,
    e.EVENT_TYPE_TIMER_STARTED: _timer,
    e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _child,
    e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _signal,
    e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _cancel,
    e.EVENT_TYPE_MARKER_RECORDED: _marker,
    e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: lambda _: "workflow.upsert_search_attributes(...)",
    e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: lambda _: "workflow.upsert_memo(...)",
    e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: lambda _: "return ...",
    e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: lambda _: "workflow.continue_as_new(...)",
}
