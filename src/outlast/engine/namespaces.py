"""Namespaces: what a request makes of a description, and which states allow what.

    REGISTERED -> DEPRECATED (no new workflows) -> REGISTERED ...
    either -> DELETED: renamed at once, its runs are reclaimed in the background, then it is gone

A namespace's own search attributes take slots, as they do in Temporal's SQL stores: ``Keyword01`` is the slot, the name
its alias. The slot says the type.

Source: RegisterNamespace, UpdateNamespace, DeprecateNamespace, DeleteNamespace; rules 3.10.5, 3.11.1, 3.11.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from outlast.api.enums import v1 as _e
from outlast.api.namespace.v1 import NamespaceConfig, NamespaceInfo
from outlast.api.replication.v1 import ClusterReplicationConfig, NamespaceReplicationConfig
from outlast.api.workflowservice.v1 import (
    DescribeNamespaceResponse,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from outlast.vocab import limits
from outlast.vocab.errors import AlreadyExists, InvalidArgument, NamespaceInvalidState, NotFound, Unimplemented
from outlast.vocab.search_attributes import PREDEFINED, RESERVED_PREFIX, SYSTEM, TYPE_NAMES
from outlast.vocab.times import duration, from_duration

CLUSTER: Final = "outlast"
"""The one cluster that there is."""

_CLUSTERS: Final = ("", "active", CLUSTER)
"""``active`` is the name of a development server's cluster, which tools send by default."""
_ATTRIBUTE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*")
_SLOT: Final = re.compile(r"([A-Za-z]+)\d\d")
_SLOTS: Final[Mapping[int, int]] = {type_: 10 if type_ == _e.INDEXED_VALUE_TYPE_KEYWORD else 3 for type_ in TYPE_NAMES}
"""Type -> how many a namespace may have (rule 3.11.1)."""
_TYPE_OF_SLOT: Final = {name: number for number, name in TYPE_NAMES.items()}


def new(name: str, namespace_id: str, retention_ns: int = limits.RETENTION_DEFAULT_NS) -> DescribeNamespaceResponse:
    """A namespace with everything at its default."""
    return DescribeNamespaceResponse(
        namespace_info=NamespaceInfo(name=name, id=namespace_id, state=_e.NAMESPACE_STATE_REGISTERED),
        config=NamespaceConfig(workflow_execution_retention_ttl=duration(retention_ns)),
    )


def register(request: RegisterNamespaceRequest, namespace_id: str) -> DescribeNamespaceResponse:
    """The namespace that a request asks for.

    Raises:
        InvalidArgument: the name or the retention is none.
        Unimplemented: it asks for archival or for several clusters.
    """
    subject = f"namespace {request.namespace!r}"
    if not request.namespace:
        raise InvalidArgument("RegisterNamespace: namespace is empty; it is required")
    if len(request.namespace.encode()) > limits.ID_BYTES_MAX:
        raise InvalidArgument(f"{subject}: the name is longer than {limits.ID_BYTES_MAX} bytes")
    clusters = [cluster.cluster_name for cluster in request.clusters]
    if request.is_global_namespace or any(name not in _CLUSTERS for name in (request.active_cluster_name, *clusters)):
        raise Unimplemented(f"{subject}: namespaces of several clusters are not built in this version of outlast")
    _refuse_archival(subject, request)
    retention = from_duration(request.workflow_execution_retention_period)
    _check_retention(subject, retention)
    description = new(request.namespace, namespace_id, retention)
    info = description.namespace_info
    info.description = request.description
    info.owner_email = request.owner_email
    info.data.update(request.data)
    return description


