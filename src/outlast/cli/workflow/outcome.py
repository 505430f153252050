"""How a run ended, in words and as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab import times
from outlast.vocab.attributes import EVENT_FIELD

from .. import values
from ..connection import Session
from .following import CLOSING

_STATUS = {
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "COMPLETED",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "FAILED",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: "CANCELED",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "TERMINATED",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "TIMED_OUT",
    _e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "CONTINUED_AS_NEW",
}
assert set(_STATUS) == CLOSING, "every way to end has its word"


def show_outcome(
    session: Session, events: Sequence[HistoryEvent], data: dict[str, Any], *, detailed: bool = False
) -> None:
    """Print how a run ended, and leave with exit status 1 if it did not complete.

    Args:
        events: ends with the closing event; begins with the first one where that is known.
        data: what JSON says beside the outcome.
        detailed: put the events into JSON as well.
    """
    printer = session.printer
    close = events[-1]
    status = _STATUS[close.event_type]
    words = {"Status": status, **_words(close)}
    if len(events) > 1:
        spent = times.from_timestamp(close.event_time) - times.from_timestamp(events[0].event_time)
        words = {"RunTime": values.nanoseconds(spent), **words}
    printer.line()
    printer.card("Results:", words)
    printer.data(
        {
            **data,
            "status": status,
            **_result(session, close),
            "closeEvent": printer.embedded(close),
            **({"history": {"events": [printer.embedded(one) for one in events]}} if detailed else {}),
        }
    )
    if status != "COMPLETED":
        raise SystemExit(1)


def _words(close: HistoryEvent) -> dict[str, str]:
    attributes: Any = getattr(close, EVENT_FIELD[close.event_type])
    fields = attributes.DESCRIPTOR.fields_by_name
    words = {}
    if "result" in fields:
        words["Result"] = values.payloads(attributes.result) or "null"
        words["ResultEncoding"] = ", ".join(
            p.metadata.get("encoding", b"").decode(errors="replace") for p in attributes.result.payloads
        )
    if "failure" in fields and attributes.HasField("failure"):
        words["Failure"] = failure_text(attributes.failure)
    if "details" in fields and attributes.HasField("details"):
        words["Details"] = values.payloads(attributes.details)
    words["Reason"] = getattr(attributes, "reason", "")
    return words


def failure_text(failure: Failure) -> str:
    """A failure with stack trace and causes, on many lines."""
    return "\n".join(values.failure_lines(failure))


def _result(session: Session, close: HistoryEvent) -> Mapping[str, Any]:
    if close.event_type != _e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return {}
    payloads = close.workflow_execution_completed_event_attributes.result.payloads
    items = [session.printer.embedded(payload) for payload in payloads]
    return {"result": items[0] if len(items) == 1 else items or None}
