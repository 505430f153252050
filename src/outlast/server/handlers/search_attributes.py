"""The registry of a namespace's own search attributes.

Source: OperatorService; rules 3.11.1 to 3.11.3.
"""

from __future__ import annotations

from outlast.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    AddSearchAttributesResponse,
    ListSearchAttributesRequest,
    ListSearchAttributesResponse,
    RemoveSearchAttributesRequest,
    RemoveSearchAttributesResponse,
)
from outlast.engine import namespaces
from outlast.vocab.search_attributes import PREDEFINED, SYSTEM

from ..context import CallContext
from ..node import Node


async def add(node: Node, request: AddSearchAttributesRequest, context: CallContext) -> AddSearchAttributesResponse:
    """Register search attributes; they can be set and asked for at once."""
    await node.namespaces.change(
        request.namespace, lambda stored: namespaces.add_search_attributes(stored, request.search_attributes)
    )
    return AddSearchAttributesResponse()


async def remove(
    node: Node, request: RemoveSearchAttributesRequest, context: CallContext
) -> RemoveSearchAttributesResponse:
    """Unregister search attributes; runs keep the values that they have."""
    await node.namespaces.change(
        request.namespace, lambda stored: namespaces.remove_search_attributes(stored, list(request.search_attributes))
    )
    return RemoveSearchAttributesResponse()


async def list_all(
    node: Node, request: ListSearchAttributesRequest, context: CallContext
) -> ListSearchAttributesResponse:
    """The namespace's own search attributes, and the system's."""
    namespace_id = node.namespaces.id_of(request.namespace)
    return ListSearchAttributesResponse(
        custom_attributes=node.namespaces.search_attributes(namespace_id),
        system_attributes={**SYSTEM, **PREDEFINED},
    )
