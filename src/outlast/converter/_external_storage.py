"""Names for offloading large payloads to a store outside the server. Not built: configuring it says so.

Rule: the driver interface is here, so that drivers can be written and imported; ``ExternalStorage`` refuses to exist.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from outlast.api.common.v1 import Payload


@dataclass(frozen=True)
class StorageDriverClaim:
    """A driver's reference to one stored payload."""

    claim_data: Mapping[str, str]
    """What the driver needs to find it again."""


@dataclass(frozen=True, kw_only=True)
class StorageDriverWorkflowInfo:
    """The workflow that a payload belongs to."""

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class StorageDriverActivityInfo:
    """The activity that a payload belongs to."""

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class StorageDriverStoreContext:
    """What ``StorageDriver.store`` is told."""

    target: StorageDriverActivityInfo | StorageDriverWorkflowInfo | None = None
    """Whose payloads these are."""


@dataclass(frozen=True)
class StorageDriverSelectContext:
    """What a driver selector is told."""

    target: StorageDriverActivityInfo | StorageDriverWorkflowInfo | None = None
    """Whose payload it is."""


@dataclass(frozen=True)
class StorageDriverRetrieveContext:
    """What ``StorageDriver.retrieve`` is told."""


class StorageDriver(ABC):
    """Stores payloads and fetches them again."""

    @abstractmethod
    def name(self) -> str:
        """Name of this instance, unique among the drivers of one configuration."""

    def type(self) -> str:
        """Name of the kind of driver; the class name unless overridden."""
        return self.__class__.__name__

    @abstractmethod
    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Store payloads; one claim per payload, in order."""

    @abstractmethod
    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Fetch payloads; one per claim, in order."""


class StorageWarning(RuntimeWarning):
    """Something about external storage deserves attention."""


@dataclass(frozen=True)
class ExternalStorage:
    """Configuration of external storage.

    Raises:
        NotImplementedError: always.
    """

    drivers: Sequence[StorageDriver]
    driver_selector: Callable[[StorageDriverSelectContext, Payload], StorageDriver | None] | None = None
    payload_size_threshold: int = 256 * 1024

    def __post_init__(self) -> None:
        """Refuse."""
        raise NotImplementedError(
            "ExternalStorage (offloading large payloads to a store) is not built in outlast; pass references to large"
            " data instead, or store it in a PayloadCodec of your own"
        )
