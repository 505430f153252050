"""What is paused, a run or activities of it, is shown as the search attribute TemporalPauseInfo, until it goes on.

So a list of ``TemporalPauseInfo IS NOT NULL`` finds the workflows that wait for an operator. It is outside history.

Source: rule 3.11.3.
"""

from __future__ import annotations

import json
from typing import Final

from outlast.api.common.v1 import SearchAttributes
from outlast.vocab import limits
from outlast.vocab.search_attributes import TYPE_METADATA

from .state import ExecutionState

NAME: Final = "TemporalPauseInfo"


def show(state: ExecutionState) -> None:
    """The run or an activity was paused, or what was paused goes on or is gone.

    The status of a standalone activity says so itself.
    """
    if state.standalone is not None:
        return
    types = sorted({activity.type_name for activity in state.activities.values() if activity.paused})
    words = [f"property:activityType={name}" for name in types]
    if state.pause is not None:
        reason = f"Reason:{state.pause.reason}"[: limits.KEYWORD_CHARACTERS_MAX]
        words = [f"Workflow:{state.workflow_id}", *([reason] if state.pause.reason else []), *words]
    words = [word for word in words if len(word) <= limits.KEYWORD_CHARACTERS_MAX]
    if not words:
        state.search_attributes = without(state.search_attributes)
        return
    attributes = SearchAttributes.FromString(state.search_attributes)
    payload = attributes.indexed_fields[NAME]
    payload.data = json.dumps(words[: limits.PAUSES_SHOWN_MAX]).encode()
    payload.metadata["encoding"] = b"json/plain"
    payload.metadata[TYPE_METADATA] = b"KeywordList"
    state.search_attributes = attributes.SerializeToString(deterministic=True)


def without(search_attributes: bytes) -> bytes:
    """The serialized search attributes without what is paused."""
    attributes = SearchAttributes.FromString(search_attributes)
    attributes.indexed_fields.pop(NAME, None)
    return attributes.SerializeToString(deterministic=True)
