"""What a workflow can learn about its own run: ``Info`` and its parts: values, and questions for the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import outlast.common
from outlast.api.common.v1 import Payload

from ._runtime import Runtime


@dataclass(frozen=True)
class ParentInfo:
    """The workflow that started this one."""

    namespace: str
    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class RootInfo:
    """The first workflow of the chain of parents."""

    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class UpdateInfo:
    """The update whose handler is running."""

    id: str
    name: str

    @property
    def _logger_details(self) -> Mapping[str, Any]:
        return {"update_id": self.id, "update_name": self.name}


@dataclass(frozen=True)
class Info:
    """The running workflow. Built by the worker; fields may be added.

    ``search_attributes`` and ``typed_search_attributes`` follow ``upsert_search_attributes``, ``raw_memo`` follows
    ``upsert_memo``; all else is fixed for the run. ``start_time`` is that of the first workflow task,
    ``workflow_start_time`` that of the run itself. ``original_execution_run_id`` survives resets, ``run_id`` does not.
    """

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, Payload]
    namespace: str
    original_execution_run_id: str
    parent: ParentInfo | None
    root: RootInfo | None
    priority: outlast.common.Priority
    raw_memo: Mapping[str, Payload]
    retry_policy: outlast.common.RetryPolicy | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: outlast.common.SearchAttributes
    start_time: datetime
    task_queue: str
    task_timeout: timedelta
    typed_search_attributes: outlast.common.TypedSearchAttributes
    workflow_id: str
    workflow_start_time: datetime
    workflow_type: str

    def _logger_details(self) -> Mapping[str, Any]:
        return {
            "attempt": self.attempt,
            "namespace": self.namespace,
            "run_id": self.run_id,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_type": self.workflow_type,
        }

    def get_current_build_id(self) -> str:
        """Build id of the worker that ran, or is running, the current workflow task; empty when it had none."""
        version = Runtime.current().deployment_version()
        return version.build_id if version else ""

    def get_current_deployment_version(self) -> outlast.common.WorkerDeploymentVersion | None:
        """Deployment version of the worker that ran, or is running, the current workflow task."""
        return Runtime.current().deployment_version()

    def get_current_history_length(self) -> int:
        """Events in history up to and including the start of the current workflow task."""
        return Runtime.current().task_facts().history_length

    def get_current_history_size(self) -> int:
        """Bytes of history at the start of the current workflow task."""
        return Runtime.current().task_facts().history_size_bytes

    def is_continue_as_new_suggested(self) -> bool:
        """Whether the server thinks that history has grown enough to continue as new."""
        return Runtime.current().task_facts().continue_as_new_suggested

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Whether the version that this workflow should run on is no longer the one that it runs on."""
        return Runtime.current().task_facts().target_version_changed
