"""How every command that serves does so: run, say where, and say in words why not."""

from __future__ import annotations

import click

from outlast.server import app
from outlast.server.config import ServerConfig
from outlast.storage.errors import StorageError


def serve(config: ServerConfig) -> None:
    """Serve until a signal comes.

    Raises:
        ClickException: the database or the address is not to be had.
    """

    def on_ready(port: int) -> None:
        host = f"[{config.ip}]" if ":" in config.ip else config.ip
        click.echo(f"Outlast server listening on {host}:{port}")
        click.echo(f"Data: {config.database or 'in memory only, gone when the server stops'}")
        click.echo(f"Namespaces: {', '.join(config.namespaces)}. Stop with Ctrl-C.")

    try:
        app.run(config, on_ready)
    except StorageError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from error
