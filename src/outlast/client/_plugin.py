"""The hook by which a plugin takes part in the making of clients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from outlast.service import ConnectConfig, ServiceClient

if TYPE_CHECKING:
    from ._client import ClientConfig


class Plugin(ABC):
    """Changes the configuration of clients and their connection. Earlier plugins wrap later ones.

    A plugin that is a worker plugin too is also used by the workers of the client.
    """

    def name(self) -> str:
        """Name of the plugin: module and class unless overridden."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """The configuration to make the client with, given the one so far."""

    @abstractmethod
    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        """Connect, usually by awaiting ``next`` with the configuration or a changed one."""
