"""Event groups: tokens that tie commands, and the events they become, to a logical group for UI and CLI.

Rule: markers are captured where a command is asked for, because the context it is built in may be another one.
Signal and update handlers run in an implicit group of their own, which hides the explicit groups around it.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from outlast.api.sdk.v1 import EventGroupMarker
from outlast.converter import PayloadConverter

from ._runtime import Runtime


class EventGroup:
    """A group of commands, made by ``create_event_group``. Experimental, as in Temporal."""

    def __init__(self, marker: EventGroupMarker, group_id: str | None) -> None:
        self._marker = marker
        self._id = group_id

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Attach this group to every command asked for inside; scopes nest, and tasks started inside inherit them.

        Raises:
            _NotInWorkflowEventLoopError: outside a workflow.
        """
        Runtime.current()
        token = _active.set(_active.get().with_group(self))
        try:
            yield
        finally:
            # A coroutine that is closed, not resumed, unwinds in another context; that one is thrown away.
            with suppress(ValueError):
                _active.reset(token)


@dataclass(frozen=True, slots=True)
class _ActiveGroups:
    implicit: EventGroup | None = None
    explicit: Mapping[str, EventGroup] = field(default_factory=dict)

    def with_group(self, group: EventGroup) -> _ActiveGroups:
        if group._id is None:
            return _ActiveGroups(implicit=group)
        return _ActiveGroups(self.implicit, {**self.explicit, group._id: group})


_NONE = _ActiveGroups()
_active: contextvars.ContextVar[_ActiveGroups] = contextvars.ContextVar("outlast_event_groups", default=_NONE)


def create_event_group(id: str, *, label: str | None = None) -> EventGroup:
    """An event group to attach to commands, by their ``event_groups`` or by ``scope()``.

    Args:
        id: not empty, plain text in history; the same id is the same group.
        label: not empty when given; what UI and CLI show.

    Raises:
        ValueError: an empty id or label.
        _NotInWorkflowEventLoopError: outside a workflow.
    """
    Runtime.current()
    if not id:
        raise ValueError("Event group id cannot be empty")
    if label is not None and not label:
        raise ValueError("Event group label cannot be empty")
    # The default converter, not the user's: the UI has to read labels.
    payload = None if label is None else PayloadConverter.default.to_payload(label)
    return EventGroup(EventGroupMarker(label=EventGroupMarker.Label(id=id, label=payload)), id)


def signal_group(event_id: int) -> EventGroup:
    """The implicit group of a signal, by the id of its event."""
    return EventGroup(EventGroupMarker(inbound_event=EventGroupMarker.InboundEvent(inbound_event_id=event_id)), None)


def update_group(update_id: str) -> EventGroup:
    """The implicit group of an update, by its id."""
    return EventGroup(
        EventGroupMarker(inbound_update=EventGroupMarker.InboundUpdate(inbound_update_id=update_id)), None
    )


def capture_markers(groups: Sequence[EventGroup] | None) -> list[EventGroupMarker]:
    """Markers for a command that is asked for here and now: the implicit group first, then the explicit ones.

    Raises:
        TypeError: ``groups`` holds something that ``create_event_group`` did not make.
    """
    active = _active.get()
    if active is _NONE and not groups:
        return []
    explicit = dict(active.explicit)
    for group in groups or ():
        if not isinstance(group, EventGroup) or group._id is None:
            raise TypeError("Event groups must be created with workflow.create_event_group()")
        explicit[group._id] = group
    markers = [group._marker for group in explicit.values()]
    return [active.implicit._marker, *markers] if active.implicit else markers
