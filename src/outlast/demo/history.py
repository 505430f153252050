"""A history as a table that a stranger can read: when, what, and which process did it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.table import Table

import outlast.api.enums.v1 as enums
from outlast.api.common.v1 import Payloads
from outlast.api.history.v1 import HistoryEvent


def seconds(event: HistoryEvent) -> float:
    """When the event happened, in seconds since the epoch."""
    return event.event_time.seconds + event.event_time.nanos / 1e9


def table(events: Sequence[HistoryEvent], killed_at: float, killed_pid: int) -> Table:
    """The events in order, with a line where the process ``killed_pid`` died."""
    drawn = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    drawn.add_column("Id", justify="right")
    drawn.add_column("Time", justify="right")
    drawn.add_column("Event")
    drawn.add_column("What")
    drawn.add_column("Process", justify="right")
    begin = seconds(events[0])
    alive = True
    for event in events:
        if alive and seconds(event) > killed_at:
            alive = False
            drawn.add_row(
                "", f"{killed_at - begin:.2f}s", "kill -9", "the application dies", str(killed_pid), style="red"
            )
        kind = enums.EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        name = "".join(word.capitalize() for word in kind.split("_"))
        attributes: Any = getattr(event, str(event.WhichOneof("attributes")))
        what = _WHAT.get(kind, lambda attributes: "")(attributes)
        process = getattr(attributes, "identity", "").partition("@")[0]
        style = "dim" if kind.startswith("WORKFLOW_TASK") else ("green" if kind.endswith("COMPLETED") else "")
        drawn.add_row(str(event.event_id), f"{seconds(event) - begin:.2f}s", name, what, process, style=style)
    return drawn


def _values(payloads: Payloads) -> str:
    return ", ".join(payload.data.decode() for payload in payloads.payloads)


def _started(attributes: Any) -> str:
    return f"attempt {attributes.attempt}"


_WHAT: Final[dict[str, Callable[[Any], str]]] = {
    "WORKFLOW_EXECUTION_STARTED": lambda a: f"{a.workflow_type.name}({_values(a.input)})",
    "ACTIVITY_TASK_SCHEDULED": lambda a: str(a.activity_type.name),
    "ACTIVITY_TASK_STARTED": _started,
    "ACTIVITY_TASK_COMPLETED": lambda a: _values(a.result),
    "WORKFLOW_EXECUTION_COMPLETED": lambda a: _values(a.result),
}
