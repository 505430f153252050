"""The codec interface: payloads to payloads, for encryption and compression, and its use on failures.

Rule: what is handed in is shared with others and is never changed; the ``*_wrapper`` and ``*_failure`` conveniences
change the one message they are called with, which must be the caller's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence

from outlast.api.common.v1 import Payload, Payloads
from outlast.api.failure.v1 import Failure


class PayloadCodec(ABC):
    """Transforms payloads after they were made and before they are read."""

    @abstractmethod
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Transform outgoing payloads.

        Args:
            payloads: at least one; not to be changed.

        Returns:
            New payloads, at least one and at most as many as were given.
        """

    @abstractmethod
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Undo ``encode``.

        Args:
            payloads: at least one; not to be changed.

        Returns:
            New payloads, at least one.
        """

    async def encode_wrapper(self, payloads: Payloads) -> None:
        """``encode`` the content of a ``Payloads`` message in place."""
        encoded = await self.encode(payloads.payloads)
        del payloads.payloads[:]
        payloads.payloads.extend(encoded)

    async def decode_wrapper(self, payloads: Payloads) -> None:
        """``decode`` the content of a ``Payloads`` message in place."""
        decoded = await self.decode(payloads.payloads)
        del payloads.payloads[:]
        payloads.payloads.extend(decoded)

    async def encode_failure(self, failure: Failure) -> None:
        """``encode`` all payloads of a failure and its causes in place."""
        await apply_to_failure(failure, self.encode_wrapper)

    async def decode_failure(self, failure: Failure) -> None:
        """``decode`` all payloads of a failure and its causes in place."""
        await apply_to_failure(failure, self.decode_wrapper)


_DETAILS = {
    "application_failure_info": "details",
    "timeout_failure_info": "last_heartbeat_details",
    "canceled_failure_info": "details",
    "reset_workflow_failure_info": "last_heartbeat_details",
}


async def apply_to_failure(failure: Failure, change: Callable[[Payloads], Awaitable[None]]) -> None:
    """Let ``change`` rewrite every group of payloads of a failure and its causes, in place."""
    for link in _chain(failure):
        if link.HasField("encoded_attributes"):
            wrapped = Payloads(payloads=[link.encoded_attributes])
            await change(wrapped)
            link.encoded_attributes.CopyFrom(wrapped.payloads[0])
        kind = link.WhichOneof("failure_info")
        if kind in _DETAILS:
            info = getattr(link, kind)
            if info.HasField(_DETAILS[kind]):
                await change(getattr(info, _DETAILS[kind]))


def has_payloads(failure: Failure) -> bool:
    """Whether a failure or one of its causes carries payloads."""
    for link in _chain(failure):
        if link.HasField("encoded_attributes"):
            return True
        kind = link.WhichOneof("failure_info")
        if kind in _DETAILS and getattr(link, kind).HasField(_DETAILS[kind]):
            return True
    return False


def _chain(failure: Failure) -> Iterator[Failure]:
    link = failure
    while True:
        yield link
        if not link.HasField("cause"):
            return
        link = link.cause
