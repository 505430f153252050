"""``outlast server``: the server in this process."""

from __future__ import annotations

from pathlib import Path

import click

from outlast.server import logs
from outlast.server.config import ServerConfig
from outlast.server.tls import Tls

from .serving import checked_codec, serve
from .start_dev import start_dev

_MEMORY = ":memory:"
_UI_PORT = 8080


_FILE = click.Path(dir_okay=False, path_type=Path)


def _api_keys(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(value and value.isascii() and value.isprintable() and " " not in value for value in values):
        raise click.BadParameter("a key is made of printable ASCII characters without spaces, at least one")
    return values


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise click.UsageError("TLS wants both --tls-cert and --tls-key; --tls-client-ca only goes with them")
    return Tls(certificate, key, client_ca)


@click.group(invoke_without_command=True)
@click.option("--db", default="outlast.db", show_default=True, help="Database file, or ':memory:' to keep nothing.")
@click.option("--ip", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", default=7233, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--namespace", "-n", "namespaces", multiple=True, help="Namespace to create beside 'default'; repeatable."
)
@click.option(
    "--ui-port", type=click.IntRange(0, 65535), help="Port of the web UI; 8080 by default, 0 takes a free one."
)
@click.option("--ui-host", "ui_hosts", multiple=True, help="Host name under which the web UI is reached; repeatable.")
@click.option(
    "--ui-codec-endpoint",
    default="",
    callback=checked_codec,
    help="URL of a codec server that browsers decode payloads with.",
)
@click.option("--headless", is_flag=True, help="No web UI and no JSON API.")
@click.option("--tls-cert", type=_FILE, help="PEM of the server's certificate, for gRPC and HTTP; with --tls-key.")
@click.option("--tls-key", type=_FILE, help="PEM of its key.")
@click.option("--tls-client-ca", type=_FILE, help="PEM of the root of the certificates that callers need then.")
@click.option(
    "--api-key",
    "api_keys",
    multiple=True,
    envvar="OUTLAST_SERVER_API_KEY",
    callback=_api_keys,
    help="Key that callers need then; repeatable. Better by $OUTLAST_SERVER_API_KEY, which lists of processes hide.",
)
@click.option(
    "--namespace-rps", type=click.FloatRange(0), default=0, help="Calls per second of one namespace; 0 is no limit."
)
@click.option("--log-level", type=click.Choice(logs.LEVELS), default="info", show_default=True)
@click.option("--log-format", type=click.Choice(logs.FORMATS), default="text", show_default=True)
@click.pass_context
def server(
    context: click.Context,
    db: str,
    ip: str,
    port: int,
    namespaces: tuple[str, ...],
    ui_port: int | None,
    ui_hosts: tuple[str, ...],
    ui_codec_endpoint: str,
    headless: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    api_keys: tuple[str, ...],
    namespace_rps: float,
    log_level: str,
    log_format: str,
) -> None:
    """Run the server over one database file: Temporal's gRPC API, its JSON API and the web UI."""
    if context.invoked_subcommand is not None:
        return
    if "" in namespaces:
        raise click.BadParameter("a namespace needs a name", param_hint="--namespace")
    logs.set_up(log_level, log_format)
    database = None if db == _MEMORY else Path(db).expanduser().absolute()
    if headless and ui_port is not None:
        raise click.UsageError("--headless serves no web UI, so --ui-port has no meaning; leave out one of them")
    serve(
        ServerConfig(
            database,
            ip,
            port,
            tuple(dict.fromkeys(("default", *namespaces))),
            ui_port=None if headless else _UI_PORT if ui_port is None else ui_port,
            ui_port_chosen=ui_port is not None,
            ui_hosts=ui_hosts,
            ui_codec_endpoint=ui_codec_endpoint,
            tls=_tls(tls_cert, tls_key, tls_client_ca),
            api_keys=api_keys,
            namespace_rps=namespace_rps,
        )
    )


server.add_command(start_dev)
