"""The calls about schedules as requests to the server."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import outlast.api.workflowservice.v1 as service_api
from outlast.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from outlast.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from outlast.converter import encode_search_attributes
from outlast.service import RPCError, RPCStatusCode

from ._exceptions import ScheduleAlreadyRunningError
from ._interceptor import OutboundInterceptor
from ._request_parts import request_id
from ._schedule import ScheduleState
from ._schedule_description import ScheduleDescription, ScheduleUpdate, ScheduleUpdateInput
from ._schedule_handle import ScheduleHandle
from ._schedule_inputs import (
    BackfillScheduleInput,
    CreateScheduleInput,
    DeleteScheduleInput,
    DescribeScheduleInput,
    ListSchedulesInput,
    PauseScheduleInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
)
from ._schedule_list import ScheduleAsyncIterator

if TYPE_CHECKING:
    from ._client import Client


class ScheduleRequests(OutboundInterceptor):
    """The last link of the chain, as far as schedules are concerned."""

    _client: Client

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        """ALREADY_EXISTS becomes ScheduleAlreadyRunningError."""
        _check_limit(input.schedule.state)
        client = self._client
        request = service_api.CreateScheduleRequest(
            namespace=client.namespace,
            schedule_id=input.id,
            schedule=await input.schedule._to_proto(client),
            identity=client.identity,
            request_id=request_id(),
        )
        if input.trigger_immediately:
            request.initial_patch.trigger_immediately.overlap_policy = int(input.schedule.policy.overlap)
        if input.backfill:
            request.initial_patch.backfill_request.extend(each._to_proto() for each in input.backfill)
        if input.memo:
            await client.data_converter._encode_memo_existing(input.memo, request.memo)
        if input.search_attributes:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        try:
            await client.workflow_service.create_schedule(
                request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
            )
        except RPCError as err:
            details = err.grpc_status.details
            already = err.status == RPCStatusCode.ALREADY_EXISTS and details
            if already and details[0].Is(WorkflowExecutionAlreadyStartedFailure.DESCRIPTOR):
                raise ScheduleAlreadyRunningError from None
            raise
        return ScheduleHandle(client, input.id)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        """No call before the first schedule is asked for."""
        return ScheduleAsyncIterator(self._client, input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        """A patch."""
        patch = SchedulePatch(backfill_request=[each._to_proto() for each in input.backfills])
        await self._patch(input, patch)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        """A patch, which has to have a note."""
        await self._patch(input, SchedulePatch(pause=input.note or "Paused via Python SDK"))

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        """A patch."""
        trigger = TriggerImmediatelyRequest(overlap_policy=int(input.overlap or 0))
        await self._patch(input, SchedulePatch(trigger_immediately=trigger))

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        """A patch, which has to have a note."""
        await self._patch(input, SchedulePatch(unpause=input.note or "Unpaused via Python SDK"))

    async def _patch(
        self,
        input: BackfillScheduleInput | PauseScheduleInput | TriggerScheduleInput | UnpauseScheduleInput,
        patch: SchedulePatch,
    ) -> None:
        await self._client.workflow_service.patch_schedule(
            service_api.PatchScheduleRequest(
                namespace=self._client.namespace,
                schedule_id=input.id,
                patch=patch,
                identity=self._client.identity,
                request_id=request_id(),
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        """One call."""
        await self._client.workflow_service.delete_schedule(
            service_api.DeleteScheduleRequest(
                namespace=self._client.namespace, schedule_id=input.id, identity=self._client.identity
            ),
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        """One call."""
        return await self._describe(input.id, input.rpc_metadata, input.rpc_timeout)

    async def _describe(
        self, id: str, metadata: Mapping[str, str | bytes], timeout: timedelta | None
    ) -> ScheduleDescription:
        response = await self._client.workflow_service.describe_schedule(
            service_api.DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=id),
            retry=True,
            metadata=metadata,
            timeout=timeout,
        )
        return ScheduleDescription._from_proto(id, response, self._client.data_converter)

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        """A description, and an update of all of it."""
        description = await self._describe(input.id, input.rpc_metadata, input.rpc_timeout)
        answer: Any = input.updater(ScheduleUpdateInput(description=description))
        update: ScheduleUpdate | None = await answer if inspect.isawaitable(answer) else answer
        if not update:
            return
        assert isinstance(update, ScheduleUpdate)
        request = service_api.UpdateScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=input.id,
            schedule=await update.schedule._to_proto(self._client),
            identity=self._client.identity,
            request_id=request_id(),
        )
        if update.search_attributes is not None:
            request.search_attributes.SetInParent()  # an empty set is one, too
            encode_search_attributes(update.search_attributes, request.search_attributes)
        await self._client.workflow_service.update_schedule(
            request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
        )


def _check_limit(state: ScheduleState) -> None:
    if state.limited_actions and not state.remaining_actions:
        raise ValueError("Must set limited actions to false if there are no remaining actions set")
    if not state.limited_actions and state.remaining_actions:
        raise ValueError("Must set limited actions to true if there are remaining actions set")
