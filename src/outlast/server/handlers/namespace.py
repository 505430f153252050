"""Namespaces: registered, described, listed, changed, deleted.

Source: rules 3.10.5; WorkflowService's namespace RPCs, OperatorService.DeleteNamespace.
"""

from __future__ import annotations

from outlast.api.operatorservice.v1 import DeleteNamespaceRequest, DeleteNamespaceResponse
from outlast.api.workflowservice.v1 import (
    DeprecateNamespaceRequest,
    DeprecateNamespaceResponse,
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    ListNamespacesRequest,
    ListNamespacesResponse,
    RegisterNamespaceRequest,
    RegisterNamespaceResponse,
    UpdateNamespaceRequest,
    UpdateNamespaceResponse,
)
from outlast.engine import namespaces
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument, Unimplemented
from outlast.vocab.times import from_duration

from .. import reclaim
from ..context import CallContext
from ..node import Node


async def register(node: Node, request: RegisterNamespaceRequest, context: CallContext) -> RegisterNamespaceResponse:
    """Create a namespace."""
    await node.namespaces.register(request)
    return RegisterNamespaceResponse()


async def describe(node: Node, request: DescribeNamespaceRequest, context: CallContext) -> DescribeNamespaceResponse:
    """The namespace with this name or id."""
    return node.namespaces.describe(request.namespace, request.id)


async def list_all(node: Node, request: ListNamespacesRequest, context: CallContext) -> ListNamespacesResponse:
    """One page of the namespaces, by name; the token is the last name of the page before."""
    if request.page_size < 0:
        raise InvalidArgument(f"ListNamespaces: page size {request.page_size} is below zero; ask for 1 or more")
    size = min(request.page_size or limits.NAMESPACES_PAGE_MAX, limits.NAMESPACES_PAGE_MAX)
    after = request.next_page_token.decode(errors="replace")
    found = node.namespaces.all(deleted=request.namespace_filter.include_deleted)
    rest = [each for each in found if each.namespace_info.name > after]
    token = rest[size - 1].namespace_info.name.encode() if len(rest) > size else b""
    return ListNamespacesResponse(namespaces=rest[:size], next_page_token=token)


async def update(node: Node, request: UpdateNamespaceRequest, context: CallContext) -> UpdateNamespaceResponse:
    """Change description, owner, data, retention, state or the names of search attributes."""
    changed = await node.namespaces.change(request.namespace, lambda stored: namespaces.update(stored, request))
    shown = namespaces.shown(changed)
    return UpdateNamespaceResponse(
        namespace_info=shown.namespace_info, config=shown.config, replication_config=shown.replication_config
    )


async def deprecate(node: Node, request: DeprecateNamespaceRequest, context: CallContext) -> DeprecateNamespaceResponse:
    """Let no new workflows start in the namespace; those that run go on."""
    await node.namespaces.change(request.namespace, namespaces.deprecate)
    return DeprecateNamespaceResponse()


async def delete(node: Node, request: DeleteNamespaceRequest, context: CallContext) -> DeleteNamespaceResponse:
    """Take the name away at once, and the runs in the background, also across a restart."""
    if from_duration(request.namespace_delete_delay):
        raise Unimplemented("DeleteNamespace: namespace_delete_delay is not built in this version of outlast")
    if request.namespace and request.namespace_id:
        raise InvalidArgument("DeleteNamespace: namespace and namespace_id are both given; give one of them")
    name = request.namespace or node.namespaces.name_of(request.namespace_id)
    changed = await node.namespaces.change(name, namespaces.delete)
    reclaim.begin(node, changed.namespace_info.id)
    return DeleteNamespaceResponse(deleted_namespace=changed.namespace_info.name)
