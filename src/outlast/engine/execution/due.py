"""Time: when a run wants attention next, and what a restarted server has to offer again.

``next_deadline`` names the earliest deadline of any noun; ``advance`` (its own file) does all that is due.
``outstanding`` derives from the state the offers that are open.

Source: rules 3.2.2, 3.4.1, 3.4.4, 3.5.8, 3.6.1.
"""

from __future__ import annotations

from outlast.vocab import limits

from ..effects import CloseChild, Effect, ReportToParent, Request, RequestCancelExternal, SignalExternal, StartChild
from . import activity, activity_timeout, close, timer, workflow_task
from .state import Activity, ExecutionState


def next_deadline(state: ExecutionState) -> int | None:
    """The earliest deadline of any noun, for a closed run the end of its retention; None when nothing is timed."""
    if not state.running:
        return state.delete_at or None
    earliest = close.deadline(state)
    for at in (
        workflow_task.deadline(state),
        timer.deadline(state) if state.timers else 0,
        activity_timeout.deadline(state) if state.activities else 0,
        state.first_task_at if state.first_task_pending else 0,
    ):
        if at and (not earliest or at < earliest):
            earliest = at
    return earliest or None


def has_open_work(state: ExecutionState) -> bool:
    """Whether a restarted server has something to do for the run at once: an offer to repeat, an end to bring about."""
    if _owes(state):
        return True
    if not state.running:
        return False
    if state.task is not None:
        return True
    return any(pending.process or _offered(state, pending) for pending in state.activities.values())


def _offered(state: ExecutionState, pending: Activity) -> bool:
    return pending.on_offer and not state.paused


def under_way(state: ExecutionState) -> bool:
    """Whether a worker, or the server, has something to do for the run now: it does not merely wait for time."""
    if state.running and any(pending.started or _offered(state, pending) for pending in state.activities.values()):
        return True
    return (state.running and state.task is not None) or _owes(state)


def _owes(state: ExecutionState) -> bool:
    """Whether ``owed`` names anything, found out without naming it: every transition asks."""
    if not state.running:
        return bool(state.owed_children) or state.owes_report
    if state.external_signals or state.external_cancels:
        return True
    return any(not child.run_id for child in state.children.values())


def outstanding(state: ExecutionState) -> list[Effect]:
    """What is open: offers that were put into task queues and have not been taken, and requests to other runs."""
    if not state.running:
        return list(owed(state))
    offers: list[Effect] = []
    if state.task is not None and not state.task.started:
        offers.append(workflow_task.offer(state, state.task))
    offers.extend(activity.offer(pending) for pending in state.activities.values() if _offered(state, pending))
    offers.extend(owed(state))
    return offers


def owed(state: ExecutionState) -> list[Request]:
    """What the run still asks the server to do to other runs, in the order of asking."""
    if not state.running:
        closings: list[Request] = [CloseChild(key) for key in state.owed_children]
        return [*closings, ReportToParent()] if state.owes_report else closings
    requests: list[StartChild | SignalExternal | RequestCancelExternal] = [
        StartChild(key) for key, child in state.children.items() if not child.started
    ]
    requests.extend(SignalExternal(key) for key in state.external_signals)
    requests.extend(RequestCancelExternal(key) for key in state.external_cancels)
    requests.sort(key=lambda request: request.initiated_event_id)
    return list(requests)


def needs_first_event(state: ExecutionState, now: int) -> bool:
    """Whether ``advance`` may start a next run, for which the run's first event has to be at hand."""
    return bool(state.retry_policy or state.cron_schedule) and close.timed_out(state, now)


def over_limit(state: ExecutionState) -> str:
    """Why the run has to be terminated for its size (rule 3.10.1); "" while it is within bounds."""
    if state.next_event_id > limits.HISTORY_EVENTS_MAX:
        return f"Workflow history count exceeds limit ({limits.HISTORY_EVENTS_MAX} events)."
    if state.history_size > limits.HISTORY_BYTES_MAX:
        return f"Workflow history size exceeds limit ({limits.HISTORY_BYTES_MAX} bytes)."
    return ""
