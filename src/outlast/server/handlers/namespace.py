"""Namespaces: described and listed; the server's options create them."""

from __future__ import annotations

from outlast.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    ListNamespacesRequest,
    ListNamespacesResponse,
)

from ..context import CallContext
from ..node import Node


async def describe(node: Node, request: DescribeNamespaceRequest, context: CallContext) -> DescribeNamespaceResponse:
    """The namespace with this name or id."""
    return node.namespaces.describe(request.namespace, request.id)


async def list_all(node: Node, request: ListNamespacesRequest, context: CallContext) -> ListNamespacesResponse:
    """Every namespace on one page; there are few."""
    return ListNamespacesResponse(namespaces=node.namespaces.all())
