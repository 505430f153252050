"""The options that every command has, and the session that they open: a client, and a printer.

Rule: a flag wins over the environment, the environment over the profile, the profile over the default. A command is a
coroutine that gets the session; whatever it ends with becomes words on standard error and exit status 1.

Source: the option sets ``common`` and ``client`` of Temporal's CLI; ``outlast.envconfig`` for profiles and variables.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from outlast import envconfig
from outlast.client import Client
from outlast.exceptions import TemporalError
from outlast.service import OperatorService, RPCError, TLSConfig, WorkflowService
from outlast.storage.errors import StorageError
from outlast.vocab.errors import MultiOperationAborted, MultiOperationExecution, ServiceError, from_status

from . import values
from .inputs import DURATION, pairs
from .options import Option, refused, with_options
from .printing import COLORS, OUTPUTS, Printer

DEFAULT_ADDRESS: Final = "localhost:7233"
_SQLITE: Final = "sqlite://"
_LOG_LEVELS: Final = {"never": "critical", "error": "error", "warn": "warning", "info": "info", "debug": "debug"}


_COMMON: Final[tuple[Option, ...]] = (
    click.option("--address", help=f"Server, host:port.  [default: {DEFAULT_ADDRESS}]"),
    click.option("--db", help="Database in place of a server: sqlite:///orders.db, or the file."),
    click.option("--namespace", "-n", help="Namespace.  [default: default]"),
    click.option("--api-key", help="Sent as a bearer token; switches TLS on."),
    click.option("--grpc-meta", multiple=True, callback=pairs, help="Header of every call, NAME=VALUE; repeatable."),
    click.option("--tls/--no-tls", default=None, help="Encrypt the connection."),
    click.option("--tls-cert-path", type=click.Path(path_type=Path), help="PEM of our certificate."),
    click.option("--tls-cert-data", help="The same, as text."),
    click.option("--tls-key-path", type=click.Path(path_type=Path), help="PEM of our key."),
    click.option("--tls-key-data", help="The same, as text."),
    click.option("--tls-ca-path", type=click.Path(path_type=Path), help="PEM of the server's root certificate."),
    click.option("--tls-ca-data", help="The same, as text."),
    click.option("--tls-server-name", help="Name to verify, if it is not the host of the address."),
    refused("--tls-disable-host-verification", "gRPC for Python always verifies; give --tls-ca-path", switch=True),
    refused("--client-authority", "give --tls-server-name"),
    refused("--codec-endpoint", "payloads are shown as they are stored"),
    refused("--codec-auth", "there is no --codec-endpoint"),
    refused("--codec-header", "there is no --codec-endpoint"),
    click.option("--identity", help="Who we are in histories.  [default: cli:pid@host]"),
    click.option("--profile", help="Profile of the configuration file.  [default: default]"),
    click.option("--config-file", type=click.Path(path_type=Path), help="Configuration file with profiles."),
    click.option("--disable-config-file", is_flag=True, help="Read no configuration file."),
    click.option("--disable-config-env", is_flag=True, help="Read no TEMPORAL_* variables."),
    refused("--env", "presets are profiles here: --profile"),
    refused("--env-file", "presets are profiles here: --config-file"),
    click.option("--output", "-o", type=click.Choice(OUTPUTS), default="text", show_default=True, help="Form."),
    click.option("--time-format", type=click.Choice(values.TIME_FORMATS), default="relative", show_default=True),
    click.option("--color", type=click.Choice(COLORS), default="auto", show_default=True),
    click.option("--no-json-shorthand-payloads", is_flag=True, help="Payloads in JSON with metadata and base64."),
    click.option("--command-timeout", type=DURATION, help="Give the command up after this time, 10s or 1m30s."),
    click.option("--client-connect-timeout", type=DURATION, help="Patience when connecting.  [default: 10s]"),
    click.option("--log-level", type=click.Choice(list(_LOG_LEVELS)), default="never", show_default=True),
    click.option("--log-format", type=click.Choice(("text", "json")), default="text", show_default=True),
)


def _names() -> frozenset[str]:
    """What the common options are called in Python."""

    def nothing() -> None:
        """Carries the options."""

    for option in _COMMON:
        option(nothing)
    options: list[click.Parameter] = nothing.__click_params__  # type: ignore[attr-defined]
    return frozenset(option.name for option in options if option.name and option.expose_value)


_NAMES: Final = _names()


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with."""

    client: Client
    printer: Printer
    embedded: bool
    """Whether the engine runs in this process, and so only as long as the command."""

    @property
    def namespace(self) -> str:
        """Namespace of the calls."""
        return self.client.namespace

    @property
    def identity(self) -> str:
        """Who we are."""
        return self.client.identity

    @property
    def service(self) -> WorkflowService:
        """The raw calls."""
        return self.client.workflow_service

    @property
    def operator(self) -> OperatorService:
        """The raw calls of operators."""
        return self.client.operator_service


class ProfileError(click.ClickException):
    """The configuration is wrong."""


