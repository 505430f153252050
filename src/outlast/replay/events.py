"""What the kinds of history events mean to replay.

Rule: a command event mirrors one command and comes, in command order, right after the WorkflowTaskCompleted that sent
it. Every later event about the same thing names that command event's id.

Source: history_service's event order; sdk-core ``HistoryEvent::is_command_event`` and ``get_initial_command_event_id``.
"""

from __future__ import annotations

import outlast.api.enums.v1 as e
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import EVENT_NAMES

WORKFLOW_TASK_ENDED_WITHOUT_COMPLETION = frozenset(
    {e.EVENT_TYPE_WORKFLOW_TASK_FAILED, e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT}
)

FINAL = frozenset(
    {
        e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)

COMMAND = frozenset(
    {
        e.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        e.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
        e.EVENT_TYPE_TIMER_STARTED,
        e.EVENT_TYPE_TIMER_CANCELED,
        e.EVENT_TYPE_MARKER_RECORDED,
        e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
        e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
        e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
        e.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
        e.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)

# Event type -> the attribute that holds the id of the command event it follows up.
ORIGIN: dict[int, str] = {
    e.EVENT_TYPE_ACTIVITY_TASK_STARTED: "scheduled_event_id",
    e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "scheduled_event_id",
    e.EVENT_TYPE_ACTIVITY_TASK_FAILED: "scheduled_event_id",
    e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "scheduled_event_id",
    e.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "scheduled_event_id",
    e.EVENT_TYPE_TIMER_FIRED: "started_event_id",
    e.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: "initiated_event_id",
    e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: "initiated_event_id",
    e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: "initiated_event_id",
    e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: "initiated_event_id",
    e.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: "initiated_event_id",
    e.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: "initiated_event_id",
    e.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: "initiated_event_id",
    e.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: "initiated_event_id",
}

# Events that come from outside and begin something.
BEGINNING = frozenset(
    {
        e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
    }
)

# Events that say nothing to workflow code.
SILENT = frozenset(
    {
        e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED,
        e.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
        e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED_EXTERNALLY,
        e.EVENT_TYPE_ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY,
    }
)


def name_of(event: HistoryEvent) -> str:
    """``ActivityTaskScheduled`` and the like; the number of a type that this version does not know."""
    return EVENT_NAMES.get(event.event_type, f"event type {event.event_type}")
