"""Patches: the marker that says which path a run has taken.

    history has         | code has         | outcome
    --------------------+------------------+---------------------------------------------------------------
    nothing, live       | patched          | true; marker and TemporalChangeVersion are sent
    nothing, replaying  | patched          | false; nothing is sent
    marker              | patched          | true
    marker              | deprecate_patch  | as if it were patched
    marker              | no call          | nondeterminism: this path still needs the patch
    deprecated marker   | no call          | the marker is ignored
    nothing             | deprecate_patch  | live: a deprecated marker is sent; replaying: nothing

Rule: markers of the task at hand are known before its code runs, from looking ahead in history. One answer per id and
run. A pending marker command that meets another event is dropped: the code may say ``patched`` where old code did not.

Source: sdk-core ``patch_state_machine.rs`` and ``patch_marker_handling``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import (
    Command,
    RecordMarkerCommandAttributes,
    UpsertWorkflowSearchAttributesCommandAttributes,
)
from outlast.api.common.v1 import Payload, Payloads, SearchAttributes
from outlast.api.history.v1 import HistoryEvent
from outlast.api.sdk.v1 import EventGroupMarker

from .config import PatchActivationInput
from .flags import CoreFlag
from .machine import COMMANDED, Machine, Pending, Recorded, Table
from .nondeterminism import Nondeterminism

if TYPE_CHECKING:
    from .context import RunContext

MARKER_NAME = "core_patch"
DETAILS_KEY = "patch-data"
CHANGE_VERSION = "TemporalChangeVersion"

# A search attribute value of this many bytes is refused by the server.
_VALUE_MAX = 2048


class Patch(Machine):
    """One patch marker."""

    __slots__ = ("id",)

    def __init__(self, patch_id: str) -> None:
        super().__init__()
        self.id = patch_id

    def described(self) -> str:
        return f"patch {self.id!r}"

    def _recorded(self, event: HistoryEvent) -> None:
        found = patch_of(event)
        if found is None or found[0] != self.id:
            raise Nondeterminism("the code asked for another patch than the recorded one", event=event)

    TABLE: ClassVar[Table] = {(COMMANDED, e.EVENT_TYPE_MARKER_RECORDED): ("recorded", _recorded)}
    droppable: ClassVar[bool] = True


def patch_of(event: HistoryEvent) -> tuple[str, bool] | None:
    """Id and deprecation of a patch marker; None for any other event."""
    if event.event_type != e.EVENT_TYPE_MARKER_RECORDED:
        return None
    attributes = event.marker_recorded_event_attributes
    if attributes.marker_name != MARKER_NAME:
        return None
    if DETAILS_KEY in attributes.details and attributes.details[DETAILS_KEY].payloads:
        data = json.loads(attributes.details[DETAILS_KEY].payloads[0].data)
        return data["id"], data["deprecated"]
    # Plain bytes, as markers were written before there was a deprecated form in JSON.
    if "patch_id" in attributes.details and "deprecated" in attributes.details:
        patch_id = attributes.details["patch_id"].payloads[0].data.decode()
        return patch_id, attributes.details["deprecated"].payloads[0].data == b"\x01"
    return None


def _json_payload(value: object) -> Payload:
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


class Patches:
    """The patches of one run."""

    __slots__ = ("_answers", "_context", "_in_history", "_sent")

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._answers: dict[str, bool] = {}
        # Ids that history has told of so far, and whether this replay has issued their command.
        self._sent: dict[str, bool] = {}
        self._in_history: set[str] = set()

    # -- from history ---------------------------------------------------------------------------------------------

    def look_ahead(self, events: Sequence[HistoryEvent]) -> None:
        """Learn of the markers that the task at hand recorded."""
        for event in events:
            found = patch_of(event)
            if found is not None:
                self._sent[found[0]] = False
                self._context.jobs.add_patch(partial(self._in_history.add, found[0]))

    def screen(self, event: HistoryEvent, pending: Pending | None, next_event: HistoryEvent | None) -> str:
        """What to do with a command event: see ``Ledger.record``.

        Raises:
            Nondeterminism: a marker that still counts, and no call of ``patched`` for it.
        """
        patch = pending.machine if pending is not None and isinstance(pending.machine, Patch) else None
        found = patch_of(event)
        if found is None:
            return "match" if patch is None else "drop"
        patch_id, deprecated = found
        if deprecated and (patch is None or patch.id != patch_id):
            return "skip both" if _is_change_version(next_event) else "skip"
        if patch is None:
            raise Nondeterminism(
                f"history has a marker of patch {patch_id!r}, but the code does not call patched or deprecate_patch",
                event=event,
                command=pending.command if pending else None,
                line=pending.line if pending else None,
            )
        return "match"

    # -- from workflow code ---------------------------------------------------------------------------------------

    def ask(self, patch_id: str, deprecated: bool, markers: Sequence[EventGroupMarker]) -> bool:
        """Whether to take the new path; sends the marker where the answer is new.

        Raises:
            TypeError: the patch activation callback did not answer with a bool.
        """
        self._context.require_writable("patch")
        answer = self._answers.get(patch_id)
        if answer is None:
            answer = self._answers[patch_id] = self._decide(patch_id, deprecated)
            if answer:
                self._send(patch_id, deprecated, markers)
        return answer

    def _decide(self, patch_id: str, deprecated: bool) -> bool:
        context, known = self._context, patch_id in self._in_history
        if deprecated or context.mode.replaying or known:
            return not context.mode.replaying or known
        activation = context.config.patch_activation
        if activation is None:
            return True
        with context.as_read_only(in_query=False):
            answer = activation(PatchActivationInput(workflow_info=context.info, patch_id=patch_id))
        if type(answer) is not bool:
            raise TypeError("Patch activation callback must return true or false")
        return answer

    def _send(self, patch_id: str, deprecated: bool, markers: Sequence[EventGroupMarker]) -> None:
        if self._sent.get(patch_id):
            return
        context = self._context
        seen_ahead = patch_id in self._sent
        marker = RecordMarkerCommandAttributes(marker_name=MARKER_NAME)
        marker.details[DETAILS_KEY].CopyFrom(
            Payloads(payloads=[_json_payload({"id": patch_id, "deprecated": deprecated})])
        )
        command = Command(
            command_type=e.COMMAND_TYPE_RECORD_MARKER,
            event_group_markers=markers,
            record_marker_command_attributes=marker,
        )
        context.ledger.issue(command, e.EVENT_TYPE_MARKER_RECORDED, Patch(patch_id))
        upsert = context.flags.core(CoreFlag.UPSERT_ON_PATCH, context.mode.replaying)
        if upsert and not (context.mode.replaying and not seen_ahead):
            self._upsert(patch_id, markers)
        self._sent[patch_id] = True

    def _upsert(self, patch_id: str, markers: Sequence[EventGroupMarker]) -> None:
        payload = _json_payload(sorted({*self._sent, patch_id}))
        if len(payload.data) >= _VALUE_MAX:
            return
        payload.metadata["type"] = b"KeywordList"
        attributes = UpsertWorkflowSearchAttributesCommandAttributes(
            search_attributes=SearchAttributes(indexed_fields={CHANGE_VERSION: payload})
        )
        command = Command(
            command_type=e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
            event_group_markers=markers,
            upsert_workflow_search_attributes_command_attributes=attributes,
        )
        event_type = e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
        self._context.ledger.issue(command, event_type, Recorded(event_type, "the search attribute of patches"))


def _is_change_version(event: HistoryEvent | None) -> bool:
    if event is None or event.event_type != e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        return False
    attributes = event.upsert_workflow_search_attributes_event_attributes
    return CHANGE_VERSION in attributes.search_attributes.indexed_fields
