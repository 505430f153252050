"""Workers by their heartbeats: what filters compare, and how lists show them.

Source: RecordWorkerHeartbeat, ListWorkers, WorkerListInfo; rule 3.10.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from outlast.api.enums import v1 as _e
from outlast.api.worker.v1 import WorkerHeartbeat, WorkerListInfo
from outlast.vocab.filters import Field, Filter, Scalar, holds, name_of
from outlast.vocab.times import from_timestamp

from .visibility.query import parse_fields

_KEYWORD, _DATETIME = _e.INDEXED_VALUE_TYPE_KEYWORD, _e.INDEXED_VALUE_TYPE_DATETIME

_FIELDS: Final[Mapping[str, tuple[int, Callable[[WorkerHeartbeat], Scalar]]]] = {
    "WorkerInstanceKey": (_KEYWORD, lambda worker: worker.worker_instance_key),
    "WorkerIdentity": (_KEYWORD, lambda worker: worker.worker_identity),
    "HostName": (_KEYWORD, lambda worker: worker.host_info.host_name),
    "TaskQueue": (_KEYWORD, lambda worker: worker.task_queue),
    "DeploymentName": (_KEYWORD, lambda worker: worker.deployment_version.deployment_name),
    "BuildId": (_KEYWORD, lambda worker: worker.deployment_version.build_id),
    "SdkName": (_KEYWORD, lambda worker: worker.sdk_name),
    "SdkVersion": (_KEYWORD, lambda worker: worker.sdk_version),
    "StartTime": (_DATETIME, lambda worker: from_timestamp(worker.start_time)),
    "LastHeartbeatTime": (_DATETIME, lambda worker: from_timestamp(worker.heartbeat_time)),
    "Status": (_KEYWORD, lambda worker: status_name(worker.status)),
}
"""What can be asked of a worker: type and value."""

_TYPES: Final = {name: type_ for name, (type_, _) in _FIELDS.items()}
_VALUES: Final = {f"{type_}:{name}": value for name, (type_, value) in _FIELDS.items()}


def status_name(status: int) -> str:
    """The status as filters name it: ``Running``, ``ShuttingDown``, ``Shutdown``; "" for none."""
    if not status:
        return ""
    name = _e.WorkerStatus.Name(status).removeprefix("WORKER_STATUS_")
    return "".join(part.capitalize() for part in name.split("_"))


def read(query: str) -> Filter | None:
    """A list filter over workers.

    Raises:
        InvalidArgument: see ``engine.visibility.query``.
    """
    return parse_fields(query, _TYPES)


def found(worker: WorkerHeartbeat, where: Filter | None) -> bool:
    """Whether a filter finds a worker; what the worker left empty is missing."""

    def values(field: Field) -> tuple[Scalar, ...]:
        value = _VALUES[name_of(field)](worker)
        return (value,) if value else ()

    return where is None or holds(where, values)


def shown(worker: WorkerHeartbeat) -> WorkerListInfo:
    """A worker as lists show it."""
    info = WorkerListInfo(
        worker_instance_key=worker.worker_instance_key,
        worker_identity=worker.worker_identity,
        task_queue=worker.task_queue,
        sdk_name=worker.sdk_name,
        sdk_version=worker.sdk_version,
        status=worker.status,
        host_name=worker.host_info.host_name,
        worker_grouping_key=worker.host_info.worker_grouping_key,
        process_id=worker.host_info.process_id,
        plugins=worker.plugins,
        drivers=worker.drivers,
    )
    for name in ("deployment_version", "start_time"):
        if worker.HasField(name):
            getattr(info, name).CopyFrom(getattr(worker, name))
    return info
