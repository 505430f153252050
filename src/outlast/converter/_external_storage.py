"""Large payloads in a store outside the server: the interface of drivers, and which payloads go there.

Rule: what a message carries instead is a reference, ``temporal.api.sdk.v1.ExternalStorageReference`` as JSON, which
other SDKs read. Payloads are stored after the codec and fetched before it, so a store sees what a server would.
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
    """Which payloads are stored outside the server, and where."""

    drivers: Sequence[StorageDriver]
    """At least one; each with a name of its own, by which references find it again."""

    driver_selector: Callable[[StorageDriverSelectContext, Payload], StorageDriver | None] | None = None
    """Chooses one of the drivers for a payload, or None to leave it in the message. Needed with several drivers."""

    payload_size_threshold: int = 256 * 1024
    """Bytes from which on a payload is stored outside."""

    def __post_init__(self) -> None:
        """Check the drivers.

        Raises:
            ValueError: no driver, two of one name, several and nothing to choose with, or a negative threshold.
        """
        if not self.drivers:
            raise ValueError("ExternalStorage.drivers must contain at least one driver.")
        if self.payload_size_threshold < 0:
            raise ValueError("ExternalStorage.payload_size_threshold must be greater than or equal to zero.")
        if len(self.drivers) > 1 and self.driver_selector is None:
            raise ValueError("ExternalStorage.driver_selector must be specified if multiple drivers are registered.")
        names = [driver.name() for driver in self.drivers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"ExternalStorage.drivers contains multiple drivers with name {name!r}. Each driver must have a"
                    " unique name."
                )

    def _driver_for(self, context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        """The driver to store a payload with; None to leave it where it is."""
        if payload.ByteSize() < self.payload_size_threshold:
            return None
        if self.driver_selector is None:
            return self.drivers[0]
        chosen = self.driver_selector(context, payload)
        if chosen is not None and not any(chosen is driver for driver in self.drivers):
            raise ValueError(
                f"Driver {chosen.name()!r} returned by driver_selector is not registered in ExternalStorage.drivers"
            )
        return chosen

    def _driver_named(self, name: str) -> StorageDriver:
        for driver in self.drivers:
            if driver.name() == name:
                return driver
        raise ValueError(f"No driver found with name {name!r}: a payload is stored with it; add it to the drivers")
