"""Memo and search attributes that a workflow changes while it runs.

A null payload removes a key. Values are carried, not interpreted: the list filter reads them from the visibility row.

Source: UpsertWorkflowSearchAttributes and WorkflowPropertiesModified events; rule 3.11.7.
"""

from __future__ import annotations

from outlast.api.command.v1 import (
    ModifyWorkflowPropertiesCommandAttributes,
    UpsertWorkflowSearchAttributesCommandAttributes,
)
from outlast.api.common.v1 import Memo, SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent

from ..command import BadCommand, CommandContext
from ..transition import Transition
from . import size
from .events import new_event
from .state import ExecutionState

_NULL_DATA = (b"", b"null", b"[]")


def upsert_search_attributes(
    state: ExecutionState, command: UpsertWorkflowSearchAttributesCommandAttributes, context: CommandContext
) -> Transition:
    """Set or remove search attributes."""
    if not command.search_attributes.indexed_fields:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
            "UpsertWorkflowSearchAttributes: no attribute is given; name at least one",
        )
    changes = context.typed(command.search_attributes, "UpsertWorkflowSearchAttributes")
    size.check_search_attributes(_with_attributes(state, changes))
    attributes = {"workflow_task_completed_event_id": context.completed_event_id, "search_attributes": changes}
    return Transition((new_event(_e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, context.now, attributes),))


def modify(
    state: ExecutionState, command: ModifyWorkflowPropertiesCommandAttributes, context: CommandContext
) -> Transition:
    """Set or remove memo entries."""
    if not command.upserted_memo.fields:
        raise BadCommand(
            _e.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
            "ModifyWorkflowProperties: no memo entry is given; name at least one",
        )
    size.check_memo(_with_memo(state, command.upserted_memo))
    attributes = {
        "workflow_task_completed_event_id": context.completed_event_id,
        "upserted_memo": command.upserted_memo,
    }
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, context.now, attributes),))


def _with_attributes(state: ExecutionState, changes: SearchAttributes) -> SearchAttributes:
    """The run's search attributes once the changes are made."""
    merged = SearchAttributes.FromString(state.search_attributes)
    for name, payload in changes.indexed_fields.items():
        if payload.data in _NULL_DATA:
            merged.indexed_fields.pop(name, None)
        else:
            merged.indexed_fields[name].CopyFrom(payload)
    return merged


def _with_memo(state: ExecutionState, changes: Memo) -> Memo:
    """The run's memo once the changes are made."""
    merged = Memo.FromString(state.memo)
    for name, payload in changes.fields.items():
        if payload.data in _NULL_DATA:
            merged.fields.pop(name, None)
        else:
            merged.fields[name].CopyFrom(payload)
    return merged


def on_search_attributes(state: ExecutionState, event: HistoryEvent) -> None:
    changes = event.upsert_workflow_search_attributes_event_attributes.search_attributes
    state.search_attributes = _with_attributes(state, changes).SerializeToString(deterministic=True)


def on_memo(state: ExecutionState, event: HistoryEvent) -> None:
    changes = event.workflow_properties_modified_event_attributes.upserted_memo
    state.memo = _with_memo(state, changes).SerializeToString(deterministic=True)