def connected(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Give a command the common options, and run it with the session that they open."""

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        common = {name: arguments.pop(name) for name in _NAMES}
        _log(common)
        printer = Printer(
            common["output"], common["time_format"], common["color"], not common["no_json_shorthand_payloads"]
        )
        try:
            asyncio.run(_run(command, printer, common, arguments))
        except BrokenPipeError:
            raise  # whoever read the output has enough: click's affair
        except RPCError as error:
            raise click.ClickException(values.harmless(_words(error))) from error
        except (TemporalError, StorageError, OSError, RuntimeError, ValueError) as error:
            raise click.ClickException(values.harmless(str(error))) from error

    return with_options(*_COMMON)(run)


def offline(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that calls nobody the options of the output, and a printer."""

    @functools.wraps(command)
    def run(*, output: str, color: str, **arguments: Any) -> None:
        command(Printer(output, color=color), **arguments)

    return with_options(
        click.option("--output", "-o", type=click.Choice(OUTPUTS), default="text", show_default=True),
        click.option("--color", type=click.Choice(COLORS), default="auto", show_default=True),
    )(run)


async def _run(
    command: Callable[..., Awaitable[None]], printer: Printer, common: Mapping[str, Any], arguments: Mapping[str, Any]
) -> None:
    patience = common["command_timeout"]
    target, config = _target(common)
    try:
        async with asyncio.timeout(None if patience is None else patience / 1e9):
            async with await Client.connect(target, **config) as client:
                await command(Session(client, printer, target.startswith(_SQLITE)), **arguments)
    except TimeoutError as error:
        if patience is None:
            raise
        text = f"gave up after {values.nanoseconds(patience)}, as --command-timeout asks for"
        raise click.ClickException(text) from error


def _target(common: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where to connect to, and the arguments of ``Client.connect``."""
    if common["db"] and common["address"]:
        raise click.UsageError("--db and --address exclude each other: a database needs no server")
    profile = _profile(common)
    target = _database(common["db"]) if common["db"] else common["address"] or profile.address or DEFAULT_ADDRESS
    if target.startswith(_SQLITE):
        target = _database(target)
    config: dict[str, Any] = {
        "namespace": common["namespace"] or profile.namespace or "default",
        "api_key": common["api_key"] or profile.api_key,
        "rpc_metadata": {**profile.grpc_meta, **common["grpc_meta"]},
        "identity": common["identity"] or _identity(),
        "tls": _tls(common, profile),
    }
    if common["client_connect_timeout"] is not None:
        config["connect_timeout"] = timedelta(microseconds=common["client_connect_timeout"] / 1000)
    return target, config


def _profile(common: Mapping[str, Any]) -> envconfig.ClientConfigProfile:
    if common["disable_config_file"] and common["disable_config_env"]:
        return envconfig.ClientConfigProfile()
    try:
        return envconfig.ClientConfigProfile.load(
            common["profile"],
            config_source=common["config_file"],
            disable_file=common["disable_config_file"],
            disable_env=common["disable_config_env"],
        )
    except envconfig.ConfigError as error:
        raise ProfileError(str(error)) from error


def _database(text: str) -> str:
    """The target for a database that exists; a command that reads must not make one by a slip of the pen."""
    target = text if text.startswith(_SQLITE) else f"{_SQLITE}/{Path(text).expanduser().absolute()}"
    path = Path(target.removeprefix(_SQLITE)[1:]).expanduser()
    if path.name == ":memory:":
        raise click.UsageError("--db :memory: would be gone with the command; name a database file")
    if not path.is_file():
        raise click.ClickException(
            f"there is no database {path}; `outlast server --db {path}` makes one and serves it,"
            f' and so does Client.connect("sqlite:///...")'
        )
    return target


def _identity() -> str:
    import os
    import socket

    return f"cli:{os.getpid()}@{socket.gethostname()}"


def _tls(common: Mapping[str, Any], profile: envconfig.ClientConfigProfile) -> bool | TLSConfig | None:
    """TLS by the flags over the profile's; any of them switches it on."""
    given = {
        name: _source(common, flag)
        for name, flag in (("server_root_ca_cert", "ca"), ("client_cert", "cert"), ("client_private_key", "key"))
    }
    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if common["tls_server_name"]:
        flags["server_name"] = common["tls_server_name"]
    before = profile.tls
    if common["tls"] is False:
        return False
    if not flags and before is None:
        return True if common["tls"] or common["api_key"] or profile.api_key is not None else None
    merged = {**(vars(before) if before else {}), **flags}
    if flags or common["tls"]:
        merged["disabled"] = None
    return envconfig.ClientConfigTLS(**merged).to_connect_tls_config()


def _source(common: Mapping[str, Any], name: str) -> Path | str | None:
    path, data = common[f"tls_{name}_path"], common[f"tls_{name}_data"]
    if path and data:
        raise click.UsageError(f"--tls-{name}-path and --tls-{name}-data exclude each other")
    found: Path | str | None = path or data
    return found


def _log(common: Mapping[str, Any]) -> None:
    from outlast.server import logs

    level = common["log_level"]
    logs.set_up(_LOG_LEVELS[level], common["log_format"])


def _words(error: RPCError) -> str:
    """What the server said; of several operations in one call, what the one said that failed by itself."""
    if error.raw_grpc_status:
        restored: ServiceError = from_status(error.grpc_status)
        if isinstance(restored, MultiOperationExecution):
            for each in restored.errors:
                if each is not None and not isinstance(each, MultiOperationAborted):
                    return each.message
    return error.message or error.status.name
