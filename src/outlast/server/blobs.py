"""Payloads above the limit: a call that brings one in is refused before anything is decided.

Rule: a request that is small as a whole, as nearly all are, costs one look at its size. What workers report is not
refused here: an attempt that cannot report its result would run again and again, so there the engine decides.
Source: rules 3.10.1 and 3.2.8.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message

from outlast.vocab import limits, payloads
from outlast.vocab.errors import InvalidArgument

_REFUSED: Final = frozenset(
    {
        "ExecuteMultiOperation",
        "QueryWorkflow",
        "RequestCancelWorkflowExecution",
        "SignalWithStartWorkflowExecution",
        "SignalWorkflowExecution",
        "StartActivityExecution",
        "StartWorkflowExecution",
        "TerminateWorkflowExecution",
        "UpdateWorkflowExecution",
    }
)


def check(rpc: str, request: Message) -> None:
    """Refuse a caller's payloads above ``BLOB_BYTES_MAX``.

    Raises:
        InvalidArgument: names the place in the request and the size.
    """
    if request.ByteSize() <= limits.BLOB_BYTES_MAX or rpc not in _REFUSED:
        return
    for place, size in payloads.sizes(request):
        if size > limits.BLOB_BYTES_MAX:
            raise InvalidArgument(
                f"{rpc}: {place} takes {size:,} bytes, more than the {limits.BLOB_BYTES_MAX:,} that are kept in one "
                "piece; pass a reference (a key, a path, a URL) and let an activity read the data"
            )
