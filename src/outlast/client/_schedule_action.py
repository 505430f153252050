"""What a schedule does: it starts a workflow.

Source: temporal.api.schedule.v1.ScheduleAction, temporal.api.workflow.v1.NewWorkflowExecutionInfo.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, TypedDict, Unpack, overload

import outlast.api.common.v1 as common_api
import outlast.api.schedule.v1 as schedule_api
import outlast.api.workflow.v1 as workflow_api
from outlast.api.sdk.v1 import UserMetadata
from outlast.common import Priority, RetryPolicy, SearchAttributes, TypedSearchAttributes, _arg_or_args, _arg_unset
from outlast.converter import (
    DataConverter,
    WorkflowSerializationContext,
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_arguments,
    encode_search_attributes,
)
from outlast.types import MethodAsyncNoParam, MethodAsyncSingleParam, MultiParamSpec, ParamType, ReturnType, SelfType
from outlast.workflow._definition import Definition

from ._read_fields import duration
from ._request_parts import encode_header

if TYPE_CHECKING:
    from ._client import Client


_NO_ATTRIBUTES: SearchAttributes = {}


class ScheduleAction(ABC):
    """What is done at every time of a schedule: ``ScheduleActionStartWorkflow``."""

    @staticmethod
    def _from_proto(action: schedule_api.ScheduleAction) -> ScheduleAction:
        if not action.HasField("start_workflow"):
            raise ValueError(f"Unsupported action: {action.WhichOneof('action')}")
        return ScheduleActionStartWorkflow("<unset>", raw_info=action.start_workflow)

    @abstractmethod
    async def _to_proto(self, client: Client) -> schedule_api.ScheduleAction: ...


class _Options(TypedDict, total=False):
    """Options of the workflow that is started."""

    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    typed_search_attributes: TypedSearchAttributes
    static_summary: str | None
    static_details: str | None
    priority: Priority


@dataclass
class ScheduleActionStartWorkflow(ScheduleAction):
    """Starts a workflow, under the id that is given and the time behind it."""

    workflow: str
    args: Sequence[Any] | Sequence[common_api.Payload]
    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | Mapping[str, common_api.Payload] | None
    typed_search_attributes: TypedSearchAttributes
    untyped_search_attributes: SearchAttributes
    """Those of an existing schedule whose type is not known."""
    static_summary: str | common_api.Payload | None
    static_details: str | common_api.Payload | None
    priority: Priority

    headers: Mapping[str, common_api.Payload] | None
    """Set by interceptors. Those of an existing schedule are as they were sent."""
    _from_raw: bool = field(compare=False, init=False)

    @overload
    def __init__(
        self,
        workflow: MethodAsyncNoParam[SelfType, ReturnType],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[_Options],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[_Options],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[_Options],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        **options: Unpack[_Options],
    ) -> None: ...

    @overload
    def __init__(self, workflow: str, *, raw_info: workflow_api.NewWorkflowExecutionInfo) -> None: ...

    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str | None = None,
        task_queue: str | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        retry_policy: RetryPolicy | None = None,
        memo: Mapping[str, Any] | None = None,
        typed_search_attributes: TypedSearchAttributes = TypedSearchAttributes.empty,
        untyped_search_attributes: SearchAttributes = _NO_ATTRIBUTES,
        static_summary: str | None = None,
        static_details: str | None = None,
        headers: Mapping[str, common_api.Payload] | None = None,
        raw_info: workflow_api.NewWorkflowExecutionInfo | None = None,
        priority: Priority = Priority.default,
    ) -> None:
        """Options as in ``Client.start_workflow``.

        Args:
            workflow: the run method, or the name of the workflow.
            id: what the ids of all its workflows begin with.
            raw_info: the action of an existing schedule, in place of everything else.

        Raises:
            ValueError: there is no id or no task queue, or the workflow is a dynamic one.
        """
        if raw_info is not None:
            self._from_raw = True
            self._read(raw_info)
            return
        self._from_raw = False
        if not id:
            raise ValueError("ID required")
        if not task_queue:
            raise ValueError("Task queue required")
        if callable(workflow):
            name = Definition.must_from_run_fn(workflow).name
            if not name:
                raise ValueError("Cannot schedule dynamic workflow explicitly")
            workflow = name
        elif not isinstance(workflow, str):
            raise TypeError("Workflow must be a string or callable")
        self.workflow = workflow
        self.args = _arg_or_args(arg, args)
        self.id = id
        self.task_queue = task_queue
        self.execution_timeout = execution_timeout
        self.run_timeout = run_timeout
        self.task_timeout = task_timeout
        self.retry_policy = retry_policy
        self.memo = memo
        self.typed_search_attributes = typed_search_attributes
        self.untyped_search_attributes = untyped_search_attributes
        self.headers = headers
        self.static_summary = static_summary
        self.static_details = static_details
        self.priority = priority

    def _read(self, info: workflow_api.NewWorkflowExecutionInfo) -> None:
        """Take over what the server has; payloads stay as they are."""
        self.workflow = info.workflow_type.name
        self.args = info.input.payloads
        self.id = info.workflow_id
        self.task_queue = info.task_queue.name
        self.execution_timeout = duration(info, "workflow_execution_timeout")
        self.run_timeout = duration(info, "workflow_run_timeout")
        self.task_timeout = duration(info, "workflow_task_timeout")
        self.retry_policy = RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None
        self.memo = info.memo.fields or None
        self.typed_search_attributes = decode_typed_search_attributes(info.search_attributes)
        typed = {pair.key.name for pair in self.typed_search_attributes}
        self.untyped_search_attributes = {
            name: values
            for name, values in decode_search_attributes(info.search_attributes).items()
            if name not in typed
        }
        self.headers = info.header.fields or None
        self.static_summary = info.user_metadata.summary if info.user_metadata.HasField("summary") else None
        self.static_details = info.user_metadata.details if info.user_metadata.HasField("details") else None
        self.priority = Priority._from_proto(info.priority) if info.HasField("priority") else Priority.default

    async def _to_proto(self, client: Client) -> schedule_api.ScheduleAction:
        converter = client.data_converter.with_context(
            WorkflowSerializationContext(namespace=client.namespace, workflow_id=self.id)
        )
        action = schedule_api.ScheduleAction()
        info = action.start_workflow
        info.workflow_id = self.id
        info.workflow_type.name = self.workflow
        info.task_queue.name = self.task_queue
        if self.args:
            info.input.payloads.extend(await self._arguments(converter))
        for message, length in (
            (info.workflow_execution_timeout, self.execution_timeout),
            (info.workflow_run_timeout, self.run_timeout),
            (info.workflow_task_timeout, self.task_timeout),
        ):
            if length:
                message.FromTimedelta(length)
        if self.retry_policy:
            self.retry_policy.apply_to_proto(info.retry_policy)
        if self.memo:
            await converter._encode_memo_existing(self.memo, info.memo)
        if self.static_summary is not None or self.static_details is not None:
            info.user_metadata.CopyFrom(await self._metadata(converter))
        if self.priority:
            info.priority.CopyFrom(self.priority._to_proto())
        typed = {pair.key.name for pair in self.typed_search_attributes}
        untyped = {name: value for name, value in self.untyped_search_attributes.items() if name not in typed}
        if untyped:
            encode_search_attributes(untyped, info.search_attributes)
        if self.typed_search_attributes:
            encode_search_attributes(self.typed_search_attributes, info.search_attributes)
        if self.headers:
            sent = common_api.Header(fields=self.headers)
            info.header.CopyFrom(sent if self._from_raw else await encode_header(client, self.headers))
        return action

    async def _arguments(self, converter: DataConverter) -> list[common_api.Payload]:
        """The arguments, those that are payloads already as they are."""
        payloads: list[common_api.Payload] = []
        for arg in self.args:
            if isinstance(arg, common_api.Payload):
                payloads.append(arg)
            else:
                payloads += await encode_arguments(converter, [arg], f"workflow {self.workflow!r}")
        return payloads

    async def _metadata(self, converter: DataConverter) -> UserMetadata:
        metadata = UserMetadata()
        for message, text in ((metadata.summary, self.static_summary), (metadata.details, self.static_details)):
            if text is not None:
                message.CopyFrom(text if isinstance(text, common_api.Payload) else (await converter.encode([text]))[0])
        return metadata
