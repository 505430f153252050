"""The options of a run that operators change while it runs: its priority, and which worker version it is bound to.

There is one routing, that of unversioned workers: a run can be unbound from a version or follow the newest one, which
is the same here, and cannot be bound to one.

Source: UpdateWorkflowExecutionOptions, WorkflowExecutionOptionsUpdated; rules 3.13.2 and 3.13.5.
"""

from __future__ import annotations

import functools
from typing import Any

from outlast.api.common.v1 import Priority
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.protobuf import FieldMask
from outlast.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from outlast.vocab import limits, priorities
from outlast.vocab.errors import InvalidArgument, Unimplemented

from ..transition import NOTHING, Transition
from .events import new_event
from .state import ExecutionState

_CHANGEABLE = ("versioning_override", "priority")


def update(
    state: ExecutionState, options: WorkflowExecutionOptions, mask: FieldMask, now: int, identity: str
) -> Transition:
    """Change the options that the mask names; nothing where they are so already.

    Raises:
        InvalidArgument: the mask names what there is not, or the priority is none.
        Unimplemented: the run is to be bound to a version, or to skip time.
    """
    subject = f"options of workflow {state.workflow_id!r} run {state.run_id}"
    check(subject, options, mask)
    before = of(state)
    wanted = of(state)
    mask.MergeMessage(options, wanted, True, True)
    attributes: dict[str, Any] = {}
    if wanted.priority != before.priority:
        attributes["priority"] = wanted.priority
    if wanted.versioning_override != before.versioning_override:
        if wanted.HasField("versioning_override"):
            attributes["versioning_override"] = wanted.versioning_override
        else:
            attributes["unset_versioning_override"] = True
    if not attributes:
        return NOTHING
    attributes["identity"] = identity
    return Transition((new_event(_e.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED, now, attributes),))


def check(subject: str, options: WorkflowExecutionOptions, mask: FieldMask) -> None:
    """Refuse a change that cannot be, as ``update`` does."""
    if not mask.paths:
        raise InvalidArgument(f"{subject}: update_mask is empty; name the fields to change")
    if not mask.IsValidForDescriptor(WorkflowExecutionOptions.DESCRIPTOR):
        raise InvalidArgument(
            f"{subject}: update_mask {', '.join(mask.paths)} names a field that there is not; there are "
            "versioning_override and priority, and the fields within them"
        )
    for path in mask.paths:
        if path.partition(".")[0] not in _CHANGEABLE:
            raise Unimplemented(f"{subject}: {path} is not built in this version of outlast")
    _check_override(subject, options.versioning_override)
    if problem := priorities.problem(options.priority):
        raise InvalidArgument(f"{subject}: {problem}")


def _check_override(subject: str, override: VersioningOverride) -> None:
    if override.WhichOneof("override") in ("pinned", "one_time") or (
        override.behavior == _e.VERSIONING_BEHAVIOR_PINNED
    ):
        raise Unimplemented(
            f"{subject}: tasks are not routed by worker version in this version of outlast, so that no workflow can be "
            "bound to one; auto_upgrade, and no override, are what there is"
        )


def of(state: ExecutionState) -> WorkflowExecutionOptions:
    """The options in force."""
    options = WorkflowExecutionOptions()
    if state.priority:
        options.priority.MergeFromString(state.priority)
    if state.versioning_override:
        options.versioning_override.MergeFromString(state.versioning_override)
    return options


@functools.lru_cache(maxsize=1024)
def priority_key(priority: bytes) -> int:
    """The priority key in a serialized Priority; 0 for none."""
    return Priority.FromString(priority).priority_key


def on_updated(state: ExecutionState, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_options_updated_event_attributes
    if attributes.attached_request_id:
        state.attached_request_ids[attributes.attached_request_id] = event.event_id
        if len(state.attached_request_ids) > limits.REQUEST_IDS_MAX:
            del state.attached_request_ids[next(iter(state.attached_request_ids))]
    if attributes.HasField("priority"):
        state.priority = attributes.priority.SerializeToString()
    if attributes.HasField("versioning_override"):
        state.versioning_override = attributes.versioning_override.SerializeToString()
    elif attributes.unset_versioning_override:
        state.versioning_override = b""
