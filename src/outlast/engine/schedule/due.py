"""Time and open work: when a schedule wants attention next, and what the shell has to do for it.

Both are derived from the state, so that a restarted server goes on where the former one was.

Source: rule 3.12.4.
"""

from __future__ import annotations

import msgspec

from outlast.vocab import limits

from .spec import following, times
from .state import Running, ScheduleState, Start


class StartWorkflow(msgspec.Struct, frozen=True):
    """Take an action: ``action.start_request``, then ``action.started`` or ``action.refused``."""

    start: Start


class EndWorkflow(msgspec.Struct, frozen=True):
    """Cancel or terminate a workflow, by its ``ending``, then ``action.told``."""

    running: Running


Work = StartWorkflow | EndWorkflow


def outstanding(state: ScheduleState) -> list[Work]:
    """What has been decided and is not done, in the order of doing it."""
    ends: list[Work] = [EndWorkflow(running) for running in state.running if running.ending and not running.told]
    return [*ends, *(StartWorkflow(start) for start in state.starting)]


def wake_at(state: ScheduleState) -> int | None:
    """When a restarted server has to look at the schedule: at once (0) where something is under way; None = never."""
    return 0 if state.starting or state.running else next_at(state)


def next_at(state: ScheduleState) -> int | None:
    """When time itself changes the schedule; None when there is nothing more to come."""
    instants = [at for at in (action_at(state), backfill_at(state), expires_at(state)) if at]
    return min(instants, default=None)


def action_at(state: ScheduleState) -> int:
    """When the next action is due; 0 for never."""
    if not state.may_act():
        return 0
    time = following(times(state.spec), state.seed, state.done_until)
    while time is not None and time.at < state.updated_at:
        time = following(times(state.spec), state.seed, time.at)
    return time.at if time is not None else 0


def backfill_at(state: ScheduleState) -> int:
    """When the next round of backfills is due; 0 for none, and while the buffer is half full."""
    if not state.backfills or state.waiting >= limits.SCHEDULE_BUFFER_MAX // 2:
        return 0
    return state.backfill_at


def expires_at(state: ScheduleState) -> int:
    """When a schedule that will never act again is forgotten; 0 while it may, or is paused."""
    if state.paused or state.backfills or state.buffer or state.starting or state.running or action_at(state):
        return 0
    latest = state.recent[-1].started_at if state.recent else 0
    return max(state.created_at, state.updated_at, latest) + limits.SCHEDULE_RETENTION_NS
