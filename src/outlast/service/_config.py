"""How to reach a server: addresses, credentials, retries, keep-alive, compression.

Rule: names and defaults are those of ``temporalio.service``; durations named ``*_millis`` are milliseconds.
"""

from __future__ import annotations

import os
import socket
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from outlast.runtime import Runtime


@dataclass
class TLSConfig:
    """Encryption and mutual authentication."""

    server_root_ca_cert: bytes | None = None
    """PEM of the root that signed the server's certificate; None for the roots that gRPC ships."""

    domain: str | None = None
    """Name to ask for (SNI and authority) and to verify, when it is not the host of the address."""

    client_cert: bytes | None = None
    """PEM of our certificate; together with ``client_private_key``."""

    client_private_key: bytes | None = None
    """PEM of our key; together with ``client_cert``."""

    verification_server_name: str | None = None
    """Name to verify without asking for it. Not possible with this transport; connecting says so."""


@dataclass
class RetryConfig:
    """When and how often a call that failed on the way is repeated."""

    initial_interval_millis: int = 100
    """Wait before the first repetition."""
    randomization_factor: float = 0.2
    """Share of a wait that is left to chance, both ways."""
    multiplier: float = 1.5
    """Growth of the wait."""
    max_interval_millis: int = 5000
    """Longest wait."""
    max_elapsed_time_millis: int | None = 10000
    """No repetition later than this after the first failure; None for no limit."""
    max_retries: int = 10
    """Repetitions at most; 0 for no limit."""


@dataclass(frozen=True)
class KeepAliveConfig:
    """HTTP/2 pings that find out whether an idle connection is still there."""

    interval_millis: int = 30000
    """Between pings."""
    timeout_millis: int = 15000
    """Wait for the answer before the connection counts as lost."""
    default: ClassVar[KeepAliveConfig]
    """Every 30 seconds."""


KeepAliveConfig.default = KeepAliveConfig()


@dataclass(frozen=True)
class HttpConnectProxyConfig:
    """A proxy to tunnel through. Without it no proxy is used, whatever the environment says."""

    target_host: str
    """``host:port`` of the proxy."""
    basic_auth: tuple[str, str] | None = None
    """User and password."""


@dataclass(frozen=True)
class DnsLoadBalancingConfig:
    """Spread calls over all addresses of the host, and look them up again from time to time.

    Without effect behind an HTTP CONNECT proxy, which resolves the name itself.
    """

    resolution_interval_millis: int = 30000
    """Shortest time between two look-ups."""
    default: ClassVar[DnsLoadBalancingConfig]
    """Every 30 seconds."""


DnsLoadBalancingConfig.default = DnsLoadBalancingConfig()


class GrpcCompression(ABC):
    """Compression of messages on the wire; see the constants."""

    NONE: ClassVar[GrpcCompression]
    """Neither compress requests nor accept compressed responses."""

    GZIP: ClassVar[GrpcCompression]
    """Compress requests of more than a kilobyte; accept compressed responses."""


@dataclass(frozen=True)
class _Compression(GrpcCompression):
    name: str


GrpcCompression.NONE = _Compression("none")
GrpcCompression.GZIP = _Compression("gzip")


@dataclass(frozen=True)
class PayloadLimitsConfig:
    """From which size on outgoing data is worth a warning in the log. It is sent all the same."""

    payloads_warn_size: int = 512 * 1024
    """Bytes of the payloads in one field; 0 for no warning."""

    memo_warn_size: int = 2 * 1024
    """Bytes of a memo; 0 for no warning."""


@dataclass
class ConnectConfig:
    """Everything about one connection."""

    target_host: str
    """``host:port``."""
    api_key: str | None = None
    """Sent as a bearer token, unless ``rpc_metadata`` has an ``authorization`` of its own."""
    tls: bool | TLSConfig | None = None
    """True for the default TLS, None for TLS only with an API key."""
    retry_config: RetryConfig | None = None
    keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default
    rpc_metadata: Mapping[str, str | bytes] = field(default_factory=dict)
    """Headers of every call; a header of a single call replaces the one of the same name."""
    identity: str = ""
    """Who we are in histories and in the UI; ``pid@host`` when empty."""
    lazy: bool = False
    """Connect at the first call."""
    runtime: Runtime | None = None
    """For the metrics of the workers of this connection; the default one when None."""
    http_connect_proxy_config: HttpConnectProxyConfig | None = None
    dns_load_balancing_config: DnsLoadBalancingConfig | None = None
    grpc_compression: GrpcCompression = GrpcCompression.GZIP
    payload_limits: PayloadLimitsConfig = field(default_factory=PayloadLimitsConfig)
    connect_timeout: timedelta | None = None
    """Give up connecting after this time; 10 seconds when None."""

    def __post_init__(self) -> None:
        """Fill in the identity."""
        if not self.identity:
            self.identity = f"{os.getpid()}@{socket.gethostname()}"

    @property
    def _wants_tls(self) -> bool:
        return bool(self.tls) or (self.tls is None and self.api_key is not None)
