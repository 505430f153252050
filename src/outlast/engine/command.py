"""What every command's decision is given beside the state, and how it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.api.update.v1 import Request
from outlast.vocab.search_attributes import BadValue

from .visibility.attributes import typed

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class CommandContext(msgspec.Struct, frozen=True):
    """The circumstances of one command.

    ``completed_event_id`` is the id of the WorkflowTaskCompleted event. ``first_event`` is the run's
    WorkflowExecutionStarted event, given when a command may start a next run. ``eager_activities`` says whether the
    caller takes activities inline. ``process`` is the engine process when its own worker calls, "" for a remote one.
    ``search_attributes`` are the namespace's own, name -> INDEXED_VALUE_TYPE_*.
    ``namespace`` is the name of the run's namespace; ``namespaces`` maps the names of all of them to their ids.
    ``messages`` are the completion's protocol messages by id, ``requests`` the updates by id that wait to be accepted.
    """

    now: int
    completed_event_id: int
    identity: str
    first_event: HistoryEvent | None = None
    eager_activities: bool = False
    process: str = ""
    search_attributes: Mapping[str, int] = _NOTHING
    namespace: str = ""
    namespaces: Mapping[str, str] = _NOTHING
    messages: Mapping[str, ProtocolMessage] = _NOTHING
    requests: Mapping[str, Request] = _NOTHING

    def typed(self, message: SearchAttributes, subject: str) -> SearchAttributes:
        """Search attributes that a command sets, checked and with their types.

        Raises:
            BadCommand: BAD_SEARCH_ATTRIBUTES, for an unknown name, a value of another type, or too much of it.
        """
        try:
            return typed(message, self.search_attributes)
        except BadValue as error:
            raise BadCommand(_e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, f"{subject}: {error}") from None

    def refuse_other_namespace(self, name: str, own_id: str, subject: str, cause: int) -> None:
        """A run reaches only its own namespace (rule 3.5.10). A name that nobody has is answered by an event instead.

        Raises:
            BadCommand: ``name`` is that of another namespace.
        """
        if name and self.namespaces.get(name, own_id) != own_id:
            raise BadCommand(
                cause,
                f"{subject}: namespace {name!r} is not the workflow's own; calls across namespaces are not allowed, "
                "reach it with a client in an activity",
            )


class BadCommand(Exception):
    """The workflow's fault: the workflow task fails with ``cause`` (WORKFLOW_TASK_FAILED_CAUSE_*) and this message."""

    def __init__(self, cause: int, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