def update(stored: DescribeNamespaceResponse, request: UpdateNamespaceRequest) -> DescribeNamespaceResponse:
    """The namespace as a request changes it; what the request leaves out stays.

    Raises:
        InvalidArgument: the retention or an alias is none.
        Unimplemented: it asks for archival, bad binaries or several clusters.
    """
    subject = f"namespace {request.namespace!r}"
    if request.promote_namespace or request.replication_config.clusters:
        raise Unimplemented(f"{subject}: namespaces of several clusters are not built in this version of outlast")
    if request.replication_config.active_cluster_name not in _CLUSTERS:
        raise Unimplemented(f"{subject}: namespaces of several clusters are not built in this version of outlast")
    if request.delete_bad_binary or request.config.bad_binaries.binaries:
        raise Unimplemented(f"{subject}: bad binaries are not built in this version of outlast")
    _refuse_archival(subject, request.config)
    description = _copy(stored)
    info, config = description.namespace_info, description.config
    changes = request.update_info
    info.description = changes.description or info.description
    info.owner_email = changes.owner_email or info.owner_email
    info.data.update(changes.data)
    if changes.state:
        if changes.state not in (_e.NAMESPACE_STATE_REGISTERED, _e.NAMESPACE_STATE_DEPRECATED):
            raise InvalidArgument(f"{subject}: its state cannot be set to that; delete it with DeleteNamespace")
        info.state = changes.state
    if request.config.HasField("workflow_execution_retention_ttl"):
        retention = from_duration(request.config.workflow_execution_retention_ttl)
        _check_retention(subject, retention)
        config.workflow_execution_retention_ttl.CopyFrom(duration(retention))
    for slot, alias in request.config.custom_search_attribute_aliases.items():
        _check_slot(subject, slot)
        if alias:
            _check_attribute_name(alias)
            config.custom_search_attribute_aliases[slot] = alias
        else:
            config.custom_search_attribute_aliases.pop(slot, None)
    return description


def deprecate(stored: DescribeNamespaceResponse) -> DescribeNamespaceResponse:
    """The namespace as one that starts no more workflows."""
    description = _copy(stored)
    description.namespace_info.state = _e.NAMESPACE_STATE_DEPRECATED
    return description


def delete(stored: DescribeNamespaceResponse) -> DescribeNamespaceResponse:
    """The namespace under a name that nobody uses, so that its own is free at once."""
    description = _copy(stored)
    info = description.namespace_info
    info.name = f"{info.name}-deleted-{info.id[:8]}"
    info.state = _e.NAMESPACE_STATE_DELETED
    return description


def check_state(stored: DescribeNamespaceResponse, *, starting: bool) -> None:
    """Refuse what the state of the namespace forbids.

    Args:
        starting: a new workflow is to be started.

    Raises:
        NamespaceInvalidState: it is being deleted, or is deprecated and starts no workflows.
    """
    info = stored.namespace_info
    allowed = (
        [_e.NAMESPACE_STATE_REGISTERED] if starting else [_e.NAMESPACE_STATE_REGISTERED, _e.NAMESPACE_STATE_DEPRECATED]
    )
    if info.state not in allowed:
        deprecated = info.state == _e.NAMESPACE_STATE_DEPRECATED
        why = "is deprecated and starts no new workflows" if deprecated else "is being deleted"
        raise NamespaceInvalidState(
            f"namespace {info.name!r} {why}; use another", namespace=info.name, state=info.state, allowed_states=allowed
        )


def shown(stored: DescribeNamespaceResponse) -> DescribeNamespaceResponse:
    """The namespace as callers see it: with what this version can do, and its limits."""
    description = _copy(stored)
    info = description.namespace_info
    info.capabilities.CopyFrom(
        NamespaceInfo.Capabilities(
            eager_workflow_start=True,
            sync_update=True,
            async_update=True,
            worker_heartbeats=True,
            reported_problems_search_attribute=True,
            workflow_pause=True,
            standalone_activities=True,
            standalone_activity_start_delay=True,
            standalone_activity_operator_commands=True,
            standalone_activity_batch_operations=True,
        )
    )
    info.limits.CopyFrom(
        NamespaceInfo.Limits(
            blob_size_limit_error=limits.BLOB_BYTES_MAX,
            memo_size_limit_error=limits.BLOB_BYTES_MAX,
            workflow_task_completion_size_limit_error=limits.TRANSACTION_BYTES_MAX,
        )
    )
    description.replication_config.CopyFrom(
        NamespaceReplicationConfig(
            active_cluster_name=CLUSTER,
            clusters=[ClusterReplicationConfig(cluster_name=CLUSTER)],
            state=_e.REPLICATION_STATE_NORMAL,
        )
    )
    return description


# -- search attributes -------------------------------------------------------------------------------------------------


