"""``outlast operator search-attribute``: what list filters of a namespace can name."""

from __future__ import annotations

from typing import Final

import click

from outlast.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from outlast.vocab.search_attributes import TYPE_NAMES

from . import values
from .connection import Session, connected

_TYPES: Final = {name: number for number, name in TYPE_NAMES.items()}


@click.group("search-attribute")
def search_attribute() -> None:
    """What list filters of a namespace can name."""


@search_attribute.command()
@click.option("--name", "names", multiple=True, required=True, help="Name; repeatable.")
@click.option(
    "--type", "types", multiple=True, required=True, type=click.Choice(list(_TYPES)), help="One for each name."
)
@connected
async def create(session: Session, *, names: tuple[str, ...], types: tuple[str, ...]) -> None:
    """Register search attributes."""
    if len(names) != len(types):
        raise click.UsageError(
            f"{len(names)} names and {len(types)} types: give a --type for each --name, in their order"
        )
    request = AddSearchAttributesRequest(
        namespace=session.namespace,
        search_attributes={name: _TYPES[type_] for name, type_ in zip(names, types, strict=True)},
    )
    await session.operator.add_search_attributes(request, retry=True)
    session.printer.line("Search attributes have been added")
    session.printer.data({"names": list(names)})


@search_attribute.command("list")
@connected
async def list_all(session: Session) -> None:
    """List search attributes, the system's and those that were registered."""
    request = ListSearchAttributesRequest(namespace=session.namespace)
    response = await session.operator.list_search_attributes(request, retry=True)
    found = {**response.system_attributes, **response.custom_attributes}
    rows = (
        ((name, TYPE_NAMES.get(found[name], str(found[name]))), {"name": name, "type": TYPE_NAMES.get(found[name], "")})
        for name in sorted(found)
    )
    session.printer.table(("Name", "Type"), rows, response if session.printer.output == "json" else None)


@search_attribute.command()
@click.option("--name", "names", multiple=True, required=True, help="Name; repeatable.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@connected
async def remove(session: Session, *, names: tuple[str, ...], yes: bool) -> None:
    """Take search attributes away; values that are set stay in the workflows and are found no longer."""
    if not yes:
        click.confirm(f"Remove the search attributes {', '.join(map(values.harmless, names))}?", abort=True, err=True)
    request = RemoveSearchAttributesRequest(namespace=session.namespace, search_attributes=names)
    await session.operator.remove_search_attributes(request, retry=True)
    session.printer.line("Search attributes have been removed")
    session.printer.data({"names": list(names)})
