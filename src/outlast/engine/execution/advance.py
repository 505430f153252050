"""What time does to a run: everything that is due by ``now``, and what a restart does to it.

Source: rules 3.2.2, 3.4.1, 3.4.7, 3.6.1, 3.10.1.
"""

from __future__ import annotations

import msgspec

from outlast.api.common.v1 import Payloads
from outlast.api.enums import v1 as _e
from outlast.api.failure.v1 import Failure
from outlast.api.history.v1 import HistoryEvent

from ..transition import Transition
from . import activity_timeout, close, completion, due, size, timer, workflow_task
from .draft import Draft
from .state import ExecutionState, WorkflowTask, on_delay_over

_SERVER = "outlast-server"


def advance(draft: Draft, first: HistoryEvent | None) -> None:
    """Do what is due: close a run whose time is up, else end the expired task, fire, expire and retry.

    Args:
        first: the run's first event where ``due.needs_first_event`` asks for it.
    """
    state, now = draft.state, draft.now
    if not state.running:
        return
    if close.timed_out(state, now):
        completion.end_for_close(draft)
        draft.apply(close.time_out(state, now, first))
        return
    ended = workflow_task.time_out(state, now)
    if ended.events or ended.folds:
        draft.apply(ended)
        completion.try_again(draft)
    if state.first_task_pending and state.first_task_at <= now:
        draft.apply(Transition(folds=((on_delay_over, None, None),), wakes=True))
    draft.apply(timer.fire(state, now))
    for pending in list(state.activities.values()):
        draft.apply(activity_timeout.expire(pending, now))
    draft.apply(activity_timeout.end_backoffs(state, now))


def terminate(draft: Draft, *, reason: str, details: Payloads | None = None, identity: str = _SERVER) -> None:
    """Close the run from outside, whatever it is doing."""
    completion.end_for_close(draft)
    draft.apply(close.terminate(draft.now, reason=reason, details=details, identity=identity))


def supersede(draft: Draft, run_id: str) -> None:
    """Close the run because another of the same workflow id takes its place (rule 3.5.3)."""
    details = Payloads()
    details.payloads.add(metadata={"encoding": b"json/plain"}, data=f'"terminated by new runID: {run_id}"'.encode())
    terminate(draft, reason="TerminateIfRunning WorkflowIdReusePolicy", details=details, identity="history-service")


def settle(draft: Draft) -> None:
    """After any request: keep the buffer and the history within their limits (rules 3.4.7 and 3.10.1)."""
    state = draft.state
    if not state.running:
        return
    reason = due.over_limit(state)
    if reason:
        terminate(draft, reason=reason)
    elif state.buffered and completion.overflowing(state):
        draft.apply(
            workflow_task.fail(
                state,
                draft.now,
                cause=_e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
                failure=Failure(message="too many events arrived while the workflow task was running"),
                identity=_SERVER,
            )
        )
        completion.try_again(draft)


def outgrown(draft: Draft, state_bytes: int) -> None:
    """The run's kept state was found to take so many bytes: the run ends if that is too much (rule 3.10.1)."""
    reason = size.over(state_bytes)
    if reason and draft.state.running:
        terminate(draft, reason=reason)


def recover(draft: Draft) -> None:
    """The process that served this run has ended: end what died with it, and make the rest ready to be offered.

    A started workflow task is handed out again, for its start was never a promise; that of a paused run is taken back.
    An activity attempt that ran in the ended process itself is over; one that a remote worker runs goes on.
    """
    state, now = draft.state, draft.now
    if not state.running:
        return
    task = state.task
    if task is not None and task.started:
        draft.apply(Transition(folds=((workflow_task.on_set, _unstarted(state, task), None),)))
        if state.paused:
            draft.apply(workflow_task.withdraw(state, now))
        if draft.flush() and not task.written:
            workflow_task.on_dropped(state)
            draft.schedule_task()
    draft.apply(workflow_task.unstick(state, reoffer=False))
    for pending in list(state.activities.values()):
        if pending.started and pending.process:
            draft.apply(activity_timeout.lose(pending, now))


def _unstarted(state: ExecutionState, task: WorkflowTask) -> WorkflowTask:
    return msgspec.structs.replace(
        task, started_at=0, started_event_id=0, identity="", request_id="", queue=state.queue, schedule_to_start_at=0
    )
