"""Every command, good and bad, at every kind of moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brain import Brain, command, complete_workflow, fail_workflow, schedule_activity, start_timer
from cells import Asked, Input, Table, laws
from family import cancel_external, signal_external, start_child
from test_update import accept, place, respond

from outlast.api.command.v1 import Command
from outlast.api.enums import v1 as e
from outlast.vocab.attributes import COMMAND_NAMES

_ATTRIBUTE = {"indexed_fields": {"Kind": {"data": b'"a"', "metadata": {"encoding": b"json/plain"}}}}


def update(*messages: Any) -> Asked:
    return Asked(place(*messages), {"messages": messages})


GOOD: Mapping[int, Command | Asked] = {
    e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: schedule_activity("2"),
    e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: command(
        e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=5
    ),
    e.COMMAND_TYPE_START_TIMER: start_timer("2"),
    e.COMMAND_TYPE_CANCEL_TIMER: command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="1"),
    e.COMMAND_TYPE_RECORD_MARKER: command(e.COMMAND_TYPE_RECORD_MARKER, marker_name="core_patch"),
    e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: start_child(),
    e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: signal_external(),
    e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: cancel_external(),
    e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: command(
        e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, search_attributes=_ATTRIBUTE
    ),
    e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: command(
        e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, upserted_memo={"fields": {"a": {"data": b"1"}}}
    ),
    e.COMMAND_TYPE_PROTOCOL_MESSAGE: update(accept("u1")),
    e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: complete_workflow(),
    e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: fail_workflow(),
    e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: command(e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION),
    e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: command(e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION),
}
"""One good command of each type, for a run with a scheduled activity (event 5) and a running timer."""

BAD: Mapping[int, Command | Asked] = {
    e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: schedule_activity(""),
    e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: command(
        e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, scheduled_event_id=99
    ),
    e.COMMAND_TYPE_START_TIMER: start_timer(""),
    e.COMMAND_TYPE_CANCEL_TIMER: command(e.COMMAND_TYPE_CANCEL_TIMER, timer_id="99"),
    e.COMMAND_TYPE_RECORD_MARKER: command(e.COMMAND_TYPE_RECORD_MARKER),
    e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: start_child(""),
    e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: signal_external(name=""),
    e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: cancel_external(""),
    e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: command(e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
    e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: command(e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES),
    e.COMMAND_TYPE_PROTOCOL_MESSAGE: update(respond("u1")),
    e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: command(
        e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, result={"payloads": [{"data": b"x" * 3_000_000}]}
    ),
    e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: command(e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION),
    e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: command(
        e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, details={"payloads": [{"data": b"x" * 3_000_000}]}
    ),
    e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: command(
        e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, cron_schedule="every now and then"
    ),
}
"""One bad command of each type; a result and details can only be too large."""


def first_attempt(**_: Any) -> Brain:
    brain = Brain()
    brain.turn(schedule_activity("1"), start_timer("1"))
    brain.signal("nudge")
    brain.poll()
    return brain


def later_attempt(**_: Any) -> Brain:
    brain = first_attempt()
    brain.fail_task()
    brain.poll()
    return brain


def events_wait(**_: Any) -> Brain:
    brain = first_attempt()
    brain.signal("second")
    return brain


def state_of(brain: Brain) -> str:
    return "open" if brain.state.running else "closed"


def _after_close(asked: Command | Asked) -> Command | Asked:
    if isinstance(asked, Command):
        return Asked([complete_workflow(), asked], {})
    return Asked([complete_workflow(), *asked.commands], asked.fields)


def _inputs() -> dict[str, Input]:
    kinds: dict[str, Callable[[int], Command | Asked]] = {
        "good": lambda kind: GOOD[kind],
        "bad": lambda kind: BAD[kind],
        "after the close": lambda kind: _after_close(GOOD[kind]),
    }
    return {
        f"{COMMAND_NAMES[kind]}, {what}": Input(command=lambda _, kind=kind, make=make: make(kind))  # type: ignore[misc]
        for kind in GOOD
        for what, make in kinds.items()
    }


STATES = {"first attempt": first_attempt, "later attempt": later_attempt, "events wait": events_wait}
COMMAND = Table("command", STATES, _inputs(), state_of, laws("command.txt"))
