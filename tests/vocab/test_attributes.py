"""Attributes: every type of event and command finds its own field."""

from __future__ import annotations

import pytest

from outlast.api.command.v1 import Command
from outlast.api.enums.v1 import (
    COMMAND_TYPE_START_TIMER,
    EVENT_TYPE_TIMER_FIRED,
    EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    CommandType,
    EventType,
)
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import (
    COMMAND_FIELD,
    COMMAND_NAMES,
    EVENT_FIELD,
    EVENT_NAMES,
    command_attributes,
    event_attributes,
)


def test_every_type_has_a_field_and_a_name() -> None:
    assert set(EVENT_FIELD) == set(EVENT_NAMES) == set(EventType.values()) - {0}
    assert set(COMMAND_FIELD) == set(COMMAND_NAMES) == set(CommandType.values()) - {0}


def test_names_are_those_of_the_json_history() -> None:
    assert EVENT_NAMES[EVENT_TYPE_WORKFLOW_EXECUTION_STARTED] == "WorkflowExecutionStarted"
    assert COMMAND_NAMES[COMMAND_TYPE_START_TIMER] == "StartTimer"


def test_attributes_are_the_field_itself() -> None:
    event = HistoryEvent(event_type=EVENT_TYPE_TIMER_FIRED)
    event.timer_fired_event_attributes.timer_id = "7"
    assert event_attributes(event) == event.timer_fired_event_attributes
    command = Command(command_type=COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = "8"
    assert command_attributes(command) == command.start_timer_command_attributes


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError):
        event_attributes(HistoryEvent(event_type=9999))
