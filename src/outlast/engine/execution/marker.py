"""Markers: what the SDK writes into history for itself, such as patches and local activity results.

Source: MarkerRecorded event; rule 3.4.13.
"""

from __future__ import annotations

from outlast.api.command.v1 import RecordMarkerCommandAttributes
from outlast.api.enums import v1 as _e

from ..command import BadCommand, CommandContext
from ..transition import Transition
from .events import new_event
from .state import ExecutionState


def record(state: ExecutionState, command: RecordMarkerCommandAttributes, context: CommandContext) -> Transition:
    """Record a marker; the server only carries it."""
    if not command.marker_name:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES, "RecordMarker: marker_name is empty"
        )
    attributes = {
        "marker_name": command.marker_name,
        "details": dict(command.details),
        "workflow_task_completed_event_id": context.completed_event_id,
    }
    if command.HasField("header"):
        attributes["header"] = command.header
    if command.HasField("failure"):
        attributes["failure"] = command.failure
    return Transition((new_event(_e.EVENT_TYPE_MARKER_RECORDED, context.now, attributes),))
