"""What the server knows about a workflow run: the row of a list, and the description.

Source: temporal.api.workflow.v1.WorkflowExecutionInfo, DescribeWorkflowExecutionResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self, overload

import outlast.api.enums.v1 as enums
import outlast.api.workflow.v1 as workflow_api
from outlast.api.common.v1 import WorkflowExecution as ExecutionRef
from outlast.api.protobuf import Timestamp
from outlast.api.sdk.v1 import UserMetadata
from outlast.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from outlast.common import SearchAttributes, TypedSearchAttributes, _arg_unset
from outlast.converter import (
    DataConverter,
    WorkflowSerializationContext,
    decode_search_attributes,
    decode_typed_search_attributes,
)
from outlast.types import AnyType, ParamType

if TYPE_CHECKING:
    from ._client import Client

_FAILURE_PAGE = 20  # a failed workflow task is at the end of its history, behind what arrived since


class WorkflowExecutionStatus(IntEnum):
    """Where a run stands."""

    RUNNING = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
    COMPLETED = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
    FAILED = enums.WORKFLOW_EXECUTION_STATUS_FAILED
    CANCELED = enums.WORKFLOW_EXECUTION_STATUS_CANCELED
    TERMINATED = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
    CONTINUED_AS_NEW = enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
    TIMED_OUT = enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
    PAUSED = enums.WORKFLOW_EXECUTION_STATUS_PAUSED


def _time(value: Timestamp) -> datetime:
    return value.ToDatetime(tzinfo=UTC)


@dataclass
class WorkflowExecution:
    """One run, as a list shows it."""

    close_time: datetime | None
    """None while it runs."""

    execution_time: datetime | None
    """When it started to run, after any delay."""

    history_length: int
    """Events in its history."""

    id: str
    """Id of the workflow."""

    namespace: str
    """Namespace it is in."""

    parent_id: str | None
    """Workflow that started it as a child."""

    parent_run_id: str | None
    """Run that started it as a child."""

    root_id: str | None
    """Workflow at the top of the tree of children."""

    root_run_id: str | None
    """Run at the top of the tree of children."""

    raw_info: workflow_api.WorkflowExecutionInfo
    """The API message; shared, not to be changed."""

    run_id: str
    """Id of this run."""

    search_attributes: SearchAttributes
    """Deprecated form of ``typed_search_attributes``."""

    start_time: datetime
    """When it was created."""

    status: WorkflowExecutionStatus | None
    """Where it stands."""

    task_queue: str
    """Queue of its workflow tasks."""

    typed_search_attributes: TypedSearchAttributes
    """Its search attributes."""

    workflow_type: str
    """Name of its workflow class."""

    _context_free_data_converter: DataConverter

    @property
    def data_converter(self) -> DataConverter:
        """The client's converter in the context of this workflow."""
        return self._context_free_data_converter.with_context(
            WorkflowSerializationContext(namespace=self.namespace, workflow_id=self.id)
        )

    @classmethod
    def _from_raw_info(
        cls,
        info: workflow_api.WorkflowExecutionInfo,
        namespace: str,
        converter: DataConverter,
        **additional_fields: Any,
    ) -> Self:
        parent = info.parent_execution if info.HasField("parent_execution") else None
        root = info.root_execution if info.HasField("root_execution") else None
        return cls(
            close_time=_time(info.close_time) if info.HasField("close_time") else None,
            execution_time=_time(info.execution_time) if info.HasField("execution_time") else None,
            history_length=info.history_length,
            id=info.execution.workflow_id,
            namespace=namespace,
            parent_id=parent.workflow_id if parent else None,
            parent_run_id=parent.run_id if parent else None,
            root_id=root.workflow_id if root else None,
            root_run_id=root.run_id if root else None,
            raw_info=info,
            run_id=info.execution.run_id,
            search_attributes=decode_search_attributes(info.search_attributes),
            start_time=_time(info.start_time),
            status=WorkflowExecutionStatus(info.status) if info.status else None,
            task_queue=info.task_queue,
            typed_search_attributes=decode_typed_search_attributes(info.search_attributes),
            workflow_type=info.type.name,
            _context_free_data_converter=converter,
            **additional_fields,
        )

    async def memo(self) -> Mapping[str, Any]:
        """The memo without type hints: a dataclass comes as a dict."""
        return await self.data_converter._decode_memo(self.raw_info.memo)

    @overload
    async def memo_value(self, key: str, default: Any = _arg_unset) -> Any: ...

    @overload
    async def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...

    @overload
    async def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...

    async def memo_value(self, key: str, default: Any = _arg_unset, *, type_hint: type | None = None) -> Any:
        """One value of the memo.

        Args:
            key: its name.
            default: returned when it is not there.
            type_hint: what to convert it to.

        Raises:
            KeyError: it is not there and no default was given.
        """
        return await self.data_converter._decode_memo_field(self.raw_info.memo, key, default, type_hint)


