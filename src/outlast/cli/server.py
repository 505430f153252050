"""``outlast server``: the server in this process."""

from __future__ import annotations

from pathlib import Path

import click

from outlast.server import app, logs
from outlast.server.config import ServerConfig
from outlast.storage.errors import StorageError

_MEMORY = ":memory:"


@click.command()
@click.option("--db", default="outlast.db", show_default=True, help="Database file, or ':memory:' to keep nothing.")
@click.option("--ip", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", default=7233, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--namespace", "-n", "namespaces", multiple=True, help="Namespace to create beside 'default'; repeatable."
)
@click.option("--log-level", type=click.Choice(logs.LEVELS), default="info", show_default=True)
@click.option("--log-format", type=click.Choice(logs.FORMATS), default="text", show_default=True)
def server(db: str, ip: str, port: int, namespaces: tuple[str, ...], log_level: str, log_format: str) -> None:
    """Run the server: Temporal's gRPC API over one database file."""
    if "" in namespaces:
        raise click.BadParameter("a namespace needs a name", param_hint="--namespace")
    logs.set_up(log_level, log_format)
    database = None if db == _MEMORY else Path(db).expanduser().absolute()
    config = ServerConfig(database, ip, port, tuple(dict.fromkeys(("default", *namespaces))))

    def on_ready(port: int) -> None:
        host = f"[{ip}]" if ":" in ip else ip
        click.echo(f"Outlast server listening on {host}:{port}")
        click.echo(f"Data: {database or 'in memory only, gone when the server stops'}")
        click.echo(f"Namespaces: {', '.join(config.namespaces)}. Stop with Ctrl-C.")

    try:
        app.run(config, on_ready)
    except StorageError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from error
