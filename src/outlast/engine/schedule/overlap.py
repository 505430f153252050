"""Whose turn it is: what is done with the actions that wait while a workflow of the schedule is running.

    SKIP             the action is dropped
    BUFFER_ONE       the first one waits, the others are dropped
    BUFFER_ALL       all of them wait
    CANCEL_OTHER     the running workflow is cancelled, the last action waits until it has closed
    TERMINATE_OTHER  the same with its termination
    ALLOW_ALL        it is started at once, and nobody waits for it

When nothing is running the first action in the buffer is taken, whatever its policy; CANCEL_OTHER and TERMINATE_OTHER
take its place when they come behind it. An action's own policy goes before the schedule's, which is looked up here and
not before, so that an update of the schedule counts for what waits already.

Source: SchedulePolicies.overlap_policy; service/worker/scheduler/buffer.go; rules 3.12.5 and 3.12.6.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from outlast.api.enums import v1 as _e
from outlast.api.schedule.v1 import ScheduleAction

from ..transition import NOTHING, Transition
from .draft import Draft
from .state import Running, ScheduleState, Start

_SKIP: Final = _e.SCHEDULE_OVERLAP_POLICY_SKIP
_BUFFER_ONE: Final = _e.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE
_CANCEL: Final = _e.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER
_TERMINATE: Final = _e.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER
_ALLOW_ALL: Final = _e.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL


def settle(draft: Draft) -> None:
    """Take from the buffer what may be taken now."""
    while True:
        transition = decide(draft.state)
        if not transition.folds:
            return
        draft.apply(transition)


def decide(state: ScheduleState) -> Transition:
    """Deal with the whole buffer once. After an action that may not be taken there may be more to do."""
    if not state.buffer:
        return NOTHING
    if not ScheduleAction.FromString(state.action).HasField("start_workflow"):
        return Transition(folds=((on_buffer, [], 0),))
    busy = bool(state.running) or any(start.tracked for start in state.starting)
    at_once: list[Start] = []
    chosen: Start | None = None
    waiting: list[Start] = []
    skipped = ending = 0
    for start in state.buffer:
        policy = start.overlap or state.overlap
        if policy == _ALLOW_ALL:
            at_once.append(start)
        elif chosen is None and not busy:
            chosen = start
        elif policy == _SKIP or (policy == _BUFFER_ONE and waiting):
            skipped += 1
        elif policy in (_CANCEL, _TERMINATE) and not busy:
            chosen = start  # the one before it has not even begun
        else:
            waiting.append(start)
            if policy in (_CANCEL, _TERMINATE):
                ending = max(ending, policy)
    if ending:
        at_once = []  # they would be ended the moment they begin
    folds: list[tuple[Any, Any, Any]] = []
    if waiting != state.buffer:
        folds.append((on_buffer, waiting, skipped))
    left = state.remaining if state.limited else -1
    for start in (*at_once, *([chosen] if chosen else [])):
        if not start.manual:
            if state.paused or left == 0:
                continue
            left -= 1
        folds.append((on_taken, start, start is chosen))
    folds.extend((on_unwanted, running, ending) for running in state.running if ending > running.ending)
    return Transition(folds=tuple(folds))


def on_buffer(state: ScheduleState, waiting: list[Start], skipped: int) -> None:
    state.buffer = waiting
    state.overlapped += skipped


def on_taken(state: ScheduleState, start: Start, tracked: bool) -> None:
    state.starting.append(msgspec.structs.replace(start, tracked=tracked))
    if state.limited and not start.manual:
        state.remaining -= 1
        state.token += 1


def on_unwanted(state: ScheduleState, running: Running, ending: int) -> None:
    state.running[state.running.index(running)] = msgspec.structs.replace(running, ending=ending, told=False)
