"""What must hold after whatever has happened to a node. Each law is a function that raises AssertionError.

- a history has ids from 1 without a gap, and ends with its closing event once it has one;
- the state rebuilt from the history is the live one, and it survives its way to bytes and back;
- every activity and every timer is scheduled once and ends at most once;
- the store holds what the cache holds, but for the start of a workflow task (``docs/decisions/0005``);
- nothing is overdue;
- a paused run has nothing on offer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from outlast.api.enums import v1 as e
from outlast.api.history.v1 import HistoryEvent
from outlast.engine.effects import OfferActivityTask, OfferWorkflowTask
from outlast.engine.execution import due, snapshot
from outlast.engine.execution.state import ExecutionState
from outlast.server.node import Node
from outlast.server.runs import Run
from outlast.storage.port import RunKey
from outlast.vocab.attributes import EVENT_FIELD, EVENT_NAMES

_CLOSING = {
    e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    e.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
}
_ENDS = {
    "scheduled_event_id": {
        e.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        e.EVENT_TYPE_ACTIVITY_TASK_FAILED,
        e.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        e.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
        e.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        e.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        e.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    },
    "started_event_id": {e.EVENT_TYPE_TIMER_FIRED, e.EVENT_TYPE_TIMER_CANCELED},
}


async def check(node: Node, checked: dict[RunKey, int]) -> None:
    """All laws for every run in the node's cache that has changed since; ``checked`` remembers their versions."""
    for run in node.runs.all():
        nothing_is_overdue(run.state, node.clock.now())
        paused_is_at_rest(run.state)
        if checked.get(run.key) == run.version and run.state.task is None:
            continue
        checked[run.key] = run.version
        events = await node.runs.events(run, 1, run.state.next_event_id)
        history_is_whole(run.state, events)
        everything_ends_once(events)
        rebuilt_is_live(run.state, events)
        await stored_is_cached(node, run)


def history_is_whole(state: ExecutionState, events: Sequence[HistoryEvent]) -> None:
    ids = [event.event_id for event in events]
    assert ids == list(range(1, state.next_event_id)), f"{state.workflow_id}: {ids}"
    assert events[0].event_type == e.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    closing = [event.event_id for event in events if event.event_type in _CLOSING]
    assert closing == ([] if state.running else [state.next_event_id - 1])
    assert state.running == (state.close_event_id == 0)


def everything_ends_once(events: Sequence[HistoryEvent]) -> None:
    by_id = {event.event_id: event for event in events}
    for key, kinds in _ENDS.items():
        ends = Counter(
            getattr(getattr(event, EVENT_FIELD[event.event_type]), key) for event in events if event.event_type in kinds
        )
        for begin, times in ends.items():
            assert times == 1, f"{EVENT_NAMES[by_id[begin].event_type]} {begin} ended {times} times"
            assert EVENT_NAMES[by_id[begin].event_type].endswith(("Scheduled", "Started"))
    for event in events:
        attributes = getattr(event, EVENT_FIELD[event.event_type])
        for name in ("scheduled_event_id", "started_event_id", "workflow_task_completed_event_id"):
            reference = getattr(attributes, name, 0)
            assert 0 <= reference < event.event_id, f"event {event.event_id} refers to {name} {reference}"
        if "ActivityTask" in EVENT_NAMES[event.event_type] and getattr(attributes, "started_event_id", 0):
            started = by_id[attributes.started_event_id].activity_task_started_event_attributes
            assert started.scheduled_event_id == attributes.scheduled_event_id


def rebuilt_is_live(state: ExecutionState, events: Sequence[HistoryEvent]) -> None:
    assert snapshot.decode(snapshot.encode(state)) == state
    if state.buffered:
        return
    rebuilt = snapshot.historic(snapshot.rebuild(state.namespace_id, state.workflow_id, state.run_id, events))
    live = snapshot.historic(state)
    assert rebuilt == live, {key: (rebuilt[key], live[key]) for key in live if rebuilt[key] != live[key]}


async def stored_is_cached(node: Node, run: Run) -> None:
    record = await node.storage.load(run.key)
    assert record is not None and record.version == run.version
    stored = snapshot.decode(record.snapshot)
    assert _settled(stored) == _settled(run.state)


def _settled(state: ExecutionState) -> ExecutionState:
    """The state but for what is volatile."""
    task = state.task
    if task is not None and task.speculative:
        task = None
    if task is not None:
        task = msgspec.structs.replace(
            task,
            started_at=0,
            started_event_id=0,
            identity="",
            request_id="",
            queue="",
            schedule_to_start_at=0,
            suggest_continue_as_new=False,
            history_size=0,
            suggest_reasons=(),
        )
    return msgspec.structs.replace(state, task=task, sticky_queue="", sticky_timeout_ns=0)


def nothing_is_overdue(state: ExecutionState, now: int) -> None:
    at = due.next_deadline(state)
    assert at is None or at > now, f"{state.workflow_id}: {now - at} ns overdue"


def paused_is_at_rest(state: ExecutionState) -> None:
    if not state.paused:
        return
    offers = [offer for offer in due.outstanding(state) if isinstance(offer, OfferActivityTask | OfferWorkflowTask)]
    assert not offers, f"{state.workflow_id} is paused, and offers {offers}"
    assert state.task is None or state.task.started, f"{state.workflow_id} is paused, and its task waits for a worker"
