"""Event types and command types, the attributes field that each stands for, and its name as people write it.

Rule: read from the descriptors by Temporal's own naming scheme: EVENT_TYPE_TIMER_FIRED is carried in
`timer_fired_event_attributes` and called TimerFired. A type that breaks the scheme fails at import.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from outlast.api.command.v1 import Command
from outlast.api.enums.v1 import CommandType, EventType
from outlast.api.history.v1 import HistoryEvent


def _fields(values: list[tuple[str, int]], prefix: str, suffix: str, carrier: Descriptor) -> Mapping[int, str]:
    fields = {number: name.removeprefix(prefix).lower() + suffix for name, number in values if number}
    known = {field.name for field in carrier.oneofs_by_name["attributes"].fields}
    assert set(fields.values()) == known, set(fields.values()) ^ known
    return MappingProxyType(fields)


def _names(values: list[tuple[str, int]], prefix: str) -> Mapping[int, str]:
    return MappingProxyType(
        {number: name.removeprefix(prefix).title().replace("_", "") for name, number in values if number}
    )


EVENT_FIELD: Final = _fields(EventType.items(), "EVENT_TYPE_", "_event_attributes", HistoryEvent.DESCRIPTOR)
"""Event type to the name of its attributes field."""

COMMAND_FIELD: Final = _fields(CommandType.items(), "COMMAND_TYPE_", "_command_attributes", Command.DESCRIPTOR)
"""Command type to the name of its attributes field."""

EVENT_NAMES: Final = _names(EventType.items(), "EVENT_TYPE_")
"""Event type to its name in print: WorkflowExecutionStarted."""

COMMAND_NAMES: Final = _names(CommandType.items(), "COMMAND_TYPE_")
"""Command type to its name in print: ScheduleActivityTask."""


def event_attributes(event: HistoryEvent) -> Message:
    """The attributes that the type of the event asks for; an empty message when the event carries none.

    Raises:
        KeyError: the event's type is not one that this version knows.
    """
    attributes: Message = getattr(event, EVENT_FIELD[event.event_type])
    return attributes


def command_attributes(command: Command) -> Message:
    """The attributes that the type of the command asks for; an empty message when the command carries none.

    Raises:
        KeyError: the command's type is not one that this version knows.
    """
    attributes: Message = getattr(command, COMMAND_FIELD[command.command_type])
    return attributes
