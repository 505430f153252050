"""The draft of one transition: a fork of the state on which decisions are applied until it is kept or dropped.

Rule: nothing that happens to a draft touches the state it was forked from, so a refused command leaves no trace.

Buffering (rule 3.4.6): while the workflow task is started, what arrives from outside gets no event id. Its fold runs at
once, so that a second completion of the same activity is refused, and the event waits in ``state.buffered``. When the
task ends, ``flush`` gives ids to the waiting events with the terminal events of activities and children moved behind
all others, and links each terminal event to its started event.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import msgspec

from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import EVENT_FIELD

from ..effects import Effect, OfferActivityTask
from ..transition import Successor, Transition
from . import due, speculative, standalone, tables, workflow_task
from .events import batch
from .state import ExecutionState


class Draft:
    """One run's state under change, for one instant ``now`` (ns since the epoch)."""

    __slots__ = ("_changed", "_open", "_started_ids", "effects", "events", "now", "state", "successor")

    def __init__(self, state: ExecutionState, now: int) -> None:
        self.state = fork(state)
        self.now = now
        self.events: list[HistoryEvent] = []
        self.effects: list[Effect] = []
        self.successor: Successor | None = None
        self._changed = False
        self._open = state.running
        self._started_ids: dict[int, int] = {}

    def apply(self, transition: Transition) -> None:
        """Fold a decision's outcome, and see to it that a workflow that has to look gets a workflow task."""
        state = self.state
        for event in transition.events:
            self._record(event)
        if transition.folds:
            self._changed = True
            for fold, *arguments in transition.folds:
                fold(state, *arguments)
        if transition.effects:
            self._promise(transition.effects)
        if transition.successor is not None:
            self.successor = transition.successor
        if state.running:
            if transition.wakes and state.standalone is not None:
                self._record(standalone.close(self.events[-1]))
            elif transition.wakes and state.task is None and not state.first_task_pending:
                self.schedule_task()
            elif transition.wakes or transition.events:
                self._renew()

    def _promise(self, effects: Iterable[Effect]) -> None:
        """Have the shell do these; but while the run is paused no activity is offered, for its end offers them all."""
        if self.state.paused:
            effects = (effect for effect in effects if not isinstance(effect, OfferActivityTask))
        self.effects.extend(effects)

    def _renew(self) -> None:
        """A transient attempt becomes a real one as soon as there is something new to see (rule 3.4.3)."""
        task = self.state.task
        if task is not None and not task.started and task.transient:
            workflow_task.on_dropped(self.state)
            self.schedule_task()

    def schedule_task(self, original_scheduled_at: int = 0) -> None:
        """Schedule a workflow task now; none may be pending. One that follows a heartbeat keeps its first instant.

        A paused run gets none: the end of the pause schedules it.
        """
        if self.state.paused:
            return
        transition = workflow_task.schedule(self.state, self.now, original_scheduled_at)
        for event in transition.events:
            self._record(event)
        for fold, *arguments in transition.folds:
            fold(self.state, *arguments)
        self.effects.extend(transition.effects)

    def _record(self, event: HistoryEvent) -> None:
        state = self.state
        if state.task is not None and state.task.started and event.event_type in tables.BUFFERED:
            if state.task.speculative:
                self._convert()
            tables.ON_EVENT[event.event_type](state, event)
            state.buffered.append(event.SerializeToString())
            self._changed = True
            return
        if speculative.is_converted_by(state, event):
            self._convert()
        self._append(event)
        tables.ON_EVENT[event.event_type](state, event)

    def _convert(self) -> None:
        """The pending speculative task becomes a normal one, whose scheduled event is in history."""
        self._append(speculative.convert(self.state))
        speculative.on_converted(self.state)

    def _append(self, event: HistoryEvent) -> None:
        """Give the event its id, link it to its started event, and put it at the end of history."""
        state = self.state
        event.event_id = state.next_event_id
        state.next_event_id += 1
        started = tables.STARTED_EVENTS.get(event.event_type)
        if started is not None:
            self._started_ids[started(event)] = event.event_id
        elif event.event_type in tables.TERMINAL:
            attributes = getattr(event, EVENT_FIELD[event.event_type])
            key = tables.TERMINAL[event.event_type](attributes)
            if key in self._started_ids:
                attributes.started_event_id = self._started_ids[key]
        self.events.append(event)

    def flush(self) -> bool:
        """Append the buffered events (the workflow task has just ended). Answers whether there were any."""
        state = self.state
        if not state.buffered:
            return False
        waiting = [HistoryEvent.FromString(data) for data in state.buffered]
        state.buffered = []
        for event in waiting:
            if event.event_type not in tables.TERMINAL:
                self._append(event)
                numbered = tables.ON_NUMBERED.get(event.event_type)
                if numbered is not None:
                    numbered(state, event)
        for event in waiting:
            if event.event_type in tables.TERMINAL:
                self._append(event)
        return True

    @property
    def changed(self) -> bool:
        """Whether a decision has left anything to keep."""
        return self._changed or bool(self.events)

    def finish(self) -> Outcome:
        """Close the draft: the new state and what has to become durable."""
        state = self.state
        if state.task is not None and state.task.speculative:
            self._convert()
        state.transitions += 1
        if self._open and not state.running:
            self.effects.extend(due.owed(state))
        data = b""
        if self.events:
            data = batch(self.events)
            state.history_size += len(data)
        deadline = due.next_deadline(state)
        wake_at = self.now if due.has_open_work(state) else deadline
        first_event_id = self.events[0].event_id if self.events else 0
        return Outcome(state, self.events, data, first_event_id, self.effects, deadline, wake_at)


class Outcome(msgspec.Struct, frozen=True):
    """A finished draft.

    ``batch`` is the serialized History of ``events``, empty when nothing was recorded. ``deadline`` is the earliest
    instant at which time itself changes the run, ``wake_at`` the one at which a restarted server has to look at it:
    at once when work is open. None is never.
    """

    state: ExecutionState
    events: list[HistoryEvent]
    batch: bytes
    first_event_id: int
    effects: list[Effect]
    deadline: int | None
    wake_at: int | None


def fork(state: ExecutionState) -> ExecutionState:
    """Copy the state so that folds on the copy leave the original alone; the frozen members are shared."""
    forked = copy.copy(state)
    forked.activities = state.activities.copy()
    forked.activity_ids = state.activity_ids.copy()
    forked.timers = state.timers.copy()
    forked.children = state.children.copy()
    forked.external_signals = state.external_signals.copy()
    forked.external_cancels = state.external_cancels.copy()
    forked.owed_children = state.owed_children.copy()
    forked.request_ids = state.request_ids.copy()
    forked.attached_request_ids = state.attached_request_ids.copy()
    forked.buffered = state.buffered.copy()
    forked.updates = state.updates.copy()
    return forked
