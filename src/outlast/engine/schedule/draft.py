"""The draft of one change of a schedule: a fork of the state, on which decisions are applied until it is kept."""

from __future__ import annotations

import copy

from ..transition import Transition
from .state import ScheduleState


class Draft:
    """One schedule's state under change, for one instant ``now`` (ns since the epoch)."""

    __slots__ = ("changed", "now", "state")

    def __init__(self, state: ScheduleState, now: int) -> None:
        self.state = fork(state)
        self.now = now
        self.changed = False

    def apply(self, transition: Transition) -> None:
        """Fold a decision's outcome."""
        for fold, *arguments in transition.folds:
            self.changed = True
            fold(self.state, *arguments)


def fork(state: ScheduleState) -> ScheduleState:
    """Copy the state so that folds on the copy leave the original alone; the frozen members are shared."""
    forked = copy.copy(state)
    for name in ("buffer", "starting", "backfills", "running", "recent", "request_ids"):
        setattr(forked, name, getattr(state, name).copy())
    return forked
