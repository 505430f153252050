"""``outlast server start-dev`` and ``outlast test-server``: what Temporal's SDKs start for their test environments.

Rule: the flags are those that SDKs pass to Temporal's programs; what only Temporal's server has is named and ignored.

Source: ``temporal server start-dev``; sdk-core's ephemeral servers; rules 3.14.1 and 3.15.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from outlast.server import logs
from outlast.server.config import ServerConfig
from outlast.vocab.search_attributes import TYPE_NAMES

from .options import refused, with_options
from .serving import checked_codec, serve

_TYPES = {name: number for number, name in TYPE_NAMES.items()}
_LEVELS = {"never": "error"} | {level: level for level in logs.LEVELS} | {"warn": "warning"}
_UI_DISTANCE = 1000
_PORT_MAX = 65535
_FORMATS = {"pretty": "text"} | {name: name for name in logs.FORMATS}


def _search_attributes(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for value in values:
        name, separator, type_name = value.partition("=")
        if not (name and separator) or type_name not in _TYPES:
            raise click.BadParameter(f"{value!r}: write NAME=TYPE with a type of {', '.join(_TYPES)}")
        found[name] = _TYPES[type_name]
    return found


def _ui_port(port: int) -> int:
    """The web UI's port beside that of gRPC; any free one where there is no such port."""
    beside = port + _UI_DISTANCE
    return beside if port and beside <= _PORT_MAX else 0


_FOREIGN = with_options(
    refused("--http-port", "the JSON API is served with the web UI, at --ui-port"),
    refused("--metrics-port", "/metrics is served with the web UI, at --ui-port"),
    refused("--ui-ip", "the web UI is served at --ip"),
    refused("--ui-public-path", "the web UI is at the root; outlast.ui.app is mounted anywhere"),
    refused("--ui-asset-path", "the web UI brings its own files"),
    refused("--sqlite-pragma", "the database is opened as its safety demands"),
    refused("--log-config", "there is no configuration but the flags", switch=True),
)


@click.command("start-dev")
@click.option("--port", "-p", default=7233, show_default=True, type=click.IntRange(0, 65535), help="Port of gRPC.")
@click.option("--namespace", "-n", "namespaces", multiple=True, help="Namespace to create; repeatable.")
@click.option("--ip", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--db-filename", "-f", help="Database file; without one everything is kept in memory only.")
@click.option("--log-format", type=click.Choice(list(_FORMATS)), default="text", show_default=True)
@click.option("--log-level", type=click.Choice(list(_LEVELS)), default="warn", show_default=True)
@click.option("--dynamic-config-value", "dynamic", multiple=True, help="Ignored: settings of Temporal's own server.")
@click.option("--search-attribute", "attributes", multiple=True, callback=_search_attributes, help="NAME=TYPE to add.")
@click.option("--ui-port", type=click.IntRange(0, 65535), help="Port of the web UI; --port and 1000 by default.")
@click.option("--ui-host", "ui_hosts", multiple=True, help="Host name under which the web UI is reached; repeatable.")
@click.option(
    "--ui-codec-endpoint",
    default="",
    callback=checked_codec,
    help="URL of a codec server that browsers decode payloads with.",
)
@click.option("--headless", is_flag=True, help="No web UI.")
@click.option("--ui-disable-news-fetch", is_flag=True, expose_value=False, help="As it always is: nothing is fetched.")
@_FOREIGN
def start_dev(
    port: int,
    namespaces: tuple[str, ...],
    ip: str,
    db_filename: str | None,
    log_format: str,
    log_level: str,
    dynamic: tuple[str, ...],
    attributes: dict[str, int],
    ui_port: int | None,
    ui_hosts: tuple[str, ...],
    ui_codec_endpoint: str,
    headless: bool,
) -> None:
    """Run a server as `temporal server start-dev` is run: in memory unless a file is named."""
    logs.set_up(_LEVELS[log_level], _FORMATS[log_format])
    if dynamic:
        names = ", ".join(sorted({value.partition("=")[0] for value in dynamic}))
        click.echo(f"Ignored, outlast has no such dynamic configuration: {names}", err=True)
    serve(
        ServerConfig(
            database=Path(db_filename).expanduser().absolute() if db_filename else None,
            ip="127.0.0.1" if ip == "localhost" else ip,
            port=port,
            namespaces=tuple(dict.fromkeys(("default", *namespaces))),
            search_attributes=attributes,
            ui_port=None if headless else _ui_port(port) if ui_port is None else ui_port,
            ui_port_chosen=ui_port is not None,
            ui_hosts=ui_hosts,
            ui_codec_endpoint=ui_codec_endpoint,
        )
    )


@click.command("test-server", context_settings={"ignore_unknown_options": True})
@click.argument("port", type=click.IntRange(0, 65535))
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--enable-time-skipping", is_flag=True, hidden=True)
def test_server(port: int, flags: tuple[str, ...], **_: Any) -> None:
    """Run a server in memory whose time jumps, as the time-skipping test server of Temporal's SDKs.

    Time always jumps when it is unlocked, so --enable-time-skipping is taken and changes nothing; other flags are
    named and ignored.
    """
    logs.set_up("warning", "text")
    if flags:
        click.echo(f"Ignored, outlast's test server has no such flags: {' '.join(flags)}", err=True)
    serve(ServerConfig(database=None, port=port, skips_time=True))
