"""``outlast operator``: namespaces, search attributes, and the server itself."""

from __future__ import annotations

import click

from .lazy import LazyGroup

_COMMANDS = {
    "namespace": "outlast.cli.namespace:namespace",
    "search-attribute": "outlast.cli.search_attribute:search_attribute",
    "cluster": "outlast.cli.cluster:cluster",
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def operator() -> None:
    """Namespaces, search attributes, and the server itself."""
