"""External storage as a codec: around the user's codec, a step that swaps large payloads for references.

Rule: one call of a driver for all payloads of a group that go to it; different drivers work at the same time, and the
first error cancels the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from outlast.api.common.v1 import Payload
from outlast.api.sdk.v1 import ExternalStorageReference

from ._encodings import JSONProtoPayloadConverter
from ._external_storage import (
    ExternalStorage,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)
from ._payload_codec import PayloadCodec
from ._serialization_context import (
    ActivitySerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

Target = StorageDriverActivityInfo | StorageDriverWorkflowInfo
REFERENCE_TYPE = b"temporal.api.sdk.v1.ExternalStorageReference"
_by_json = JSONProtoPayloadConverter()


class StoredPayloads(PayloadCodec):
    """A codec that also stores and fetches.

    Args:
        codec: the user's; None for none.
        storage: what goes where.
        target: whose payloads these are, for drivers; None when it is not known.
        at_once: calls of drivers at the same time; None for no limit.
    """

    def __init__(
        self,
        codec: PayloadCodec | None,
        storage: ExternalStorage,
        target: Target | None = None,
        at_once: int | None = None,
    ) -> None:
        self._codec = codec
        self._storage = storage
        self._target = target
        self._at_once = at_once

    @property
    def inner(self) -> PayloadCodec | None:
        """The user's codec."""
        return self._codec

    def with_context(self, context: SerializationContext) -> StoredPayloads:
        """The same around the user's codec in a context; where payloads are stored stays as it is."""
        codec: Any = self._codec
        if isinstance(codec, WithSerializationContext):
            codec = codec.with_context(context)
        return StoredPayloads(codec, self._storage, self._target, self._at_once)

    def for_target(self, target: Target, at_once: int) -> StoredPayloads:
        """The same for the payloads of a workflow or an activity, with a limit."""
        return StoredPayloads(self._codec, self._storage, target, at_once)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encode, then store what is large."""
        result = list(payloads) if self._codec is None else await self._codec.encode(payloads)
        select = StorageDriverSelectContext(target=self._target)
        groups: dict[str, list[int]] = {}
        drivers: dict[str, StorageDriver] = {}
        for index, payload in enumerate(result):
            driver = self._storage._driver_for(select, payload)
            if driver is not None:
                drivers[driver.name()] = driver
                groups.setdefault(driver.name(), []).append(index)

        async def store(name: str, indexes: list[int]) -> None:
            found = [result[index] for index in indexes]
            claims = await drivers[name].store(StorageDriverStoreContext(target=self._target), found)
            _check(drivers[name], "claims", len(claims), len(indexes))
            for index, payload, claim in zip(indexes, found, claims, strict=True):
                result[index] = _reference(name, claim, payload.ByteSize())

        await _together(store, groups, self._at_once)
        return result

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Fetch what is a reference, then decode."""
        result = list(payloads)
        groups: dict[str, list[int]] = {}
        claims: dict[int, StorageDriverClaim] = {}
        for index, payload in enumerate(result):
            if is_reference(payload):
                reference = _by_json.from_payload(payload, ExternalStorageReference)
                claims[index] = StorageDriverClaim(claim_data=dict(reference.claim_data))
                groups.setdefault(reference.driver_name, []).append(index)

        async def retrieve(name: str, indexes: list[int]) -> None:
            driver = self._storage._driver_named(name)
            found = await driver.retrieve(StorageDriverRetrieveContext(), [claims[index] for index in indexes])
            _check(driver, "payloads", len(found), len(indexes))
            for index, payload in zip(indexes, found, strict=True):
                result[index] = payload

        await _together(retrieve, groups, self._at_once)
        return result if self._codec is None else await self._codec.decode(result)


def is_reference(payload: Payload) -> bool:
    """Whether a payload stands for one that is stored elsewhere."""
    metadata = payload.metadata
    return metadata.get("messageType") == REFERENCE_TYPE and metadata.get("encoding") == b"json/protobuf"


def target_of(context: SerializationContext) -> Target | None:
    """Whose payloads a serialization context speaks of, for drivers."""
    if isinstance(context, WorkflowSerializationContext):
        return StorageDriverWorkflowInfo(namespace=context.namespace, id=context.workflow_id)
    if isinstance(context, ActivitySerializationContext):
        return StorageDriverActivityInfo(
            namespace=context.namespace, id=context.activity_id, type=context.activity_type
        )
    return None


def _reference(driver: str, claim: StorageDriverClaim, size: int) -> Payload:
    message = ExternalStorageReference(driver_name=driver, claim_data=claim.claim_data)
    payload = _by_json.to_payload(message)
    assert payload is not None
    payload.external_payloads.add().size_bytes = size
    return payload


def _check(driver: StorageDriver, what: str, got: int, expected: int) -> None:
    if got != expected:
        raise ValueError(f"Driver {driver.name()!r} returned {got} {what}, expected {expected}")


async def _together(
    call: Callable[[str, list[int]], Awaitable[None]], groups: dict[str, list[int]], at_once: int | None
) -> None:
    if len(groups) == 1 or at_once == 1:
        for name, indexes in groups.items():
            await call(name, indexes)
        return
    room = asyncio.Semaphore(at_once or len(groups) or 1)

    async def limited(name: str, indexes: list[int]) -> None:
        async with room:
            await call(name, indexes)

    tasks = [asyncio.ensure_future(limited(name, indexes)) for name, indexes in groups.items()]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
