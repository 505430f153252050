"""Patches of a schedule: trigger, backfill, pause, unpause.

Source: PatchSchedule, SchedulePatch; rules 3.12.5 and 3.12.6.
"""

from __future__ import annotations

from typing import Any, Final

from outlast.api.enums import v1 as _e
from outlast.api.schedule.v1 import SchedulePatch
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.times import from_timestamp

from ..transition import NOTHING, Transition
from .action import on_paused, on_unpaused
from .advance import on_due
from .spec import Time
from .state import Backfill, ScheduleState

_INCLUSIVE_NS: Final = 1_000_000
"""A backfill includes its start: times later than the millisecond before it."""


def validate(patch: SchedulePatch, subject: str) -> None:
    """Refuse what no schedule can be patched with.

    Raises:
        InvalidArgument: with the field, the rule and the cure.
    """
    for name in ("pause", "unpause"):
        size = len(getattr(patch, name).encode())
        if size > limits.SCHEDULE_NOTES_MAX:
            raise InvalidArgument(
                f"{subject}: the note of {name} has {size} bytes, more than the {limits.SCHEDULE_NOTES_MAX} allowed; "
                "shorten it"
            )
    asked = [patch.trigger_immediately.overlap_policy, *(each.overlap_policy for each in patch.backfill_request)]
    for policy in asked:
        check_policy(policy, subject)
    for backfill in patch.backfill_request:
        if not backfill.HasField("start_time") or not backfill.HasField("end_time"):
            raise InvalidArgument(f"{subject}: a backfill lacks its start_time or its end_time; give both")


def check_policy(policy: int, subject: str) -> None:
    """Refuse an overlap policy that this version does not know.

    Raises:
        InvalidArgument: it is none.
    """
    if policy not in _e.ScheduleOverlapPolicy.values():
        raise InvalidArgument(f"{subject}: {policy} is no overlap policy; use a SCHEDULE_OVERLAP_POLICY_*")


def patch(state: ScheduleState, asked: SchedulePatch, now: int, request_id: str = "") -> Transition:
    """Apply a patch; one that was applied before, by its request id, changes nothing."""
    if request_id and request_id in state.request_ids:
        return NOTHING
    folds: list[tuple[Any, Any, Any]] = []
    if request_id:
        folds.append((on_request, request_id, None))
    if asked.HasField("trigger_immediately"):
        trigger = asked.trigger_immediately
        at = from_timestamp(trigger.scheduled_time) or now
        folds.append((on_due, Time(at, at), int(trigger.overlap_policy)))
    for backfill in asked.backfill_request:
        after = from_timestamp(backfill.start_time) - _INCLUSIVE_NS
        until = from_timestamp(backfill.end_time)
        folds.append((on_backfill, Backfill(after, until, backfill.overlap_policy), now))
    if asked.pause:
        folds.append((on_paused, asked.pause, None))
    if asked.unpause:
        folds.append((on_unpaused, asked.unpause, None))
    return Transition(folds=tuple(folds))


def on_backfill(state: ScheduleState, backfill: Backfill, now: int) -> None:
    if len(state.backfills) >= limits.SCHEDULE_BUFFER_MAX:
        state.dropped += 1
        return
    state.backfills.append(backfill)
    state.backfill_at = state.backfill_at or now


def on_request(state: ScheduleState, request_id: str, _: None) -> None:
    state.request_ids = [*state.request_ids, request_id][-limits.SCHEDULE_REQUEST_IDS_MAX :]
