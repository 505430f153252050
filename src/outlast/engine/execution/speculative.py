"""Speculative workflow tasks: turns for the sake of updates, which leave no trace if all updates are rejected.

    (none) --schedule--> scheduled --start--> started --only rejections--> (none), as if it had never been
                             |                   |
                             +---- converted ----+--complete | fail | time out--> events written with its end

Rule: a speculative task is never stored. Its event ids are those that come next, so whatever is recorded or kept
meanwhile converts it first: its scheduled event is written, and it is a normal task from then on. With the process it
vanishes, and with it the updates that it carried; whoever waits for them sends them again.

Source: RespondWorkflowTaskCompletedResponse.reset_history_event_id; rules 3.9.3 and 3.9.4.
"""

from __future__ import annotations

import msgspec

from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.update.v1 import Rejection
from outlast.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest
from outlast.vocab import limits

from ..transition import NOTHING, Transition
from . import workflow_task
from .state import ExecutionState, WorkflowTask, on_delay_over

_EVENTS_WITHOUT_COMMANDS = 2
"""From the start of a task to the next one's scheduled event, when the former did nothing."""


def want(state: ExecutionState, now: int) -> Transition:
    """See to it that waiting updates get a workflow task.

    They ride on a task that is scheduled; the end of one that is started asks again, and so does the end of a pause. A
    run that waits for its start delay need not wait any longer (rule 3.5.8).
    """
    if not state.running or state.paused or state.task is not None:
        return NOTHING
    if state.first_task_pending:
        return Transition(folds=((on_delay_over, None, None),), wakes=True)
    normal = workflow_task.pending(state, now)
    task = msgspec.structs.replace(
        normal, written=False, speculative=True, schedule_to_start_at=now + limits.SPECULATIVE_TASK_TIMEOUT_NS
    )
    return Transition(effects=(workflow_task.offer(state, task),), folds=((workflow_task.on_set, task, None),))


def is_converted_by(state: ExecutionState, event: HistoryEvent) -> bool:
    """Whether this event, about to be recorded, makes the pending task a normal one. Its own scheduled one does not."""
    task = state.task
    return task is not None and task.speculative and event.event_type != _e.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED


def convert(state: ExecutionState) -> HistoryEvent:
    """The scheduled event of the speculative task, which takes the id that the task was given."""
    task = state.task
    assert task is not None and task.speculative and task.scheduled_event_id == state.next_event_id
    return workflow_task.scheduled_event(state, task)


def on_converted(state: ExecutionState) -> None:
    task = state.task
    assert task is not None
    gives_up_at = task.scheduled_at + state.sticky_timeout_ns if task.queue != state.queue else 0
    state.task = msgspec.structs.replace(task, written=True, speculative=False, schedule_to_start_at=gives_up_at)


def droppable(state: ExecutionState, task: WorkflowTask, request: RespondWorkflowTaskCompletedRequest) -> bool:
    """Whether the completion of this task leaves nothing behind, and its worker can go back to before it."""
    if not task.speculative or request.commands or request.force_create_new_workflow_task:
        return False
    # What the worker did not answer is rejected for it.
    if not all(message.body.Is(Rejection.DESCRIPTOR) for message in request.messages):
        return False
    shipped = task.scheduled_event_id - state.previous_started_event_id
    if not request.capabilities.discard_speculative_workflow_task_with_events:
        return shipped <= _EVENTS_WITHOUT_COMMANDS
    return shipped <= limits.SPECULATIVE_TASK_EVENTS_MAX
