"""Nexus from workflow code: the names are here, the operations are not."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NoReturn


class NexusOperationCancellationType(IntEnum):
    """What cancelling an operation's handle means."""

    WAIT_COMPLETED = 0
    ABANDON = 1
    TRY_CANCEL = 2
    WAIT_REQUESTED = 3


def create_nexus_client(*, service: Any, endpoint: str) -> NoReturn:
    """Always raises NotImplementedError: workflows cannot call Nexus operations."""
    raise NotImplementedError(
        f"workflow.create_nexus_client: Nexus operations are not supported (endpoint {endpoint!r}, service {service!r})"
    )


async def signal_with_start_workflow(*args: Any, **kwargs: Any) -> NoReturn:
    """Always raises NotImplementedError: it is a Nexus operation of the server."""
    raise NotImplementedError("workflow.signal_with_start_workflow is not supported; start it from an activity")
