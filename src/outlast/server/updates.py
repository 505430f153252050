"""Updates that wait to be accepted: who sent which, and which worker has seen it. None of it outlives the process.

    wait --shown with a workflow task--> accepted | rejected | refused | moved
      ^                                |
      +---- the task failed, timed out +

Rule: an update waits until the workflow answers, whether or not its sender is still there; who sends it again attaches.
Accepted, it is part of the run's state and history; the waiting room is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from outlast.api.failure.v1 import Failure
from outlast.api.update.v1 import Outcome, Request
from outlast.api.workflowservice.v1 import PollWorkflowTaskQueueResponse
from outlast.engine.execution import speculative, update
from outlast.engine.execution.completion import Completed
from outlast.engine.execution.draft import Draft
from outlast.engine.execution.state import WorkflowTask
from outlast.vocab.errors import ServiceError, Unavailable

if TYPE_CHECKING:
    from .runs import Run, Runs


_HELD = 0
"""In place of a task's start: its worker has the update already, from the task before, which was a heartbeat."""


class Left(Enum):
    """Why an update has left the waiting room other than by a rejection or an error."""

    ACCEPTED = "the run's state tells the rest"
    MOVED = "the run has ended, and the next one of its chain may be asked"


End: TypeAlias = Left | Outcome | ServiceError


class PendingUpdate:
    """One update that waits to be accepted."""

    __slots__ = ("end", "request", "shown_with", "size")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.size = request.ByteSize()
        self.shown_with = (0, 0)
        """The workflow task that it was shown with last: scheduled event id and start."""
        self.end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        """How the waiting ended; an error is a result, for there may be nobody to take it."""


def admit(run: Run, request: Request) -> None:
    """Let an update wait, unless the run knows it.

    Raises:
        ServiceError: the run takes no (further) updates.
    """
    update_id = request.meta.update_id
    if update_id in run.updates or update.reached(run.state, update_id) is not None:
        return
    update.admit(run.state, request, [pending.size for pending in run.updates.values()])
    wait(run, request)


def wait(run: Run, request: Request) -> None:
    """Let an update wait, come what may: a run that is about to begin takes every one."""
    run.updates[request.meta.update_id] = PendingUpdate(request)


def show(run: Run, task: WorkflowTask, response: PollWorkflowTaskQueueResponse, *, holds: bool) -> None:
    """Give the waiting updates to the worker that has just started this workflow task.

    Args:
        holds: the worker has the run, and with it the updates that its last task left open.
    """
    for pending in run.updates.values():
        held = pending.shown_with == (task.scheduled_event_id, _HELD) and holds
        pending.shown_with = _identity(task)
        if not held:
            response.messages.append(update.request_message(pending.request, task))


def _identity(task: WorkflowTask) -> tuple[int, int]:
    return task.scheduled_event_id, task.started_at


def dispatch(runs: Runs, run: Run, inline: Callable[[Draft], bool] | None = None) -> bool:
    """See to it that the updates that wait get a workflow task.

    Args:
        inline: starts the new task at once for the caller. The answer says whether it has.
    """
    if not run.updates:
        return False
    draft = runs.draft(run)
    draft.apply(speculative.want(draft.state, draft.now))
    if not draft.changed:
        return False
    started = inline is not None and inline(draft)
    if draft.events:
        runs.commit(run, draft)
    else:
        runs.volatile(run, draft)
    return started


def answered(run: Run, task: WorkflowTask, outcome: Completed, *, heartbeat: bool) -> None:
    """A worker has completed the workflow task: what it rejected, and what it did not answer, is over.

    Args:
        heartbeat: the worker only asked for more time, and comes back to the rest.
    """
    if outcome.failure is not None:
        for update_id in [each for each, pending in run.updates.items() if pending.shown_with == _identity(task)]:
            _leave(run, update_id, update.task_failed(run.state, update_id))
        return
    for update_id, failure in outcome.rejections.items():
        _reject(run, update_id, failure)
    if not outcome.draft.state.running:
        return
    ignored = [
        update_id
        for update_id, pending in run.updates.items()
        if pending.shown_with == _identity(task) and update_id not in outcome.draft.state.updates
    ]
    following = outcome.draft.state.task
    for update_id in ignored:
        if heartbeat and following is not None:
            run.updates[update_id].shown_with = (following.scheduled_event_id, _HELD)
        else:
            _reject(run, update_id, update.unprocessed())


def _reject(run: Run, update_id: str, failure: Failure) -> None:
    _leave(run, update_id, Outcome(failure=failure))


def settle(run: Run, *, continued: bool) -> None:
    """The run's state has changed: what is accepted, or cannot be any more, leaves.

    Whoever hears of it still has to wait until the change is durable.

    Args:
        continued: the change closed the run and began the next one of its chain.
    """
    state = run.state
    for update_id in list(run.updates):
        if update_id in state.updates:
            _leave(run, update_id, Left.ACCEPTED)
        elif not state.running:
            _leave(run, update_id, Left.MOVED if continued else update.aborted(state, update_id))


def lose(run: Run) -> None:
    """The run as it is in memory is given up."""
    refuse(
        run, Unavailable(f"workflow {run.key.workflow_id!r} run {run.key.run_id} is reloaded; send the update again")
    )


def refuse(run: Run, error: ServiceError) -> None:
    """End all waiting with an error."""
    for update_id in list(run.updates):
        _leave(run, update_id, error)


def _leave(run: Run, update_id: str, end: End) -> None:
    pending = run.updates.pop(update_id, None)
    if pending is not None and not pending.end.done():
        pending.end.set_result(end)