@dataclass
class WorkflowExecutionDescription(WorkflowExecution):
    """One run in detail."""

    raw_description: DescribeWorkflowExecutionResponse
    """The API message; shared, not to be changed."""

    _static_summary: str | None = None
    _static_details: str | None = None
    _metadata_decoded: bool = False
    _client: Client | None = field(default=None, repr=False, compare=False)

    async def static_summary(self) -> str | None:
        """The one-line summary that the workflow was started with."""
        await self._decode_metadata()
        return self._static_summary

    async def static_details(self) -> str | None:
        """The details that the workflow was started with."""
        await self._decode_metadata()
        return self._static_details

    async def _decode_metadata(self) -> None:
        if not self._metadata_decoded:
            metadata = self.raw_description.execution_config.user_metadata
            self._static_summary, self._static_details = await decode_user_metadata(self.data_converter, metadata)
            self._metadata_decoded = True

    async def workflow_task_failure(self) -> BaseException | None:
        """What keeps the workflow from going on: the failure of its last workflow task, with the traceback.

        Beyond Temporal's interface. ``failure.stack_trace`` of the returned error is the traceback in workflow code.

        Returns:
            None while no workflow task is being tried again.

        Raises:
            RPCError: the history could not be read.
        """
        if self.raw_description.pending_workflow_task.attempt <= 1 or self._client is None:
            return None
        page = await self._client.workflow_service.get_workflow_execution_history_reverse(
            GetWorkflowExecutionHistoryReverseRequest(
                namespace=self.namespace,
                execution=ExecutionRef(workflow_id=self.id, run_id=self.run_id),
                maximum_page_size=_FAILURE_PAGE,
            ),
            retry=True,
        )
        for event in page.history.events:
            if event.HasField("workflow_task_failed_event_attributes"):
                return await self.data_converter.decode_failure(event.workflow_task_failed_event_attributes.failure)
        return None

    @staticmethod
    async def _from_raw_description(
        description: DescribeWorkflowExecutionResponse,
        namespace: str,
        converter: DataConverter,
        client: Client | None = None,
    ) -> WorkflowExecutionDescription:
        return WorkflowExecutionDescription._from_raw_info(
            description.workflow_execution_info,
            namespace=namespace,
            converter=converter,
            raw_description=description,
            _client=client,
        )


async def encode_user_metadata(converter: DataConverter, summary: str | None, details: str | None) -> UserMetadata:
    """Summary and details as the API wants them."""
    metadata = UserMetadata()
    if summary is not None:
        metadata.summary.CopyFrom((await converter.encode([summary]))[0])
    if details is not None:
        metadata.details.CopyFrom((await converter.encode([details]))[0])
    return metadata


async def decode_user_metadata(converter: DataConverter, metadata: UserMetadata) -> tuple[str | None, str | None]:
    """Summary and details, None for what is not there."""
    summary = (await converter.decode([metadata.summary]))[0] if metadata.HasField("summary") else None
    details = (await converter.decode([metadata.details]))[0] if metadata.HasField("details") else None
    return summary, details
