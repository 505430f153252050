"""Payloads that no server takes: found before they are sent, so that a fix and a new deployment can help.

Rule: a completion that is small as a whole, as nearly all are, costs one look at its size.
Source: rule 3.4.10 of the semantics: a server terminates the workflow for a payload above its limit.
"""

from __future__ import annotations

from outlast.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest
from outlast.converter import PAYLOAD_SIZE_MAX
from outlast.vocab import payloads
from outlast.vocab.attributes import COMMAND_NAMES, command_attributes


def oversized(answer: RespondWorkflowTaskCompletedRequest) -> str | None:
    """Names the first command with too large payloads, the size and the cure; None when all is well."""
    if answer.ByteSize() <= PAYLOAD_SIZE_MAX:
        return None
    for command in answer.commands:
        for path, size in payloads.sizes(command_attributes(command)):
            if size > PAYLOAD_SIZE_MAX:
                return (
                    f"[TMPRL1103] {path} of the command {COMMAND_NAMES[command.command_type]} takes {size:,} bytes, "
                    f"more than the {PAYLOAD_SIZE_MAX:,} bytes that a server accepts; pass a reference (a key, a path, "
                    "a URL) and let an activity read the data, or compress it with a payload codec"
                )
    return None
