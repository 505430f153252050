"""``outlast config``: the profiles of the configuration file, which commands and ``outlast.envconfig`` read.

Rule: what is written is read back before it is kept, so a file that the SDKs would refuse is never left behind;
comments and order of the file stay.

Source: ``temporal config``.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

import click
import tomlkit
from tomlkit.exceptions import TOMLKitError

from outlast import envconfig

from .connection import offline
from .options import Option, with_options
from .printing import Printer

_TEXTS: Final = ("address", "namespace", "api_key", "codec.endpoint", "codec.auth")
_TLS_TEXTS: Final = tuple(
    f"tls.{name}"
    for name in (
        "client_cert_path",
        "client_cert_data",
        "client_key_path",
        "client_key_data",
        "server_ca_cert_path",
        "server_ca_cert_data",
        "server_name",
    )
)
_SWITCHES: Final = ("tls.disabled", "tls.disable_host_verification")
_META: Final = "grpc_meta."
_KNOWN: Final = (*_TEXTS, *_TLS_TEXTS, *_SWITCHES)

_FILE: Final[Option] = with_options(
    click.option("--config-file", type=click.Path(path_type=Path), help="Configuration file."),
    click.option("--profile", default=lambda: os.environ.get("TEMPORAL_PROFILE") or "default", help="Profile."),
)


def _prop(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or value in _KNOWN or (value.startswith(_META) and len(value) > len(_META)):
        return value
    raise click.BadParameter(f"there is no {value!r}; there are {', '.join(_KNOWN)} and {_META}NAME")


def _prop_option(*, required: bool) -> Option:
    return click.option(
        "--prop", "-p", required=required, callback=_prop, help="Setting, such as address or tls.disabled."
    )


@click.group()
def config() -> None:
    """The profiles of the configuration file."""


def _path(given: Path | None) -> Path:
    found = given or envconfig.config_file()
    if found is None:
        raise click.ClickException("this system names no folder for configuration; give --config-file")
    return found


def _read(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise click.ClickException(f"{path} cannot be read: {error}") from error


def _write(path: Path, document: tomlkit.TOMLDocument) -> None:
    text = tomlkit.dumps(document)
    try:
        envconfig.ClientConfig.load(config_source=text, override_env_vars={})
    except envconfig.ConfigError as error:
        raise click.ClickException(f"{path} was not changed: {error}") from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It may hold an API key: nobody else's to read. And it is whole at any time.
        number, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error


def _profiles(document: Any) -> Any:
    return document.get("profile") or {}


def _profile(document: Any, name: str, path: Path) -> Any:
    found = _profiles(document).get(name)
    if found is None:
        raise click.ClickException(f"{path} has no profile {name!r}; `outlast config list` shows which it has")
    return found


def _settings(table: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found |= _settings(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value.unwrap() if hasattr(value, "unwrap") else value
    return found


@config.command("list")
@click.option("--config-file", type=click.Path(path_type=Path), help="Configuration file.")
@offline
def list_all(printer: Printer, *, config_file: Path | None) -> None:
    """List profiles."""
    profiles = _profiles(_read(_path(config_file)))
    rows = (
        ((name, str(one.get("address", "")), str(one.get("namespace", ""))), {"name": name, **_settings(one)})
        for name, one in profiles.items()
    )
    printer.table(("Profile", "Address", "Namespace"), rows)


@config.command()
@_FILE
@_prop_option(required=False)
@offline
def get(printer: Printer, *, config_file: Path | None, profile: str, prop: str | None) -> None:
    """Show the settings of a profile, or one of them."""
    path = _path(config_file)
    found = _settings(_profile(_read(path), profile, path))
    if prop is not None:
        if prop not in found:
            raise click.ClickException(f"profile {profile!r} of {path} does not set {prop}")
        found = {prop: found[prop]}
    rows = (((name, str(found[name])), {"property": name, "value": found[name]}) for name in sorted(found))
    printer.table(("Property", "Value"), rows)


@config.command("set")
@_FILE
@_prop_option(required=True)
@click.option("--value", "-v", required=True, help="Its value.")
@offline
def set_value(printer: Printer, *, config_file: Path | None, profile: str, prop: str, value: str) -> None:
    """Change a setting of a profile; makes file and profile where they are missing."""
    path = _path(config_file)
    document: Any = _read(path)
    owner = document.setdefault("profile", tomlkit.table(is_super_table=True))
    owner = owner.setdefault(profile, tomlkit.table())
    *above, name = prop.split(".", 1)
    for step in above:
        owner = owner.setdefault(step, tomlkit.table())
    owner[name] = _value(prop, value)
    _write(path, document)
    printer.line(f"{prop} of profile {profile} set in {path}")
    printer.data({"profile": profile, "property": prop, "value": _value(prop, value)})


def _value(prop: str, value: str) -> str | bool:
    if prop not in _SWITCHES:
        return value
    if value.lower() not in ("true", "false"):
        raise click.UsageError(f"{prop} is true or false, not {value!r}")
    return value.lower() == "true"


@config.command()
@_FILE
@_prop_option(required=True)
@offline
def delete(printer: Printer, *, config_file: Path | None, profile: str, prop: str) -> None:
    """Take a setting out of a profile."""
    path = _path(config_file)
    document = _read(path)
    owner = _profile(document, profile, path)
    *above, name = prop.split(".", 1)
    for step in above:
        owner = owner.get(step) or {}
    if name not in owner:
        raise click.ClickException(f"profile {profile!r} of {path} does not set {prop}")
    del owner[name]
    _write(path, document)
    printer.line(f"{prop} of profile {profile} taken out of {path}")
    printer.data({"profile": profile, "property": prop})


@config.command("delete-profile")
@_FILE
@offline
def delete_profile(printer: Printer, *, config_file: Path | None, profile: str) -> None:
    """Take a profile out of the file."""
    path = _path(config_file)
    document = _read(path)
    _profile(document, profile, path)
    del _profiles(document)[profile]
    _write(path, document)
    printer.line(f"Profile {profile} taken out of {path}")
    printer.data({"profile": profile})
