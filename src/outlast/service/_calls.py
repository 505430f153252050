"""How a call is made: headers, deadline, repetition after failures, warnings about size, errors in Temporal's form.

Rule: the same over gRPC and inside one process; a transport only moves one message there and one back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol, cast

from google.protobuf.message import Message

import outlast
import outlast.service as settings
from outlast.api.workflowservice.v1 import GetSystemInfoRequest, GetSystemInfoResponse
from outlast.runtime import Runtime
from outlast.runtime._runtime import SdkMeter
from outlast.vocab import payloads
from outlast.vocab.errors import ServiceError

from ._client import FULL_NAMES, ServiceClient, ServiceResponse
from ._config import ConnectConfig, RetryConfig
from ._errors import RPCStatusCode, rpc_error
from ._grpc import GrpcTransport, is_long_poll

logger = logging.getLogger("outlast.service")

_CONNECT_SECONDS = 10.0
# Source: the retryable codes of Temporal's SDKs.
_RETRYABLE = frozenset(
    {
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DATA_LOSS,
    }
)
# An engine in our own process is never on its way: only "too busy" and "changed meanwhile" can go away by waiting.
_RETRYABLE_IN_PROCESS = frozenset({RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.ABORTED})
# A server that is overloaded gets more time than one that stumbled.
_THROTTLED = RetryConfig(initial_interval_millis=1000, multiplier=2.0, max_interval_millis=10000)


class Transport(Protocol):
    """Moves one request to a server and one response back."""

    async def call(
        self, service: str, rpc: str, request: Message, *, metadata: Mapping[str, str | bytes], timeout: float | None
    ) -> Message:
        """Call an RPC.

        Args:
            service: full protobuf name of the service.
            rpc: name of the RPC in the descriptor.
            request: not changed.
            metadata: headers, names in lower case.
            timeout: seconds; None for the transport's default.

        Raises:
            ServiceError: the call failed.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class _Measured:
    """A transport that counts calls and times them: Temporal's ``request`` and ``long_request`` metrics."""

    def __init__(self, transport: Transport, meter: SdkMeter) -> None:
        self._transport = transport
        self._meter = meter

    async def call(
        self, service: str, rpc: str, request: Message, *, metadata: Mapping[str, str | bytes], timeout: float | None
    ) -> Message:
        name = "long_request" if is_long_poll(rpc, request) else "request"
        labels = {"operation": rpc, "namespace": str(getattr(request, "namespace", ""))}
        self._meter.counter(name).add(1, labels)
        started = time.monotonic()
        try:
            return await self._transport.call(service, rpc, request, metadata=metadata, timeout=timeout)
        except ServiceError as err:
            status = RPCStatusCode(err.code).name
            self._meter.counter(f"{name}_failure").add(1, {**labels, "status_code": status})
            raise
        finally:
            took = timedelta(seconds=time.monotonic() - started)
            self._meter.latency(f"{name}_latency").record(took, labels)

    async def close(self) -> None:
        await self._transport.close()


