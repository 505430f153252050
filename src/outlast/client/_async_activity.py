"""The handle of an activity that is completed from outside the function that began it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from outlast.common import _arg_unset
from outlast.converter import DataConverter, SerializationContext, WithSerializationContext

from ._inputs import (
    CompleteAsyncActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ReportCancellationAsyncActivityInput,
)

if TYPE_CHECKING:
    from ._client import Client


@dataclass(frozen=True)
class AsyncActivityIDReference:
    """An activity by its ids instead of its token."""

    workflow_id: str | None
    """None for a standalone activity."""
    run_id: str | None
    """None for the current run."""
    activity_id: str


class AsyncActivityHandle(WithSerializationContext):
    """An activity to heartbeat and to end. Made by ``Client.get_async_activity_handle``."""

    def __init__(
        self,
        client: Client,
        id_or_token: AsyncActivityIDReference | bytes,
        data_converter_override: DataConverter | None = None,
    ) -> None:
        """The converter replaces the client's."""
        self._client = client
        self._id_or_token = id_or_token
        self._data_converter_override = data_converter_override

    async def heartbeat(
        self, *details: Any, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> None:
        """Say that the activity is alive.

        Args:
            details: handed to the next attempt, should this one fail.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            AsyncActivityCancelledError: the server wants the activity to stop, pause or start over.
            RPCError: NOT_FOUND when the activity is over.
        """
        await self._client._impl.heartbeat_async_activity(
            HeartbeatAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def complete(
        self,
        result: Any | None = _arg_unset,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """End the activity with a result; without one, with none.

        Raises:
            RPCError: NOT_FOUND when the activity is over.
        """
        await self._client._impl.complete_async_activity(
            CompleteAsyncActivityInput(
                id_or_token=self._id_or_token,
                result=result,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def fail(
        self,
        error: Exception,
        *,
        last_heartbeat_details: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """End this attempt with an error; the retry policy decides about another one.

        Args:
            error: any exception.
            last_heartbeat_details: replace those of the last heartbeat.
            rpc_metadata: headers of the call.
            rpc_timeout: deadline of the call.

        Raises:
            RPCError: NOT_FOUND when the activity is over.
        """
        await self._client._impl.fail_async_activity(
            FailAsyncActivityInput(
                id_or_token=self._id_or_token,
                error=error,
                last_heartbeat_details=last_heartbeat_details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def report_cancellation(
        self, *details: Any, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> None:
        """End the activity as cancelled, after a heartbeat said that this was wanted.

        Raises:
            RPCError: INVALID_ARGUMENT when nobody asked for it, NOT_FOUND when the activity is over.
        """
        await self._client._impl.report_cancellation_async_activity(
            ReportCancellationAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    def with_context(self, context: SerializationContext) -> Self:
        """A handle that converts with a context; this very one when the client's converter does not use it.

        Raises:
            TypeError: a subclass with a constructor of its own does not override this method.
        """
        converter = self._client.data_converter.with_context(context)
        if converter is self._client.data_converter:
            return self
        cls = type(self)
        if cls.__init__ is not AsyncActivityHandle.__init__:
            raise TypeError(f"{cls.__name__} overrides __init__, so it must override with_context to copy itself")
        return cls(self._client, self._id_or_token, converter)
