"""Doing what is due: actions whose time has come, rounds of backfills, and the buffer.

    time --due--> missed, if the catchup window is over | buffered, if there is room | dropped

A schedule that is paused or has no actions left lets its times pass; none of them is made up for later. Times before
the latest update do not count either, those of the new spec that would have been due included.

Source: rules 3.12.4 to 3.12.6; service/worker/scheduler/workflow.go.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from outlast.vocab import limits

from ..transition import NOTHING, Transition
from . import due, overlap
from .draft import Draft
from .spec import Time, following, series, times
from .state import Backfill, ScheduleState, Start


def advance(draft: Draft) -> None:
    """Do all that is due."""
    draft.apply(walk(draft.state, draft.now))
    if due.backfill_at(draft.state) and due.backfill_at(draft.state) <= draft.now:
        draft.apply(backfill(draft.state, draft.now))
    overlap.settle(draft)


def walk(state: ScheduleState, now: int) -> Transition:
    """Deal with the times since the last one, a turn's worth of them: where there are more, more is due at once."""
    if not state.may_act():
        passed = following(times(state.spec), state.seed, state.done_until)
        return Transition(folds=((on_walked, now, 0),)) if passed is not None and passed.at <= now else NOTHING
    folds: list[tuple[Any, Any, Any]] = []
    missed, done_until = 0, state.done_until
    for time in islice(series(times(state.spec), state.seed, state.done_until), limits.SCHEDULE_TIMES_PER_TURN_MAX):
        if time.at > now:
            break
        done_until = time.at
        if time.at < state.updated_at:
            continue
        if now - time.at > state.catchup_ns:
            missed += 1
            continue
        folds.append((on_due, time, None))
    if done_until > state.done_until:
        folds.append((on_walked, done_until, missed))
    return Transition(folds=tuple(folds))


def backfill(state: ScheduleState, now: int) -> Transition:
    """One round of the backfills: so many of their times are due now."""
    folds: list[tuple[Any, Any, Any]] = []
    left = limits.SCHEDULE_BACKFILLS_PER_ROUND_MAX
    spec = times(state.spec)
    waiting = list(state.backfills)
    while waiting and left:
        current = waiting[0]
        time = following(spec, state.seed, current.after)
        if time is None or time.at > current.until:
            waiting.pop(0)
            continue
        folds.append((on_due, time, current.overlap))
        waiting[0] = msgspec.structs.replace(current, after=time.at)
        left -= 1
    folds.append((on_backfilled, waiting, now + limits.SCHEDULE_BACKFILL_ROUND_NS if waiting else 0))
    return Transition(folds=tuple(folds))


def on_due(state: ScheduleState, time: Time, manual_overlap: int | None) -> None:
    """Put an action into the buffer; ``manual_overlap`` is None unless somebody asked for it."""
    if state.waiting >= limits.SCHEDULE_BUFFER_MAX:
        state.dropped += 1
        return
    number = state.next_number
    state.next_number += 1
    manual = manual_overlap is not None
    state.buffer.append(Start(number, time.nominal_at, time.at, manual_overlap or 0, manual))


def on_walked(state: ScheduleState, done_until: int, missed: int) -> None:
    state.done_until = done_until
    state.missed += missed


def on_backfilled(state: ScheduleState, waiting: list[Backfill], backfill_at: int) -> None:
    state.backfills, state.backfill_at = waiting, backfill_at
