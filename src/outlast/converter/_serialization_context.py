"""What a converter or codec may know about the value it handles: whose input or output it is."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Self


class SerializationContext(ABC):
    """Whose value is being converted; see the subclasses.

    A client converts with the context of the workflow it talks to. A workflow converts its own input and output with
    its own context, a child's with the child's, and those of an activity with an activity context that names the
    calling workflow. The worker of an activity uses that same activity context.
    """


@dataclass(frozen=True)
class WorkflowSerializationContext(SerializationContext):
    """The value belongs to a workflow."""

    namespace: str
    """Namespace of the workflow."""

    workflow_id: str
    """Id of the workflow; for a schedule, the id as configured, before the time is appended."""


@dataclass(frozen=True)
class ActivitySerializationContext(SerializationContext):
    """The value belongs to an activity."""

    namespace: str
    """Namespace of the activity."""

    activity_id: str | None
    """Id of the activity; None where the workflow has not chosen one yet."""

    activity_type: str | None
    """Name of the activity; deprecated, absent in some directions."""

    activity_task_queue: str | None
    """Task queue of the activity; deprecated, absent in some directions."""

    workflow_id: str | None
    """Id of the calling workflow; None for a standalone activity."""

    workflow_type: str | None
    """Type of the calling workflow; None for a standalone activity."""

    is_local: bool
    """Whether it is a local activity."""


@dataclass(frozen=True)
class NexusSerializationContext(SerializationContext):
    """The value belongs to a Nexus operation. Decoders must also accept values that were encoded without it."""

    endpoint: str
    """Endpoint that is called."""

    service: str
    """Service that is called."""

    operation: str
    """Operation that is called."""


class WithSerializationContext(ABC):
    """Implemented by payload converters, codecs and failure converters that want the context.

    Before every use the SDK replaces such an object by what ``with_context`` returns.
    """

    def with_context(self, context: SerializationContext) -> Self:
        """A copy of this object that uses the context."""
        raise NotImplementedError(f"{type(self).__name__} does not define with_context")
