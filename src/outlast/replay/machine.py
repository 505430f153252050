"""The state machine behind a command: a table of (state, input) -> (next state, action).

Rule: inputs are event types, and ``CANCEL`` for what workflow code asks. A pair that the table does not have is
nondeterminism: this code, at this place of this history, cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from outlast.api.command.v1 import Command
from outlast.api.history.v1 import HistoryEvent

from .events import name_of
from .nondeterminism import Line, Nondeterminism

CANCEL = -1

# Every machine begins in the first state and, if code takes its command back before it was sent, ends in the second.
COMMANDED = "commanded"
WITHDRAWN = "withdrawn"

Action = Callable[[Any, Any], None] | None
Table = Mapping[tuple[str, int], tuple[str, Action]]


class Machine:
    """One command and what became of it.

    Attributes:
        droppable: history need not have this command: see ``marker``.
    """

    __slots__ = ("state",)

    TABLE: ClassVar[Table]
    droppable: ClassVar[bool] = False

    def __init__(self) -> None:
        self.state = COMMANDED

    def on_event(self, event: HistoryEvent) -> None:
        """Take in an event that is about this command.

        Raises:
            Nondeterminism: in this state the event cannot be.
        """
        try:
            self.state, action = self.TABLE[self.state, event.event_type]
        except KeyError:
            raise Nondeterminism(
                f"{self.described()} is {self.state}, so {name_of(event)} cannot be about it", event=event
            ) from None
        if action is not None:
            action(self, event)

    def on_cancel(self) -> None:
        """Workflow code cancels it; without an entry in the table that means nothing."""
        entry = self.TABLE.get((self.state, CANCEL))
        if entry is not None:
            self.state, action = entry
            if action is not None:
                action(self, None)

    def described(self) -> str:
        """What this machine stands for, for messages."""
        raise NotImplementedError


class Recorded(Machine):
    """The machine of a command that is done once it is recorded."""

    __slots__ = ("_name", "event_type")
    TABLE: ClassVar[Table] = {}

    def __init__(self, event_type: int, name: str) -> None:
        super().__init__()
        self.event_type, self._name = event_type, name

    def on_event(self, event: HistoryEvent) -> None:
        if event.event_type != self.event_type:
            raise Nondeterminism(f"{self._name} was recorded as something else", event=event)
        self.state = "recorded"

    def described(self) -> str:
        return self._name


class Pending:
    """A command on its way into history.

    Attributes:
        event_type: of the event that will record it.
        line: where workflow code issued it.
    """

    __slots__ = ("command", "event_type", "line", "machine")

    def __init__(self, command: Command, event_type: int, machine: Machine, line: Line | None) -> None:
        self.command, self.event_type, self.machine, self.line = command, event_type, machine, line
