"""How callers follow a chain that knew of no other reason than continue-as-new.

A run that failed, timed out or completed can have a successor: a retry, or the next run of a cron schedule. Clients
that look for the result of a chain and do not say that they follow `new_execution_run_id` of such events are told that
the run continued as new. History keeps what has happened; only the answer about the closing event alone differs.

Source: Temporal's server, which does so for every client without `follows-next-run-id` in its `supported-features`
header; of the official SDKs the Go SDK sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import failures
from outlast.vocab.attributes import EVENT_FIELD


def _result(attributes: Any) -> dict[str, Any]:
    return {"last_completion_result": attributes.result} if attributes.HasField("result") else {}


def _failure(attributes: Any) -> dict[str, Any]:
    return {"failure": attributes.failure}


def _timeout(attributes: Any) -> dict[str, Any]:
    return {"failure": failures.timeout(_e.TIMEOUT_TYPE_START_TO_CLOSE, "workflow timeout")}


_OUTCOME: Mapping[int, Callable[[Any], dict[str, Any]]] = MappingProxyType(
    {
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _result,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _failure,
        _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: _timeout,
    }
)


def as_continued(event: HistoryEvent) -> HistoryEvent:
    """A closing event as a client sees it that follows only continue-as-new; the event itself if nothing followed."""
    outcome = _OUTCOME.get(event.event_type)
    attributes = getattr(event, EVENT_FIELD[event.event_type])
    if outcome is None or not attributes.new_execution_run_id:
        return event
    shown = HistoryEvent(
        event_id=event.event_id,
        event_time=event.event_time,
        version=event.version,
        task_id=event.task_id,
        event_type=_e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    )
    continued = shown.workflow_execution_continued_as_new_event_attributes
    continued.new_execution_run_id = attributes.new_execution_run_id
    for name, value in outcome(attributes).items():
        getattr(continued, name).CopyFrom(value)
    return shown
