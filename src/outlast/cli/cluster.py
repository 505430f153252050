"""``outlast operator cluster``: the server itself."""

from __future__ import annotations

import click

from outlast.api.workflowservice.v1 import GetClusterInfoRequest, GetSystemInfoRequest

from . import values
from .connection import Session, connected


@click.group()
def cluster() -> None:
    """The server itself."""


@cluster.command()
@click.option("--detail", is_flag=True, help="All fields.")
@connected
async def describe(session: Session, *, detail: bool) -> None:
    """Show the server's name, version and store."""
    found = await session.service.get_cluster_info(GetClusterInfoRequest(), retry=True)
    entries = {
        "ClusterName": found.cluster_name,
        "PersistenceStore": found.persistence_store,
        "VisibilityStore": found.visibility_store,
        "ServerVersion": found.server_version,
    }
    session.printer.record("", dict(values.flattened(found)) if detail else entries, found)


@cluster.command()
@connected
async def health(session: Session) -> None:
    """Ask whether the server serves; exit status 1 if it does not."""
    # An engine in this process serves, or the database could not have been opened.
    serving = session.embedded or await session.client.service_client.check_health()
    status = "SERVING" if serving else "NOT_SERVING"
    session.printer.line(status)
    session.printer.data({"status": status})
    if not serving:
        raise SystemExit(1)


@cluster.command()
@connected
async def system(session: Session) -> None:
    """Show the server's version and what it can do."""
    found = await session.service.get_system_info(GetSystemInfoRequest(), retry=True)
    session.printer.record("", dict(values.flattened(found)), found)
