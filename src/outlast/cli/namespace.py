"""``outlast operator namespace``: the namespaces of a server.

Source: ``temporal operator namespace``; one cluster and no archive, so what is about several is refused by name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import click

from outlast.api.enums import v1 as _e
from outlast.api.namespace.v1 import UpdateNamespaceInfo
from outlast.api.operatorservice.v1 import DeleteNamespaceRequest
from outlast.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    ListNamespacesRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from outlast.vocab import times

from . import values
from .connection import Session, connected
from .inputs import DURATION, pairs
from .options import Option, refused, with_options
from .paging import paged
from .printing import Row

_ONE: Final = "one server is the whole cluster"
_ARCHIVE: Final = "there is no archive"
_PAGE: Final = 100

_NAME: Final[Option] = click.argument("name", required=False)
_REFUSED: Final[Option] = with_options(
    refused("--active-cluster", _ONE),
    refused("--cluster", _ONE),
    refused("--history-archival-state", _ARCHIVE),
    refused("--history-uri", _ARCHIVE),
    refused("--visibility-archival-state", _ARCHIVE),
    refused("--visibility-uri", _ARCHIVE),
)
_DATA: Final[Option] = with_options(
    click.option("--data", multiple=True, callback=pairs, help="NAME=VALUE to keep with it; repeatable."),
    click.option("--description", help="What it is for."),
    click.option("--email", help="Whom to write to."),
)


@click.group()
def namespace() -> None:
    """The namespaces of a server. Which one: NAME, or --namespace."""


def _named(session: Session, name: str | None) -> str:
    return name or session.namespace


@namespace.command()
@_NAME
@_DATA
@click.option("--retention", type=DURATION, default="72h", show_default=True, help="How long ended runs are kept.")
@refused("--global", _ONE, switch=True)
@_REFUSED
@connected
async def create(
    session: Session,
    *,
    name: str | None,
    data: dict[str, str],
    description: str | None,
    email: str | None,
    retention: int,
) -> None:
    """Make a namespace."""
    request = RegisterNamespaceRequest(
        namespace=_named(session, name),
        description=description or "",
        owner_email=email or "",
        data=data,
        workflow_execution_retention_period=times.duration(retention),
    )
    await session.service.register_namespace(request, retry=True)
    session.printer.line(f"Namespace {request.namespace} successfully registered.")
    session.printer.data({"namespace": request.namespace})


@namespace.command()
@_NAME
@click.option("--namespace-id", default="", help="Its id, in place of the name.")
@connected
async def describe(session: Session, *, name: str | None, namespace_id: str) -> None:
    """Show a namespace."""
    request = DescribeNamespaceRequest(namespace="" if namespace_id else _named(session, name), id=namespace_id)
    found = await session.service.describe_namespace(request, retry=True)
    session.printer.record("", _card(found), found)


def _card(found: DescribeNamespaceResponse) -> dict[str, str]:
    info, config = found.namespace_info, found.config
    return {
        "NamespaceInfo.Name": info.name,
        "NamespaceInfo.Id": info.id,
        "NamespaceInfo.State": values.enum_name(_e.NamespaceState, info.state),
        "NamespaceInfo.Description": info.description,
        "NamespaceInfo.OwnerEmail": info.owner_email,
        "NamespaceInfo.Data": values.compact(dict(info.data)) if info.data else "",
        "Config.WorkflowExecutionRetentionTtl": values.duration(config.workflow_execution_retention_ttl),
        "Config.CustomSearchAttributeAliases": values.compact(dict(config.custom_search_attribute_aliases))
        if config.custom_search_attribute_aliases
        else "",
        "IsGlobalNamespace": "true" if found.is_global_namespace else "",
    }


@namespace.command("list")
@connected
async def list_all(session: Session) -> None:
    """List namespaces."""
    await session.printer.pages(("Name", "State", "Retention", "Description"), _pages(session))


async def _pages(session: Session) -> AsyncIterator[list[Row]]:
    request = ListNamespacesRequest(page_size=_PAGE)
    async for found in paged(session.service.list_namespaces, request, "namespaces"):
        yield [
            (
                (
                    one.namespace_info.name,
                    values.enum_name(_e.NamespaceState, one.namespace_info.state),
                    values.duration(one.config.workflow_execution_retention_ttl),
                    one.namespace_info.description,
                ),
                one,
            )
            for one in found
        ]


@namespace.command()
@_NAME
@_DATA
@click.option("--retention", type=DURATION, help="How long ended runs are kept.")
@refused("--promote-global", _ONE, switch=True)
@refused("--replication-state", _ONE)
@_REFUSED
@connected
async def update(session: Session, *, name: str | None, **changes: Any) -> None:
    """Change a namespace; what is not named stays."""
    given = {key: value for key, value in changes.items() if value not in (None, {})}
    if not given:
        raise click.UsageError("say what to change: --description, --email, --data or --retention")
    before = await session.service.describe_namespace(
        DescribeNamespaceRequest(namespace=_named(session, name)), retry=True
    )
    request = UpdateNamespaceRequest(
        namespace=_named(session, name),
        # The server takes both texts as they are sent, empty ones too.
        update_info=UpdateNamespaceInfo(
            description=given.get("description", before.namespace_info.description),
            owner_email=given.get("email", before.namespace_info.owner_email),
            data=given.get("data"),
        ),
    )
    if "retention" in given:
        request.config.workflow_execution_retention_ttl.CopyFrom(times.duration(given["retention"]))
    response = await session.service.update_namespace(request, retry=True)
    session.printer.line(f"Namespace {request.namespace} update succeeded.")
    session.printer.data(response)


@namespace.command()
@_NAME
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@connected
async def delete(session: Session, *, name: str | None, yes: bool) -> None:
    """Delete a namespace with all its workflows."""
    named = _named(session, name)
    if not yes:
        click.confirm(f"Delete the namespace {named} with all its workflows?", abort=True, err=True)
    response = await session.operator.delete_namespace(DeleteNamespaceRequest(namespace=named), retry=True)
    session.printer.line(f"Namespace {named} has been deleted.")
    session.printer.data(response)
