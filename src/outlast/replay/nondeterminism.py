"""Say where the code left the path of its history: the event, what the code did, its line, and what to do.

Rule: the line is noted when a command is issued, by walking out of the frames of the SDK and of asyncio; turning it
into text waits until somebody needs it.
"""

from __future__ import annotations

import asyncio
import linecache
import sys
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from google.protobuf.message import Message

from outlast.api.command.v1 import Command
from outlast.api.history.v1 import HistoryEvent
from outlast.vocab.attributes import COMMAND_NAMES, command_attributes, event_attributes

from .events import name_of
from .patch_advice import advice

_CURE = (
    "Code that old runs replay must keep issuing the same commands in the same order. Keep the old path and put the "
    'change behind `if workflow.patched("..."):`, or give runs of the old code a worker of the old version.'
)

_OURS = str(Path(__file__).absolute().parents[1] / "_").removesuffix("_")
_ASYNCIO = str(Path(asyncio.__file__).absolute().parent / "_").removesuffix("_")
_is_ours: dict[CodeType, bool] = {}


class Line(NamedTuple):
    """A line of code, as cheap to note as to forget."""

    code: CodeType
    number: int

    def __str__(self) -> str:
        name = getattr(self.code, "co_qualname", self.code.co_name)
        text = linecache.getline(self.code.co_filename, self.number).strip()
        where = f"{self.code.co_filename}:{self.number} in {name}"
        return f"{where}: {text}" if text else where


def is_ours(code: CodeType) -> bool:
    """Whether the code is the SDK's or asyncio's, and not the user's."""
    ours = _is_ours.get(code)
    if ours is None:
        ours = _is_ours[code] = code.co_filename.startswith((_OURS, _ASYNCIO))
    return ours


def user_line() -> Line | None:
    """The innermost running line that is neither the SDK's nor asyncio's, or None when there is none."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not is_ours(code):
            return Line(code, frame.f_lineno)
        frame = frame.f_back
    return None


class BrokenHistory(Exception):
    """The history cannot be what the server recorded for this run; nothing that workflow code could do about it."""


class Nondeterminism(Exception):
    """The code and its history disagree.

    Args:
        problem: one sentence.
        event: the recorded event, if it is about one.
        command: what the code did instead, if it did something.
        line: where the code did it.
    """

    def __init__(
        self,
        problem: str,
        *,
        event: HistoryEvent | None = None,
        command: Command | None = None,
        line: Line | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem, self.event, self.command, self.line = problem, event, command, line

    def __str__(self) -> str:
        lines = [f"[TMPRL1100] Nondeterminism error: {self.problem}"]
        if self.event is not None:
            lines.append(f"  history has: event {self.event.event_id} {describe_event(self.event)}")
        else:
            lines.append("  history has: no event")
        lines.append(f"  the code did: {describe_command(self.command)}")
        if self.line is not None:
            lines.append(f"    at {self.line}")
        lines.append(_CURE)
        code, number = self.line or (None, 0)
        patch = advice(self.event, code, number)
        if patch:
            lines += ["The patch, at that place of the code:", patch]
        return "\n".join(lines)


# The attributes that tell one event or command of a kind from another, in the order to show them.
_TELLING = (
    "activity_id",
    "activity_type",
    "timer_id",
    "start_to_fire_timeout",
    "workflow_id",
    "workflow_type",
    "workflow_execution",
    "signal_name",
    "marker_name",
    "scheduled_event_id",
    "protocol_instance_id",
    "message_id",
)


def _telling(attributes: Message) -> str:
    parts = []
    for field in _TELLING:
        if field not in attributes.DESCRIPTOR.fields_by_name:
            continue
        value = getattr(attributes, field)
        if isinstance(value, Message):
            value = _short(value)
        if value:
            parts.append(f"{field}={value!r}")
    return ", ".join(parts)


def _short(message: Any) -> Any:
    if hasattr(message, "ToTimedelta"):
        return str(message.ToTimedelta())
    return getattr(message, "name", "") or getattr(message, "workflow_id", "")


def describe_event(event: HistoryEvent) -> str:
    """``ActivityTaskScheduled(activity_id='1', activity_type='charge')``."""
    return f"{name_of(event)}({_telling(event_attributes(event))})"


def describe_command(command: Command | None) -> str:
    """``StartTimer(timer_id='1', start_to_fire_timeout='0:00:05')``, or "nothing"."""
    if command is None:
        return "nothing"
    return f"{COMMAND_NAMES[command.command_type]}({_telling(command_attributes(command))})"
