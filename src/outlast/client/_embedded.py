"""Where a target leads: a server over gRPC, or the engine in this process.

Rule: the one place of the SDK that imports the server, and only when a target asks for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from outlast.service import ConnectConfig, ServiceClient
from outlast.service._calls import TransportServiceClient
from outlast.vocab.errors import InvalidArgument

_EMBEDDED = "sqlite"


def connector(target: str, namespace: str) -> Callable[[ConnectConfig], Awaitable[ServiceClient]]:
    """The function that connects to this kind of target.

    Args:
        target: ``host:port``, ``sqlite:///orders.db``, ``sqlite:////var/lib/orders.db`` or ``sqlite://:memory:``.
        namespace: made in an embedded engine where it does not exist.

    Raises:
        ValueError: the target has another scheme, or a database is not written so.
    """
    scheme, separator, _ = target.partition("://")
    if not separator:
        if target.startswith(f"{_EMBEDDED}:"):
            raise ValueError(
                f'cannot connect to {target!r}: a database is written "sqlite:///file.db" (in this directory),'
                ' "sqlite:////var/lib/file.db" or "sqlite://:memory:"'
            )
        return ServiceClient.connect
    if scheme != _EMBEDDED:
        raise ValueError(
            f"cannot connect to {target!r}: the scheme {scheme!r} is unknown. Write host:port for a server (TLS is an"
            ' argument, not a scheme), or "sqlite:///file.db" or "sqlite://:memory:" for an engine in this process'
        )

    async def connect(config: ConnectConfig) -> ServiceClient:
        # Read the target again: a plugin may have changed it.
        if not config.target_host.startswith(f"{_EMBEDDED}://"):
            return await ServiceClient.connect(config)
        from outlast.server import embedded

        try:
            transport = await embedded.connect(config.target_host, namespace=namespace)
        except InvalidArgument as err:
            raise ValueError(str(err)) from err
        return TransportServiceClient(config, transport)

    return connect
