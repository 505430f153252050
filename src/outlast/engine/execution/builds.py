"""Which builds of the workers have worked on a run: the search attributes BuildIds and BinaryChecksums.

A worker names its build in one of two fields: SDKs use the checksum where the server does not offer versioning by
build id.

Source: rule 3.11.3; WorkflowTaskCompletedEventAttributes.
"""

from __future__ import annotations

import json
from typing import Final

from outlast.api.common.v1 import SearchAttributes
from outlast.api.history.v1 import WorkflowTaskCompletedEventAttributes
from outlast.vocab import limits
from outlast.vocab.search_attributes import TYPE_METADATA

from .state import ExecutionState

_UNVERSIONED: Final = "unversioned"
"""Of workers that belong to no deployment."""


def note(state: ExecutionState, completed: WorkflowTaskCompletedEventAttributes) -> None:
    """A worker has completed a workflow task; its build becomes the latest, the oldest builds make room."""
    if completed.worker_version.build_id:
        _note(state, "BuildIds", f"{_UNVERSIONED}:{completed.worker_version.build_id}", [_UNVERSIONED])
    if completed.binary_checksum:
        _note(state, "BinaryChecksums", completed.binary_checksum, [])


def _note(state: ExecutionState, name: str, build: str, always: list[str]) -> None:
    if len(build) > limits.KEYWORD_CHARACTERS_MAX:
        return
    attributes = SearchAttributes.FromString(state.search_attributes)
    payload = attributes.indexed_fields[name]
    known = json.loads(payload.data or b"[]")
    if build in known:
        return
    builds = [each for each in known if each not in always] + [build]
    payload.data = json.dumps([*always, *builds[-limits.BUILDS_MAX :]]).encode()
    payload.metadata["encoding"] = b"json/plain"
    payload.metadata[TYPE_METADATA] = b"KeywordList"
    state.search_attributes = attributes.SerializeToString(deterministic=True)
