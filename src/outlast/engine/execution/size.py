"""How much a run takes: sizes of commands, of what one workflow task adds, and of what is kept.

    metadata too long, a next try may differ   -> BadCommand: the workflow task fails, the run goes on
    a piece, a transaction or a state too large -> TooLarge: the run is terminated

Rule: what is too large to be stored would be decided again and again by the same code over the same history, so the run
ends. An SDK that knows the limits, as those of Python do, looks first and fails the workflow task instead
(``docs/decisions/0011``).

Source: rules 3.4.10, 3.5.11 and 3.10.1; service/history/workflow_size_checker.go of Temporal's server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from outlast.api.command.v1 import Command
from outlast.api.common.v1 import Memo, SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protocol.v1 import Message as ProtocolMessage
from outlast.api.sdk.v1 import UserMetadata
from outlast.vocab import limits
from outlast.vocab.attributes import COMMAND_FIELD, COMMAND_NAMES
from outlast.vocab.errors import InvalidArgument

from ..command import BadCommand

_BAD: Mapping[int, int] = {
    _e.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
    _e.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: (
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES
    ),
    _e.COMMAND_TYPE_START_TIMER: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
    _e.COMMAND_TYPE_CANCEL_TIMER: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
    _e.COMMAND_TYPE_RECORD_MARKER: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES,
    _e.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: (
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES
    ),
    _e.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: (
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES
    ),
    _e.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: (
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES
    ),
    _e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
    _e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: (
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES
    ),
    _e.COMMAND_TYPE_PROTOCOL_MESSAGE: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
    _e.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: (
        _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES
    ),
    _e.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES,
    _e.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
    _e.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES,
}
"""The cause that a command's own faults have; those of Nexus are not built."""

_TRANSACTION = _e.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND
_NOTABLE_BYTES = limits.TRANSACTION_BYTES_MAX // 4
"""A request below this size cannot add a transaction's limit: its events repeat it and little more."""


class TooLarge(BadCommand):
    """What a worker asks for cannot be kept: the workflow task fails with ``cause``, and the run is terminated."""

    @property
    def reason(self) -> str:
        """The reason of the termination."""
        return f"{_words(self.cause)}: {self.message}"


def _words(cause: int) -> str:
    """``BadScheduleActivityAttributes`` for WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES."""
    name: str = _e.WorkflowTaskFailedCause.Name(cause)
    return "".join(word.capitalize() for word in name.removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").split("_"))


def check_command(command: Command) -> None:
    """Look at one command's parts.

    Raises:
        TooLarge: an input, a result, a failure, a memo or another of its fields takes more than 2 MiB.
    """
    name = COMMAND_NAMES[command.command_type]
    if command.ByteSize() <= limits.BLOB_BYTES_MAX:
        return
    for field, size in _pieces(getattr(command, COMMAND_FIELD[command.command_type])):
        if size > limits.BLOB_BYTES_MAX:
            raise TooLarge(_BAD[command.command_type], f"{name}: {_exceeds(field, size, limits.BLOB_BYTES_MAX)}")


def _pieces(attributes: Any) -> Iterator[tuple[str, int]]:
    """The fields that are set and how much each of them takes."""
    for field, value in attributes.ListFields():
        if field.message_type is None:
            size = len(value.encode()) if isinstance(value, str) else 0
        elif field.message_type.GetOptions().map_entry:
            size = sum(each.ByteSize() for each in value.values())
        else:
            size = sum(each.ByteSize() for each in value) if field.is_repeated else value.ByteSize()
        yield field.name, size


def _exceeds(what: str, size: int, limit: int) -> str:
    return (
        f"{what} takes {size:,} bytes, more than the {limit:,} that are kept in one piece; pass a reference (a key, a "
        "path, a URL)"
    )


def check_message(message: ProtocolMessage) -> None:
    """Look at a worker's answer to an update.

    Raises:
        TooLarge: it takes more than 2 MiB.
    """
    size = message.body.ByteSize()
    if size > limits.BLOB_BYTES_MAX:
        subject = f"update {message.protocol_instance_id!r}"
        raise TooLarge(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
            f"{subject}: {_exceeds('its answer', size, limits.BLOB_BYTES_MAX)}",
        )


def check_memo(memo: Memo) -> None:
    """Look at the whole memo that a run would have.

    Raises:
        TooLarge: it takes more than 2 MiB.
    """
    if memo.ByteSize() > limits.BLOB_BYTES_MAX:
        raise TooLarge(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
            f"ModifyWorkflowProperties: {_exceeds('the memo', memo.ByteSize(), limits.BLOB_BYTES_MAX)}",
        )


def check_search_attributes(attributes: SearchAttributes) -> None:
    """Look at all search attributes that a run would have.

    Raises:
        TooLarge: they take more than 40 KiB.
    """
    size = attributes.ByteSize()
    if size > limits.SEARCH_ATTRIBUTES_BYTES_MAX:
        raise TooLarge(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
            f"UpsertWorkflowSearchAttributes: the search attributes would take {size:,} bytes together, more than the "
            f"{limits.SEARCH_ATTRIBUTES_BYTES_MAX:,} that a run may have; remove some by setting them to null",
        )


def check_transaction(request_bytes: int, events: Iterable[HistoryEvent]) -> None:
    """Look at all that a completed workflow task adds to history.

    Args:
        request_bytes: the size of the completion and of the events that waited for it.

    Raises:
        TooLarge: it is more than 4 MiB.
    """
    if request_bytes < _NOTABLE_BYTES:
        return
    size = sum(event.ByteSize() for event in events)
    if size > limits.TRANSACTION_BYTES_MAX:
        raise TooLarge(
            _TRANSACTION,
            f"Transaction size exceeds limit. The workflow task adds {size:,} bytes, more than the "
            f"{limits.TRANSACTION_BYTES_MAX:,} that are kept at once; spread its commands over several",
        )


def over(state_bytes: int) -> str:
    """Why a run has to be terminated whose kept state takes so much; "" while it is within bounds."""
    if state_bytes <= limits.STATE_BYTES_MAX:
        return ""
    return f"Workflow mutable state size exceeds limit ({state_bytes:,} of {limits.STATE_BYTES_MAX:,} bytes)."


def check_links(links: int, subject: str) -> None:
    """Look at what callers attach to a start or a signal.

    Raises:
        InvalidArgument: there are too many links.
    """
    if links > limits.LINKS_MAX:
        raise InvalidArgument(f"{subject}: there are {links} links, more than the {limits.LINKS_MAX} that are kept")


def check_request(metadata: UserMetadata, links: int, subject: str) -> None:
    """Look at what callers attach to an activity of its own; what goes with a workflow may be of any length.

    Raises:
        InvalidArgument: the summary or the details are too long, or there are too many links.
    """
    for name, part, limit in (
        ("summary", metadata.summary, limits.SUMMARY_BYTES_MAX),
        ("details", metadata.details, limits.DETAILS_BYTES_MAX),
    ):
        size = part.ByteSize()
        if size > limit:
            raise InvalidArgument(
                f"{subject}: the {name} in user_metadata takes {size:,} bytes, more than {limit:,}; shorten it"
            )
    check_links(links, subject)
