"""How every command that serves does so: run, say where, and say in words why not."""

from __future__ import annotations

import ipaddress

import click

from outlast.server import app
from outlast.server.app import Listening
from outlast.server.config import ServerConfig, codec_origin
from outlast.storage.errors import StorageError


def checked_codec(_: click.Context, __: click.Parameter, endpoint: str) -> str:
    """The URL of a codec server, or nothing."""
    try:
        if endpoint:
            codec_origin(endpoint)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return endpoint


def serve(config: ServerConfig) -> None:
    """Serve until a signal comes.

    Raises:
        ClickException: the database or the address is not to be had.
    """

    def on_ready(listening: Listening) -> None:
        host = f"[{config.ip}]" if ":" in config.ip else config.ip
        click.echo(f"Outlast server listening on {host}:{listening.port}")
        if listening.ui_port is not None:
            click.echo(f"Web UI: http{'s' if config.tls else ''}://{_browsed(host)}:{listening.ui_port}")
        elif listening.ui_fault:
            click.echo(f"No web UI: {listening.ui_fault} (--headless serves none)")
        if config.api_keys and config.tls is None and not _is_loopback(config.ip):
            click.echo("Warning: API keys come unencrypted; give --tls-cert and --tls-key", err=True)
        click.echo(f"Data: {config.database or 'in memory only, gone when the server stops'}")
        click.echo(f"Namespaces: {', '.join(config.namespaces)}. Stop with Ctrl-C.")

    try:
        app.run(config, on_ready)
    except StorageError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _browsed(host: str) -> str:
    """The name under which a browser on this machine finds the host."""
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "[::1]", "[::]") else host
