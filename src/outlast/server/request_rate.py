"""How many calls per second a namespace may make, where the server is told a limit. The embedded engine has none.

A bucket for each namespace: it fills with the rate, and holds what comes in two seconds.

Source: Temporal's frontend.namespaceRPS and its burst ratio of 2; rule 3.10.1.
"""

from __future__ import annotations

from google.protobuf.message import Message

from outlast.api.enums import v1 as _e
from outlast.vocab.errors import ResourceExhausted, ServiceError

from .context import Call, CallContext
from .node import Node

_BURST_NS = 2_000_000_000


def limited(node: Node, call: Call, per_second: float) -> Call:
    """``call``, for callers who keep within the rate; the rest get RESOURCE_EXHAUSTED."""
    step_ns = int(1e9 / per_second)
    burst_ns = max(_BURST_NS, step_ns)
    empty_at: dict[str, int] = {}
    """Namespace id -> the instant at which all that was taken has come in again."""

    async def within_rate(service: str, rpc: str, request: Message, context: CallContext) -> Message:
        name = getattr(request, "namespace", "")
        namespace_id = _id_of(node, name)
        if namespace_id:
            now = node.wall.now()
            at = max(empty_at.get(namespace_id, 0), now)
            if at + step_ns - now > burst_ns:
                raise ResourceExhausted(
                    f"namespace rate limit exceeded: {name!r} makes more than {per_second:g} calls per second; call "
                    "again in a moment, or run the server with a higher --namespace-rps",
                    cause=_e.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT,
                    scope=_e.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
                )
            empty_at[namespace_id] = at + step_ns
        return await call(service, rpc, request, context)

    return within_rate


def _id_of(node: Node, name: str) -> str:
    """The id of a namespace; "" of one that there is not, whose calls are refused elsewhere."""
    try:
        return node.namespaces.id_of(name) if name else ""
    except ServiceError:
        return ""
