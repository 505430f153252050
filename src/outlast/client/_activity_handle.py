"""The handle of a standalone activity: wait for it, look at it, steer it, end it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, cast

from outlast.api.activity.v1 import ActivityExecutionOutcome
from outlast.api.workflowservice.v1 import PollActivityExecutionRequest
from outlast.converter import ActivitySerializationContext, DataConverter
from outlast.service import RPCError, RPCStatusCode
from outlast.types import ReturnType

from ._activity_execution import decode_result
from ._activity_inputs import (
    CancelActivityInput,
    DescribeActivityInput,
    PauseActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
    UpdateActivityOptionsInput,
)
from ._exceptions import ActivityFailureError

if TYPE_CHECKING:
    from ._activity_execution import ActivityExecutionDescription
    from ._activity_options import ActivityExecutionOptions, ActivityOptionsUpdate
    from ._client import Client


_PAUSE_S = 0.05
"""Between polls: a server that is given less time than a long poll takes answers at once, and again and again."""


class ActivityHandle(Generic[ReturnType]):
    """A standalone activity. Made by ``Client.start_activity`` and ``Client.get_activity_handle``."""

    def __init__(self, client: Client, id: str, *, run_id: str | None = None, result_type: type | None = None) -> None:
        """See the properties; the result is converted to the type."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_type = result_type
        self._known_outcome: ActivityExecutionOutcome | None = None

    @cached_property
    def _data_converter(self) -> DataConverter:
        return self._client.data_converter.with_context(
            ActivitySerializationContext(
                namespace=self._client.namespace,
                activity_id=self._id,
                activity_type=None,
                activity_task_queue=None,
                workflow_id=None,
                workflow_type=None,
                is_local=False,
            )
        )

    @property
    def id(self) -> str:
        """Id of the activity."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """The run that every call is about; None for the latest."""
        return self._run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ReturnType:
        """Wait for the activity to end; asks the server only until it knows.

        Args:
            rpc_metadata: headers of the calls.
            rpc_timeout: deadline of each call, not of the waiting.

        Raises:
            ActivityFailureError: it failed, timed out, or was cancelled or terminated.
            RPCError: the outcome could not be fetched; NOT_FOUND when there is no such activity.
        """
        outcome = await self._poll_until_outcome(rpc_metadata, rpc_timeout)
        if outcome.HasField("failure"):
            raise ActivityFailureError(cause=await self._data_converter.decode_failure(outcome.failure))
        return cast("ReturnType", await decode_result(self._data_converter, outcome, self._result_type))

    async def _poll_until_outcome(
        self, rpc_metadata: Mapping[str, str | bytes], rpc_timeout: timedelta | None
    ) -> ActivityExecutionOutcome:
        request = PollActivityExecutionRequest(
            namespace=self._client.namespace, activity_id=self._id, run_id=self._run_id or ""
        )
        while self._known_outcome is None:
            try:
                response = await self._client.workflow_service.poll_activity_execution(
                    request, retry=True, metadata=rpc_metadata, timeout=rpc_timeout
                )
            except RPCError as err:
                if err.status == RPCStatusCode.CANCELLED:
                    raise asyncio.CancelledError from err
                if err.status != RPCStatusCode.DEADLINE_EXCEEDED:
                    raise
            else:
                if response.HasField("outcome"):
                    self._known_outcome = response.outcome
                    break
            await asyncio.sleep(_PAUSE_S)
        return self._known_outcome

    async def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """What the server knows about it now.

        Args:
            include_input: with its arguments.
            include_outcome: with its result, or the failure it ended with.
            include_heartbeat_details: with the details of its last heartbeat.
            include_last_failure: with the failure of its last failed attempt.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such activity.
        """
        return await self._client._impl.describe_activity(
            DescribeActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                include_input=include_input,
                include_outcome=include_outcome,
                include_heartbeat_details=include_heartbeat_details,
                include_last_failure=include_last_failure,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ask it to stop; returns when the server has noted it.

        An attempt that runs learns of it with its next heartbeat, and may go on. One that no worker has yet is
        cancelled at once.

        Args:
            reason: shown in its description.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such activity.
        """
        await self._client._impl.cancel_activity(
            CancelActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """End it now. An attempt that runs is not asked; its heartbeats are answered with NOT_FOUND.

        Args:
            reason: message of the failure that it ends with.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such activity.
        """
        await self._client._impl.terminate_activity(
            TerminateActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def pause(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Begin no further attempt before ``unpause``; an attempt that runs learns of it with its next heartbeat.

        Args:
            reason: shown in its description.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such activity.
        """
        await self._client._impl.pause_activity(
            PauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Let it go on.

        Args:
            reason: for the record.
            jitter: go on at a random moment within this time; at once when None.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when there is no such activity.
        """
        await self._client._impl.unpause_activity(
            UnpauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                jitter=jitter,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Change options; those not named stay as they are.

        Args:
            updates: ``ActivityOptionsKeys.heartbeat_timeout.value_set(...)`` and its like, one for each option.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Returns:
            All options as they are now.

        Raises:
            ValueError: no update, or two of one option.
            RPCError: NOT_FOUND when there is no such activity, INVALID_ARGUMENT for a value that cannot be.
        """
        if not updates:
            raise ValueError(
                "update_options requires at least one update; restore_original_options() goes back to the first ones"
            )
        refuse_twice(updates)
        return await self._update_options(updates, False, rpc_metadata, rpc_timeout)

    async def restore_original_options(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionOptions:
        """Go back to the options of the start.

        Returns:
            All options as they are now.

        Raises:
            RPCError: NOT_FOUND when there is no such activity.
        """
        return await self._update_options([], True, rpc_metadata, rpc_timeout)

    async def _update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        restore_original: bool,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> ActivityExecutionOptions:
        return await self._client._impl.update_activity_options(
            UpdateActivityOptionsInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                updates=updates,
                restore_original=restore_original,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )


def refuse_twice(updates: Sequence[ActivityOptionsUpdate[Any]]) -> None:
    """Refuse two updates of one option.

    Raises:
        ValueError: names it.
    """
    for name, times in Counter(update.key.name for update in updates).items():
        if times > 1:
            raise ValueError(f"update_options received more than one update for {name}; keep the last")
