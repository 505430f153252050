"""The namespaces of a node: a name, an id that never changes, and a description."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping

from outlast.api.common.v1 import SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.workflowservice.v1 import DescribeNamespaceResponse, RegisterNamespaceRequest
from outlast.engine import namespaces as decide
from outlast.engine.visibility import attributes
from outlast.storage.port import Storage
from outlast.vocab.divisions import namespace_of
from outlast.vocab.errors import InvalidArgument, NamespaceAlreadyExists, NamespaceNotFound
from outlast.vocab.search_attributes import BadValue
from outlast.vocab.times import from_duration


class Namespaces:
    """Name -> description, read once and kept; one change at a time."""

    __slots__ = ("_attributes", "_by_id", "_by_name", "_changing", "_data", "_storage", "ids")

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._changing = asyncio.Lock()
        self._by_name: dict[str, DescribeNamespaceResponse] = {}
        self._by_id: dict[str, DescribeNamespaceResponse] = {}
        self._attributes: dict[str, Mapping[str, int]] = {}
        self._data: dict[str, bytes] = {}
        """As stored, which a change has to name."""
        self.ids: dict[str, str] = {}
        """Name -> id, of every namespace."""

    async def load(self) -> None:
        """Read the stored namespaces."""
        for data in await self._storage.namespaces():
            self._keep(DescribeNamespaceResponse.FromString(data), data)

    # -- changing ------------------------------------------------------------------------------------------------

    async def ensure(self, name: str) -> None:
        """Create the namespace unless it exists."""
        async with self._changing:
            if name not in self._by_name:
                await self._store(decide.new(name, str(uuid.uuid4())), None)

    async def register(self, request: RegisterNamespaceRequest) -> None:
        """Create a namespace.

        Raises:
            NamespaceAlreadyExists: the name is taken.
        """
        async with self._changing:
            if request.namespace in self._by_name:
                raise NamespaceAlreadyExists(f"namespace {request.namespace!r} exists already; choose another name")
            await self._store(decide.register(request, str(uuid.uuid4())), None)

    async def change(
        self, name: str, decision: Callable[[DescribeNamespaceResponse], DescribeNamespaceResponse]
    ) -> DescribeNamespaceResponse:
        """Let a decision change a namespace; durable on return."""
        async with self._changing:
            stored = self._by_id[self.id_of(name)]
            changed = decision(stored)
            await self._store(changed, stored)
            return changed

    async def _store(self, description: DescribeNamespaceResponse, before: DescribeNamespaceResponse | None) -> None:
        info = description.namespace_info
        data = description.SerializeToString(deterministic=True)
        await self._storage.put_namespace(info.id, info.name, data, self._data.get(info.id))
        if before is not None:
            del self._by_name[before.namespace_info.name], self.ids[before.namespace_info.name]
        self._keep(description, data)

    def _keep(self, description: DescribeNamespaceResponse, data: bytes) -> None:
        info = description.namespace_info
        self._by_name[info.name] = description
        self._by_id[info.id] = description
        self.ids[info.name] = info.id
        self._data[info.id] = data
        self._attributes[info.id] = decide.search_attributes(description)

    async def forget(self, namespace_id: str) -> None:
        """Remove a deleted namespace, whose runs are gone."""
        async with self._changing:
            await self._storage.delete_namespace(namespace_id)
            description = self._by_id.pop(namespace_id)
            del self._by_name[description.namespace_info.name], self.ids[description.namespace_info.name]
            del self._attributes[namespace_id], self._data[namespace_id]

    # -- finding -------------------------------------------------------------------------------------------------

    def require(self, name: str) -> None:
        """Raise NamespaceNotFound where there is no namespace of this name."""
        if name not in self._by_name:
            self._named(name)

    def id_of(self, name: str, *, starting: bool = False) -> str:
        """The id of the namespace with this name.

        Args:
            starting: to start a workflow in it.

        Raises:
            InvalidArgument: the name is empty.
            NamespaceNotFound: there is none.
            NamespaceInvalidState: it is being deleted, or is deprecated and a workflow is to be started.
        """
        description = self._named(name)
        decide.check_state(description, starting=starting)
        return description.namespace_info.id

    def _named(self, name: str) -> DescribeNamespaceResponse:
        description = self._by_name.get(name)
        if description is None:
            if not name:
                raise InvalidArgument("namespace is empty; name one, such as 'default'")
            known = ", ".join(repr(each.namespace_info.name) for each in self.all())
            raise NamespaceNotFound(
                f"namespace {name!r} is not known here; the server has {known}. Register it, or start the server with "
                "--namespace",
                namespace=name,
            )
        return description

    def name_of(self, namespace_id: str) -> str:
        """The name of the namespace with this id.

        Raises:
            NamespaceNotFound: it has been deleted.
        """
        description = self._by_id.get(namespace_id)
        if description is None:
            raise NamespaceNotFound(f"there is no namespace with the id {namespace_id}; it may have been deleted")
        return description.namespace_info.name

    def retention_ns(self, namespace_id: str) -> int:
        """How long closed runs of a namespace or a division of it are kept; not at all when it is being deleted."""
        description = self._by_id.get(namespace_of(namespace_id))
        return from_duration(description.config.workflow_execution_retention_ttl) if description is not None else 1

    def describe(self, name: str, namespace_id: str) -> DescribeNamespaceResponse:
        """The description of a namespace, found by name or by id."""
        if not name and namespace_id in self._by_id:
            return decide.shown(self._by_id[namespace_id])
        return decide.shown(self._named(name or namespace_id))

    def all(self, *, deleted: bool = False) -> list[DescribeNamespaceResponse]:
        """Every namespace, by name; those that are being deleted only when asked for."""
        return [
            decide.shown(description)
            for _, description in sorted(self._by_name.items())
            if deleted or description.namespace_info.state != _e.NAMESPACE_STATE_DELETED
        ]

    def deleted(self) -> list[str]:
        """The ids of the namespaces whose runs are to be reclaimed."""
        state = _e.NAMESPACE_STATE_DELETED
        return [key for key, description in self._by_id.items() if description.namespace_info.state == state]

    # -- search attributes ---------------------------------------------------------------------------------------

    def search_attributes(self, namespace_id: str) -> Mapping[str, int]:
        """The namespace's own search attributes: name -> INDEXED_VALUE_TYPE_*."""
        return self._attributes.get(namespace_id, {})

    def typed(self, namespace_id: str, message: SearchAttributes, subject: str) -> SearchAttributes:
        """Search attributes that a caller sets, checked and with their types.

        Raises:
            InvalidArgument: see ``engine.visibility.attributes``.
        """
        try:
            return attributes.typed(message, self.search_attributes(namespace_id))
        except BadValue as error:
            raise InvalidArgument(f"{subject}: {error}") from None
