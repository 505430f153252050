"""The gRPC transport: one channel, one multicallable per RPC, made from the descriptors when first used.

Rule: requests are serialized here, once, so that their size decides about compression; responses are ours to keep.
Proxies named in the environment are not used: a server on this machine must not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from outlast.api.descriptors import SERVICES
from outlast.vocab import errors

from ._config import ConnectConfig, GrpcCompression, HttpConnectProxyConfig, TLSConfig

_GZIP_BYTES_MIN = 1024  # below this gzip saves less than it costs
_RECEIVED_BYTES_MAX = 128 * 1024 * 1024
# gRPC's own 1 s to 120 s would leave workers idle long after a server has come back.
_RECONNECT_MS_MIN = 100
_RECONNECT_MS_MAX = 5000
_CALL_SECONDS = 30.0  # deadline of a call that got none. Source: Temporal's SDKs
_LONG_POLL_SECONDS = 70.0


class GrpcTransport:
    """Calls over one gRPC channel. Must be made inside the event loop that uses it."""

    def __init__(self, config: ConnectConfig) -> None:
        self._channel = _open_channel(config)
        self._gzip = config.grpc_compression == GrpcCompression.GZIP
        self._calls: dict[tuple[str, str], Callable[..., Any]] = {}

    async def call(
        self, service: str, rpc: str, request: Message, *, metadata: Mapping[str, str | bytes], timeout: float | None
    ) -> Message:
        """Call an RPC.

        Args:
            service: full protobuf name of the service.
            rpc: name of the RPC as in the descriptor.
            request: sent as it is.
            metadata: headers, names in lower case.
            timeout: seconds; None for 30, or 70 where the server holds the call back.

        Raises:
            ServiceError: the call failed; the subclass and the code say how.
        """
        call = self._calls.get((service, rpc)) or self._bind(service, rpc)
        data = request.SerializeToString()
        try:
            answer: Message = await call(
                data,
                timeout=timeout or (_LONG_POLL_SECONDS if is_long_poll(rpc, request) else _CALL_SECONDS),
                metadata=tuple(metadata.items()),
                compression=grpc.Compression.Gzip if self._gzip and len(data) > _GZIP_BYTES_MIN else None,
            )
        except grpc.aio.AioRpcError as err:
            raise _service_error(err) from None
        return answer

    def _bind(self, service: str, rpc: str) -> Callable[..., Any]:
        # The health service is not Temporal's: its messages live in the process-wide pool.
        described = SERVICES.get(service) or descriptor_pool.Default().FindServiceByName(service)
        response = message_factory.GetMessageClass(described.methods_by_name[rpc].output_type)
        call: Callable[..., Any] = self._channel.unary_unary(
            f"/{service}/{rpc}", request_serializer=None, response_deserializer=response.FromString
        )
        self._calls[service, rpc] = call
        return call

    async def close(self) -> None:
        """Close the channel; calls that are under way are cancelled."""
        await self._channel.close()


def is_long_poll(rpc: str, request: Message) -> bool:
    """Whether the server holds this call back until there is something to say."""
    return rpc.startswith("Poll") or bool(getattr(request, "wait_new_event", False))


def _service_error(error: grpc.aio.AioRpcError) -> errors.ServiceError:
    details = b""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            details = value
    code: int = error.code().value[0]
    if error.code() is grpc.StatusCode.CANCELLED and not details:
        # What our side cancels never gets here: a server that stopped has cut the connection under the call.
        code = grpc.StatusCode.UNAVAILABLE.value[0]
    return errors.from_code(code, error.details() or error.code().name, details)


def _open_channel(config: ConnectConfig) -> grpc.aio.Channel:
    options = _options(config)
    if not config._wants_tls:
        return grpc.aio.insecure_channel(config.target_host, options=options)
    tls = config.tls if isinstance(config.tls, TLSConfig) else TLSConfig()
    if tls.verification_server_name is not None:
        raise NotImplementedError(
            "TLSConfig.verification_server_name is not built in outlast: gRPC for Python verifies the name it asks"
            " for; use TLSConfig.domain where both may be the same"
        )
    if bool(tls.client_cert) != bool(tls.client_private_key):
        raise ValueError("TLSConfig needs both client_cert and client_private_key, or neither")
    if tls.domain:
        options = [
            *options,
            ("grpc.ssl_target_name_override", tls.domain),
            ("grpc.default_authority", tls.domain),
        ]
    credentials = grpc.ssl_channel_credentials(tls.server_root_ca_cert, tls.client_private_key, tls.client_cert)
    return grpc.aio.secure_channel(config.target_host, credentials, options=options)


def _options(config: ConnectConfig) -> Sequence[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", _RECEIVED_BYTES_MAX),
        ("grpc.max_send_message_length", -1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS_MIN),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS_MAX),
    ]
    proxy = config.http_connect_proxy_config
    if proxy is not None:
        options[options.index(("grpc.enable_http_proxy", 0))] = ("grpc.enable_http_proxy", 1)
        options.append(("grpc.http_proxy", _proxy_url(proxy)))
    elif config.dns_load_balancing_config is not None:
        interval = config.dns_load_balancing_config.resolution_interval_millis
        options.append(("grpc.lb_policy_name", "round_robin"))
        options.append(("grpc.dns_min_time_between_resolutions_ms", interval))
    if config.keep_alive_config is not None:
        options.append(("grpc.keepalive_time_ms", config.keep_alive_config.interval_millis))
        options.append(("grpc.keepalive_timeout_ms", config.keep_alive_config.timeout_millis))
        options.append(("grpc.keepalive_permit_without_calls", 1))
        options.append(("grpc.http2.max_pings_without_data", 0))
    if config.grpc_compression == GrpcCompression.NONE:
        options.append(("grpc.compression_enabled_algorithms_bitset", 1))  # bit 0: identity
    return options


def _proxy_url(proxy: HttpConnectProxyConfig) -> str:
    if proxy.basic_auth is None:
        return f"http://{proxy.target_host}"
    user, password = proxy.basic_auth
    return f"http://{user}:{password}@{proxy.target_host}"
