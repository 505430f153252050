"""The namespaces of a node: a name, an id that never changes, and a description."""

from __future__ import annotations

import uuid

from outlast.api.enums import v1 as _e
from outlast.api.namespace.v1 import NamespaceConfig, NamespaceInfo
from outlast.api.workflowservice.v1 import DescribeNamespaceResponse
from outlast.storage.port import Storage
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, NamespaceNotFound
from outlast.vocab.times import duration


class Namespaces:
    """Name -> description, read once and kept."""

    __slots__ = ("_by_id", "_by_name", "_storage")

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._by_name: dict[str, DescribeNamespaceResponse] = {}
        self._by_id: dict[str, DescribeNamespaceResponse] = {}

    async def load(self) -> None:
        """Read the stored namespaces."""
        for data in await self._storage.namespaces():
            self._keep(DescribeNamespaceResponse.FromString(data))

    async def ensure(self, name: str) -> None:
        """Create the namespace unless it exists."""
        if name in self._by_name:
            return
        description = DescribeNamespaceResponse(
            namespace_info=NamespaceInfo(
                name=name,
                id=str(uuid.uuid4()),
                state=_e.NAMESPACE_STATE_REGISTERED,
                capabilities=NamespaceInfo.Capabilities(eager_workflow_start=True),
            ),
            config=NamespaceConfig(workflow_execution_retention_ttl=duration(limits.RETENTION_DEFAULT_NS)),
        )
        await self._storage.put_namespace(description.namespace_info.id, name, description.SerializeToString(), None)
        self._keep(description)

    def _keep(self, description: DescribeNamespaceResponse) -> None:
        self._by_name[description.namespace_info.name] = description
        self._by_id[description.namespace_info.id] = description

    def id_of(self, name: str) -> str:
        """The id of the namespace with this name.

        Raises:
            InvalidArgument: the name is empty.
            NamespaceNotFound: there is none.
        """
        description = self._by_name.get(name)
        if description is None:
            if not name:
                raise InvalidArgument("namespace is empty; name one, such as 'default'")
            known = ", ".join(repr(known) for known in sorted(self._by_name))
            raise NamespaceNotFound(
                f"namespace {name!r} is not known here; the server has {known}. Start it with --namespace to add one",
                namespace=name,
            )
        return description.namespace_info.id

    def name_of(self, namespace_id: str) -> str:
        """The name of the namespace with this id."""
        return self._by_id[namespace_id].namespace_info.name

    def describe(self, name: str, namespace_id: str) -> DescribeNamespaceResponse:
        """The description of a namespace, found by name or by id."""
        if not name and namespace_id in self._by_id:
            return self._by_id[namespace_id]
        return self._by_id[self.id_of(name or namespace_id)]

    def all(self) -> list[DescribeNamespaceResponse]:
        """Every namespace, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]
