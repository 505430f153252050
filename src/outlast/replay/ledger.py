"""The ledger: commands that workflow code issued, matched one by one with the events that record them.

Rule: a command stays pending until its event arrives; what is pending when code has come to rest is what the
completion sends. Each command event must record the oldest pending command, and when the command events of a
completed task end, nothing may be left pending. Patch markers are the exception that versioning lives from: see
``marker``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import Command
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.vocab.attributes import EVENT_FIELD

from .events import ORIGIN, name_of
from .machine import WITHDRAWN, Machine, Pending
from .nondeterminism import Nondeterminism, user_line

_MARKER = e.EVENT_TYPE_MARKER_RECORDED

# What to do with a command event before it is matched: see ``marker.PatchRules``.
Screen = Callable[[HistoryEvent, Pending | None], str]


class Ledger:
    """Pending commands and messages of one run, and the machines that wait for events.

    Attributes:
        drop_after_close: whether commands issued after the close are lost, and not sent before it.
        messages: protocol messages for the completion.
    """

    __slots__ = ("_closing", "_machines", "_pending", "_sequences", "drop_after_close", "messages")

    def __init__(self) -> None:
        self.drop_after_close = False
        self._pending: deque[Pending] = deque()
        self._closing: Pending | None = None
        self._machines: dict[int, Machine] = {}
        self._sequences: dict[str, int] = {}
        self.messages: list[ProtocolMessage] = []

    # -- from workflow code ---------------------------------------------------------------------------------------

    def next_seq(self, kind: str) -> int:
        """1, 2, 3 ... for each kind: what activity and timer ids are made of."""
        seq = self._sequences[kind] = self._sequences.get(kind, 0) + 1
        return seq

    def issue(self, command: Command, event_type: int, machine: Machine) -> bool:
        """Workflow code issues a command.

        Returns:
            False when it comes too late to be sent.
        """
        if self.drop_after_close and self._closing is not None:
            return False
        self._pending.append(Pending(command, event_type, machine, user_line()))
        return True

    def close(self, command: Command, event_type: int, machine: Machine) -> None:
        """Workflow code closes the run: the first such command wins, and it is sent after all others."""
        if self._closing is None:
            self._closing = Pending(command, event_type, machine, user_line())

    @property
    def is_closing(self) -> bool:
        return self._closing is not None

    def commands(self) -> list[Command]:
        """What the completion sends, in order."""
        return [pending.command for pending in self._all()]

    def _all(self) -> Iterator[Pending]:
        for pending in self._pending:
            if pending.machine.state != WITHDRAWN:
                yield pending
        if self._closing is not None:
            yield self._closing

    # -- from history ---------------------------------------------------------------------------------------------

    def record(self, event: HistoryEvent, screen: Screen) -> str:
        """A command event arrives.

        Args:
            screen: asked where markers or droppable commands are about; says of the event and the oldest pending
                command: "match" them, "skip" the event, "skip both" it and the next one, or "drop" the command and
                ask again.

        Returns:
            What ``screen`` said last; "match" when the command is recorded now.

        Raises:
            Nondeterminism: no command is pending, or it is another one.
        """
        kind = event.event_type
        while True:
            pending = self._front()
            if kind != _MARKER and (pending is None or not pending.machine.droppable):
                break
            verdict = screen(event, pending)
            if verdict == "match":
                break
            if verdict != "drop":
                return verdict
            self._pending.popleft()
        if pending is None:
            raise Nondeterminism("the code issued no command for a recorded event", event=event)
        if pending is self._closing:
            self._closing = None
        else:
            self._pending.popleft()
        if pending.event_type != kind:
            raise Nondeterminism(
                "the code issued another command than the recorded one",
                event=event,
                command=pending.command,
                line=pending.line,
            )
        try:
            pending.machine.on_event(event)
        except Nondeterminism as error:
            error.command, error.line = error.command or pending.command, error.line or pending.line
            raise
        self._machines[event.event_id] = pending.machine
        return "match"

    def _front(self) -> Pending | None:
        pending = self._pending
        while pending and pending[0].machine.state == WITHDRAWN:
            pending.popleft()
        return pending[0] if pending else self._closing

    def require_all_recorded(self) -> None:
        """The command events of a completed task have ended.

        Raises:
            Nondeterminism: a command is still pending that is not droppable.
        """
        if not self._pending and self._closing is None:
            return
        for pending in self._all():
            if not pending.machine.droppable:
                raise Nondeterminism(
                    "the code issued a command that history does not have", command=pending.command, line=pending.line
                )
        self._pending.clear()

    def follow_up(self, event: HistoryEvent) -> None:
        """An event about an earlier command arrives.

        Raises:
            Nondeterminism: no command is known for it, or it cannot be in this state.
        """
        kind = event.event_type
        origin = getattr(getattr(event, EVENT_FIELD[kind]), ORIGIN[kind])
        machine = self._machines.get(origin)
        if machine is None:
            raise Nondeterminism(f"{name_of(event)} is about event {origin}, which records no command", event=event)
        machine.on_event(event)

    def forget_after(self, event_id: int) -> None:
        """Drop what was recorded later than ``event_id``: those events never came to be."""
        for later in [one for one in self._machines if one > event_id]:
            del self._machines[later]