class TransportServiceClient(ServiceClient):
    """A service client over a transport."""

    def __init__(self, config: ConnectConfig, transport: Transport | None = None) -> None:
        """Make the client.

        Args:
            config: where to connect to and how.
            transport: an engine in this process; None for gRPC, connected at the first call.
        """
        super().__init__(config)
        self._meter = (config.runtime or Runtime.default()).sdk_meter()
        self._transport = self._measured(transport) if transport is not None else None
        self._retryable = _RETRYABLE if transport is None else _RETRYABLE_IN_PROCESS
        self._connecting = asyncio.Lock()
        self._rpc_names: dict[str, str] = {}
        self._headers = _headers(config)
        limits = config.payload_limits
        self._warn_size_min = min(size or 1 << 62 for size in (limits.payloads_warn_size, limits.memo_warn_size))
        self.system_info: GetSystemInfoResponse | None = None
        """What the server said about itself when it was connected to; None in process."""

    def _measured(self, transport: Transport) -> Transport:
        return transport if self._meter is None else _Measured(transport, self._meter)

    @property
    def worker_service_client(self) -> TransportServiceClient:
        """This client."""
        return self

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Replace the headers of all further calls.

        Raises:
            TypeError: a header is not text, or a ``-bin`` header is not bytes.
        """
        check_metadata(metadata)
        self.config.rpc_metadata = metadata
        self._headers = _headers(self.config)

    def update_api_key(self, api_key: str | None) -> None:
        """Replace the API key of all further calls."""
        self.config.api_key = api_key
        self._headers = _headers(self.config)

    async def close(self) -> None:
        """Close the connection; a later call opens a new one, over gRPC."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def _connected(self) -> Transport:
        if self._transport is not None:
            return self._transport
        if self._retryable is _RETRYABLE_IN_PROCESS:
            raise RuntimeError("this client is closed; connect again with Client.connect")
        async with self._connecting:
            if self._transport is None:
                transport = self._measured(GrpcTransport(self.config))
                try:
                    self.system_info = await self._handshake(transport)
                except BaseException:
                    await transport.close()
                    raise
                self._transport = transport
            return self._transport

    async def _handshake(self, transport: Transport) -> GetSystemInfoResponse:
        """Ask the server who it is: proves that there is one, and that it lets us in."""
        timeout = self.config.connect_timeout
        seconds = _CONNECT_SECONDS if timeout is None else timeout.total_seconds()
        address = self.config.target_host
        portless = "" if ":" in address else f" {address} names no port: Outlast's is 7233."
        try:
            answer = await transport.call(
                FULL_NAMES["workflow"], "GetSystemInfo", GetSystemInfoRequest(), metadata=self._headers, timeout=seconds
            )
        except ServiceError as err:
            if err.code == RPCStatusCode.UNIMPLEMENTED:
                return GetSystemInfoResponse()  # a server from before that call
            if err.code in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
                raise RuntimeError(
                    f"Failed client connect: no server answered at {address} within {seconds:g} s ({err}).{portless}"
                    " Check the address and TLS settings; `outlast server` starts a server on this machine, and"
                    ' Client.connect("sqlite:///outlast.db") needs none'
                ) from rpc_error(err)
            raise RuntimeError(f"Failed client connect: the server at {address} refused us: {err}") from rpc_error(err)
        return cast("GetSystemInfoResponse", answer)

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[ServiceResponse],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ServiceResponse:
        if settings.LOG_PROTOS:
            logger.debug("Service %s request to %s: %s", service, rpc, req)
        transport = self._transport or await self._connected()
        name = self._rpc_names.get(rpc)
        if name is None:
            name = self._rpc_names[rpc] = "".join(part.capitalize() for part in rpc.split("_"))
        headers = self._headers
        if metadata:
            check_metadata(metadata)
            headers = {**headers, **{key.lower(): value for key, value in metadata.items()}}
        namespace: object = getattr(req, "namespace", None)
        if namespace and type(namespace) is str:
            headers = {**headers, "temporal-namespace": namespace}
        if req.ByteSize() >= self._warn_size_min:
            self._warn_about_size(req, rpc)
        seconds = None if timeout is None else timeout.total_seconds()
        try:
            if retry:
                answer = await self._call_again(transport, FULL_NAMES[service], name, req, headers, seconds)
            else:
                answer = await transport.call(FULL_NAMES[service], name, req, metadata=headers, timeout=seconds)
        except ServiceError as err:
            raise rpc_error(err) from None
        if settings.LOG_PROTOS:
            logger.debug("Service %s response from %s: %s", service, rpc, answer)
        return cast("ServiceResponse", answer)

    async def _call_again(
        self,
        transport: Transport,
        service: str,
        name: str,
        request: Message,
        headers: Mapping[str, str | bytes],
        seconds: float | None,
    ) -> Message:
        """Call until it succeeds, fails for good, or patience or the deadline runs out."""
        started = time.monotonic()
        failures = 0
        give_up_at: float | None = None
        while True:
            left = None if seconds is None else seconds - (time.monotonic() - started)
            try:
                return await transport.call(service, name, request, metadata=headers, timeout=left)
            except ServiceError as err:
                # A long poll without a deadline of the caller's own has merely waited in vain.
                waited_in_vain = (
                    seconds is None and err.code == RPCStatusCode.DEADLINE_EXCEEDED and is_long_poll(name, request)
                )
                if not waited_in_vain and err.code not in self._retryable:
                    raise
                failures += 1
                patience = self.config.retry_config or RetryConfig()
                now = time.monotonic()
                if give_up_at is None and patience.max_elapsed_time_millis is not None:
                    give_up_at = now + patience.max_elapsed_time_millis / 1000
                pause = _pause(_THROTTLED if err.code == RPCStatusCode.RESOURCE_EXHAUSTED else patience, failures)
                if patience.max_retries and failures > patience.max_retries:
                    raise
                if give_up_at is not None and now + pause > give_up_at:
                    raise
                if seconds is not None and now + pause > started + seconds:
                    raise
            await asyncio.sleep(pause)

    def _warn_about_size(self, request: Message, rpc: str) -> None:
        limits = self.config.payload_limits
        memo: Any = getattr(request, "memo", None)
        if limits.memo_warn_size and memo is not None and memo.ByteSize() > limits.memo_warn_size:
            logger.warning(
                "[TMPRL1103] The memo of %s takes %d bytes, more than the %d from which memos get slow",
                rpc, memo.ByteSize(), limits.memo_warn_size,
            )  # fmt: skip
        if limits.payloads_warn_size and request.ByteSize() > limits.payloads_warn_size:
            for path, size in payloads.sizes(request):
                if size > limits.payloads_warn_size:
                    logger.warning(
                        "[TMPRL1103] %s of %s takes %d bytes, more than %d: pass a reference instead",
                        path, rpc, size, limits.payloads_warn_size,
                    )  # fmt: skip


def _pause(config: RetryConfig, failures: int) -> float:
    """Seconds to wait before the next attempt."""
    millis = min(config.initial_interval_millis * config.multiplier ** (failures - 1), config.max_interval_millis)
    return millis / 1000 * (1 + config.randomization_factor * random.uniform(-1, 1))


def check_metadata(metadata: Mapping[str, str | bytes]) -> None:
    """Refuse headers that gRPC cannot send.

    Raises:
        TypeError: names the header and what it must be.
    """
    for key, value in metadata.items():
        wanted = bytes if key.lower().endswith("-bin") else str
        if not isinstance(value, wanted):
            raise TypeError(
                f"RPC metadata {key!r} must be {wanted.__name__}, not {type(value).__name__}: binary values need a name"
                " that ends in '-bin', and only they may have one"
            )


def _headers(config: ConnectConfig) -> Mapping[str, str | bytes]:
    check_metadata(config.rpc_metadata)
    headers: dict[str, str | bytes] = {
        "client-name": "outlast-python",
        "client-version": outlast.__version__,
        # Without it Temporal's server shows the end of a run that another one follows as a continuation as new.
        "supported-features": "follows-next-run-id",
    }
    headers.update((key.lower(), value) for key, value in config.rpc_metadata.items())
    if config.api_key is not None and "authorization" not in headers:
        headers["authorization"] = f"Bearer {config.api_key}"
    return headers
