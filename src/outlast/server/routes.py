"""The HTTP routes of every RPC, read from the descriptors, and the search for the one that a request means.

Rule: no line here knows an RPC. An RPC has the bindings of its ``google.api.http`` option. One without the option has
``POST /api/v1/{service}/{rpc}`` with the whole request as its body, so that nothing is out of the reach of HTTP.

Paths are matched as they came in, and decoded segment by segment: a workflow id may contain a slash, written %2F.

Source: google/api/http.proto; generate_unbound_methods of grpc-gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from google.protobuf.descriptor import MethodDescriptor

from outlast.api.annotations import http
from outlast.api.descriptors import SERVICES, options

PREFIX: Final = "/api/v1"
WHOLE: Final = "*"
"""The body is the request."""


class Route(NamedTuple):
    """One way to an RPC.

    ``variables`` are paths of fields in the order in which they stand in ``template``. ``body`` is ``*``, the name of
    the field that the body is, or empty where there is none.
    """

    verb: str
    template: str
    variables: tuple[str, ...]
    body: str
    service: str
    rpc: MethodDescriptor


class Match(NamedTuple):
    """A route and the values of its variables."""

    route: Route
    values: Mapping[str, str]


class _Node:
    """One place in the tree of segments."""

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.routes: dict[str, Route] = {}


class Routes:
    """The routes of some services."""

    def __init__(self, services: Sequence[str]) -> None:
        self.all = tuple(route for name in services for route in _of_service(name))
        self._root = _Node()
        for route in self.all:
            node = self._root
            for segment in route.template.split("/")[1:]:
                if segment.startswith("{"):
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.literal.setdefault(segment, _Node())
            taken = node.routes.setdefault(route.verb, route)
            assert taken is route, f"{route.verb} {route.template} means {taken.rpc.name} and {route.rpc.name}"

    def find(self, verb: str, raw_path: str) -> tuple[Match | None, Sequence[str]]:
        """The route for a path that is still percent-encoded, and else the verbs that the path has, if any."""
        allowed: set[str] = set()
        for node, values in _walk(self._root, raw_path.split("/")[1:], ()):
            route = node.routes.get(verb)
            if route is not None:
                return Match(route, dict(zip(route.variables, values, strict=True))), ()
            allowed.update(node.routes)
        return None, sorted(allowed)


def _walk(node: _Node, segments: Sequence[str], values: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """Every place that a path leads to, what stands literally first. No variable is empty."""
    if not segments:
        if node.routes:
            yield node, values
        return
    head, rest = segments[0], segments[1:]
    if head in node.literal:
        yield from _walk(node.literal[head], rest, values)
    if head and node.variable is not None:
        yield from _walk(node.variable, rest, (*values, unquote(head)))


def _of_service(name: str) -> Iterator[Route]:
    for rpc in SERVICES[name].methods:
        rpc_options: Any = options(rpc)
        rule = rpc_options.Extensions[http]
        bindings = [binding for binding in (rule, *rule.additional_bindings) if binding.WhichOneof("pattern")]
        if not bindings:
            yield Route("POST", f"{PREFIX}/{name}/{rpc.name}", (), WHOLE, name, rpc)
        for binding in bindings:
            verb = binding.WhichOneof("pattern")
            template = getattr(binding, verb)
            assert verb != "custom" and not binding.response_body and not re.search(r"[*=:]", template), template
            variables = tuple(re.findall(r"\{([^}]+)\}", template))
            yield Route(verb.upper(), template, variables, binding.body, name, rpc)