def search_attributes(stored: DescribeNamespaceResponse) -> dict[str, int]:
    """The namespace's own search attributes: name -> INDEXED_VALUE_TYPE_*."""
    return {
        alias: _TYPE_OF_SLOT[slot[:-2]] for slot, alias in sorted(stored.config.custom_search_attribute_aliases.items())
    }


def add_search_attributes(
    stored: DescribeNamespaceResponse, attributes: Mapping[str, int]
) -> DescribeNamespaceResponse:
    """The namespace with more search attributes.

    Raises:
        InvalidArgument: there is nothing to add, a name or a type is none, or no slot is free.
        AlreadyExists: a name is registered.
    """
    if not attributes:
        raise InvalidArgument("AddSearchAttributes: search_attributes is empty; name at least one")
    description = _copy(stored)
    known = search_attributes(stored)
    aliases = description.config.custom_search_attribute_aliases
    for name, type_ in attributes.items():
        _check_attribute_name(name)
        if type_ not in TYPE_NAMES:
            raise InvalidArgument(
                f"search attribute {name!r}: it has no type; give one of {', '.join(TYPE_NAMES.values())}"
            )
        if name in known:
            raise AlreadyExists(f"search attribute {name!r} exists already, as a {TYPE_NAMES[known[name]]}")
        slots = (f"{TYPE_NAMES[type_]}{number:02}" for number in range(1, _SLOTS[type_] + 1))
        free = next((slot for slot in slots if slot not in aliases), None)
        if free is None:
            raise InvalidArgument(
                f"search attribute {name!r}: a namespace has at most {_SLOTS[type_]} of type {TYPE_NAMES[type_]}; "
                "remove one that is not needed"
            )
        aliases[free] = name
    return description


def remove_search_attributes(stored: DescribeNamespaceResponse, names: list[str]) -> DescribeNamespaceResponse:
    """The namespace without some of its search attributes.

    Raises:
        InvalidArgument: there is nothing to remove, or it is the system's.
        NotFound: a name is not registered.
    """
    if not names:
        raise InvalidArgument("RemoveSearchAttributes: search_attributes is empty; name at least one")
    description = _copy(stored)
    aliases = description.config.custom_search_attribute_aliases
    slots = {alias: slot for slot, alias in aliases.items()}
    for name in names:
        if name in SYSTEM or name in PREDEFINED:
            raise InvalidArgument(f"search attribute {name!r} is the system's and cannot be removed")
        if name not in slots:
            raise NotFound(f"search attribute {name!r} is not registered in this namespace")
        aliases.pop(slots[name], None)
    return description


def _check_attribute_name(name: str) -> None:
    if name in SYSTEM or name in PREDEFINED or name.startswith(RESERVED_PREFIX):
        raise InvalidArgument(
            f"search attribute {name!r} is the system's; choose a name that does not begin with {RESERVED_PREFIX!r}"
        )
    if not _ATTRIBUTE_NAME.fullmatch(name):
        raise InvalidArgument(
            f"search attribute {name!r}: a name begins with a letter and has letters, digits, '_' and '-' only"
        )


def _check_slot(subject: str, slot: str) -> None:
    found = _SLOT.fullmatch(slot)
    type_ = _TYPE_OF_SLOT.get(found.group(1)) if found else None
    if type_ is None or not 1 <= int(slot[-2:]) <= _SLOTS[type_]:
        raise InvalidArgument(
            f"{subject}: there is no slot {slot!r} for search attributes; slots are such as Keyword01"
        )


def _check_retention(subject: str, retention_ns: int) -> None:
    if retention_ns < limits.RETENTION_MIN_NS:
        raise InvalidArgument(f"{subject}: the retention of closed workflows is shorter than 1 hour; give more")


def _refuse_archival(subject: str, asked: RegisterNamespaceRequest | NamespaceConfig) -> None:
    enabled = _e.ARCHIVAL_STATE_ENABLED
    if enabled in (asked.history_archival_state, asked.visibility_archival_state):
        raise Unimplemented(f"{subject}: archival is not built in this version of outlast")


def _copy(stored: DescribeNamespaceResponse) -> DescribeNamespaceResponse:
    description = DescribeNamespaceResponse()
    description.CopyFrom(stored)
    return description
