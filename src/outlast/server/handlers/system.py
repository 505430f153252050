"""What the server says of itself."""

from __future__ import annotations

from outlast import __version__
from outlast.api.workflowservice.v1 import (
    GetClusterInfoRequest,
    GetClusterInfoResponse,
    GetSystemInfoRequest,
    GetSystemInfoResponse,
)

from ..context import CallContext
from ..node import Node


async def get_system_info(node: Node, request: GetSystemInfoRequest, context: CallContext) -> GetSystemInfoResponse:
    """The capabilities that SDKs gate their features on: true for what is built, and only for that.

    ``build_id_based_versioning`` lets SDKs name their builds as such, which lists find as ``BuildIds``, and not as
    checksums; no task is routed by them.
    """
    return GetSystemInfoResponse(
        server_version=__version__,
        capabilities=GetSystemInfoResponse.Capabilities(
            signal_and_query_header=True,
            internal_error_differentiation=True,
            activity_failure_include_heartbeat=True,
            encoded_failure_attributes=True,
            build_id_based_versioning=True,
            upsert_memo=True,
            eager_workflow_start=True,
            sdk_metadata=True,
            count_group_by_execution_status=True,
        ),
    )


async def get_cluster_info(node: Node, request: GetClusterInfoRequest, context: CallContext) -> GetClusterInfoResponse:
    """Name, version and store of this server."""
    return GetClusterInfoResponse(
        cluster_id=node.process,
        cluster_name="outlast",
        server_version=__version__,
        history_shard_count=1,
        persistence_store=type(node.storage).__name__.removesuffix("Storage").lower(),
        visibility_store=type(node.storage).__name__.removesuffix("Storage").lower(),
    )
