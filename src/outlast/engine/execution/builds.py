"""Which builds of the workers have worked on a run: search attributes, and the version of the last worker.

A worker names its build in one of three ways: with its deployment, by itself, or as a checksum, which SDKs use where
the server does not offer versioning by build id. All of it is recorded; tasks are not routed by it.

Source: rules 3.7.4, 3.11.3 and 3.13.1; WorkflowTaskCompletedEventAttributes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.workflow.v1 import ResetPointInfo, ResetPoints
from outlast.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest
from outlast.vocab import limits
from outlast.vocab.search_attributes import TYPE_METADATA

from .state import ExecutionState, WorkerVersion

_UNVERSIONED: Final = "unversioned"
"""Of workers that belong to no deployment."""
_BEHAVIORS: Final[Mapping[int, str]] = {
    _e.VERSIONING_BEHAVIOR_PINNED: "Pinned",
    _e.VERSIONING_BEHAVIOR_AUTO_UPGRADE: "AutoUpgrade",
}


def declared(request: RespondWorkflowTaskCompletedRequest) -> dict[str, Any]:
    """What the completed event says of the worker."""
    attributes: dict[str, Any] = {}
    if request.HasField("worker_version_stamp"):
        attributes["worker_version"] = request.worker_version_stamp
    if not request.HasField("deployment_options"):
        return attributes
    options = request.deployment_options
    attributes["worker_deployment_name"] = options.deployment_name
    if options.worker_versioning_mode == _e.WORKER_VERSIONING_MODE_VERSIONED:
        attributes["worker_deployment_version"] = f"{options.deployment_name}.{options.build_id}"
        attributes["deployment_version"] = {"deployment_name": options.deployment_name, "build_id": options.build_id}
        attributes["versioning_behavior"] = request.versioning_behavior
    elif options.build_id and "worker_version" not in attributes:
        attributes["worker_version"] = {"build_id": options.build_id}
    return attributes


def note(state: ExecutionState, event: HistoryEvent) -> None:
    """A worker has completed a workflow task; its build becomes the latest, the oldest builds make room."""
    completed = event.workflow_task_completed_event_attributes
    version = completed.deployment_version
    versioned = completed.HasField("deployment_version")
    build_id = version.build_id if versioned else completed.worker_version.build_id
    if build_id or completed.worker_deployment_name:
        found = WorkerVersion(completed.worker_deployment_name, build_id, versioned, completed.versioning_behavior)
        if versioned and found != state.worker_version:
            _note_version(state, found)
        state.worker_version = found
    else:
        state.worker_version = None
    if build_id or completed.binary_checksum:
        _note_reset_point(state, event, build_id)
    if completed.worker_version.build_id:
        _note(state, "BuildIds", f"{_UNVERSIONED}:{completed.worker_version.build_id}", [_UNVERSIONED])
    if completed.binary_checksum:
        _note(state, "BinaryChecksums", completed.binary_checksum, [])


def _note_reset_point(state: ExecutionState, event: HistoryEvent, build_id: str) -> None:
    """The first workflow task of a build in this chain: what a reset to before that build's time goes back to.

    Every such point can be reset to, for a reset takes pending children along.
    """
    checksum = event.workflow_task_completed_event_attributes.binary_checksum
    known = ResetPoints.FromString(state.reset_points).points
    if any((point.build_id, point.binary_checksum) == (build_id, checksum) for point in known):
        return
    point = ResetPointInfo(
        build_id=build_id,
        binary_checksum=checksum,
        run_id=state.run_id,
        first_workflow_task_completed_id=event.event_id,
        create_time=event.event_time,
        resettable=True,
    )
    kept = [*known, point][-limits.AUTO_RESET_POINTS_MAX :]
    state.reset_points = ResetPoints(points=kept).SerializeToString()


def _note_version(state: ExecutionState, version: WorkerVersion) -> None:
    """A version of a deployment works on the run: lists find it by what it is now, and by all that it ever was."""
    word = f"{version.deployment_name}:{version.build_id}"
    _note(state, "TemporalUsedWorkerDeploymentVersions", word, [])
    attributes = SearchAttributes.FromString(state.search_attributes)
    for name, value in (
        ("TemporalWorkerDeployment", version.deployment_name),
        ("TemporalWorkerDeploymentVersion", word),
        ("TemporalWorkflowVersioningBehavior", _BEHAVIORS.get(version.behavior, "")),
    ):
        attributes.indexed_fields.pop(name, None)
        if value and len(value) <= limits.KEYWORD_CHARACTERS_MAX:
            payload = attributes.indexed_fields[name]
            payload.data = json.dumps(value).encode()
            payload.metadata["encoding"] = b"json/plain"
            payload.metadata[TYPE_METADATA] = b"Keyword"
    state.search_attributes = attributes.SerializeToString(deterministic=True)


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
