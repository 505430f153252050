"""The words for what a shell has to do after a transition: plain frozen data.

Effects are never the only record of anything. Each can be derived again from the state (``execution.due.outstanding``),
which is how a restarted server finds its work; a repeated or stale effect is harmless, because the decision that it
leads to looks at the state first.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class OfferWorkflowTask(msgspec.Struct, frozen=True):
    """Put the pending workflow task into ``queue``; ``normal_queue`` is where it goes if a sticky queue is gone.

    It may be offered before the commit that scheduled it is durable: workflow code has no side effects, and its
    completion is a later commit of the same run.
    """

    queue: str
    normal_queue: str
    scheduled_event_id: int
    attempt: int

    @property
    def sticky(self) -> bool:
        return self.queue != self.normal_queue


class OfferActivityTask(msgspec.Struct, frozen=True):
    """Put one activity attempt into ``queue``, once the commit that scheduled it is durable."""

    queue: str
    scheduled_event_id: int
    attempt: int
    priority_key: int


class RunEagerly(msgspec.Struct, frozen=True):
    """Hand the activity, already started by this transition, to the caller in the reply."""

    scheduled_event_id: int


class StartChild(msgspec.Struct, frozen=True):
    """Start the child that the event asks for, or tell the run that it cannot be."""

    initiated_event_id: int


class SignalExternal(msgspec.Struct, frozen=True):
    """Deliver the signal that the event asks for, or tell the run that it cannot be."""

    initiated_event_id: int


class RequestCancelExternal(msgspec.Struct, frozen=True):
    """Deliver the cancel request that the event asks for, or tell the run that it cannot be."""

    initiated_event_id: int


class CloseChild(msgspec.Struct, frozen=True):
    """Apply the closed run's parent close policy to the child that the event asked for."""

    initiated_event_id: int


class ReportToParent(msgspec.Struct, frozen=True):
    """Tell the closed run's parent how it ended."""


Request: TypeAlias = StartChild | SignalExternal | RequestCancelExternal | CloseChild | ReportToParent
"""What one run asks the server to do to another, done in the order of asking."""

REQUESTS = (StartChild, SignalExternal, RequestCancelExternal, CloseChild, ReportToParent)

Effect: TypeAlias = OfferWorkflowTask | OfferActivityTask | RunEagerly | Request
