"""How to connect, read from a TOML file of profiles and from ``TEMPORAL_*`` environment variables.

Rule: the public names and the precedence are those of ``temporalio.envconfig``: a profile of the file, overlaid by the
environment. The file is the one given, or ``TEMPORAL_CONFIG_FILE``, or ``temporalio/temporal.toml`` in the user's
configuration folder; one that does not exist is an empty one. ``address`` may be a database, ``sqlite:///orders.db``.
The codec of a profile and ``disable_host_verification`` are checked and not used, as in Temporal's Python SDK.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeAlias, TypedDict, cast

import msgspec

from outlast.service import TLSConfig

DataSource: TypeAlias = Path | str | bytes
"""A file, or the data itself."""

_TRUE, _FALSE = ("true", "1"), ("false", "0")
_META = "TEMPORAL_GRPC_META_"


class ConfigError(RuntimeError):
    """The file or the environment is wrong; says what and where."""


class ClientConfigTLSDict(TypedDict, total=False):
    """TLS settings as a dictionary; each source is ``{"path": ...}`` or ``{"data": ...}``."""

    disabled: bool | None
    server_name: str
    server_ca_cert: Mapping[str, str]
    client_cert: Mapping[str, str]
    client_key: Mapping[str, str]


class ClientConfigProfileDict(TypedDict, total=False):
    """A profile as a dictionary."""

    address: str
    namespace: str
    api_key: str
    tls: ClientConfigTLSDict
    grpc_meta: Mapping[str, str]


class ClientConnectConfig(TypedDict, total=False):
    """The arguments of ``Client.connect`` that a profile can give."""

    target_host: str
    namespace: str
    api_key: str
    tls: bool | TLSConfig
    rpc_metadata: Mapping[str, str]


@dataclass(frozen=True)
class ClientConfigTLS:
    """TLS settings of a profile."""

    disabled: bool | None = None
    """True for no TLS, False for TLS, None where nothing was said."""
    server_name: str | None = None
    """Name to ask for instead of the host of the address."""
    server_root_ca_cert: DataSource | None = None
    client_cert: DataSource | None = None
    client_private_key: DataSource | None = None

    def to_dict(self) -> ClientConfigTLSDict:
        """What is set."""
        found: dict[str, Any] = {"disabled": self.disabled, "server_name": self.server_name}
        found["server_ca_cert"] = _source_to_dict(self.server_root_ca_cert)
        found["client_cert"] = _source_to_dict(self.client_cert)
        found["client_key"] = _source_to_dict(self.client_private_key)
        return cast("ClientConfigTLSDict", _set_ones(found))

    def to_connect_tls_config(self) -> bool | TLSConfig:
        """For the ``tls`` of ``Client.connect``; reads the files.

        Raises:
            OSError: a file cannot be read.
        """
        if self.disabled:
            return False
        return TLSConfig(
            domain=self.server_name,
            server_root_ca_cert=_read(self.server_root_ca_cert),
            client_cert=_read(self.client_cert),
            client_private_key=_read(self.client_private_key),
        )

    @classmethod
    def from_dict(cls, d: ClientConfigTLSDict | None) -> Self | None:
        """The reverse of ``to_dict``; nothing for nothing."""
        if not d:
            return None
        return cls(
            disabled=d.get("disabled"),
            server_name=d.get("server_name"),
            server_root_ca_cert=_source_from_dict(d.get("server_ca_cert")),
            client_cert=_source_from_dict(d.get("client_cert")),
            client_private_key=_source_from_dict(d.get("client_key")),
        )


@dataclass(frozen=True)
class ClientConfigProfile:
    """How to connect."""

    address: str | None = None
    namespace: str | None = None
    api_key: str | None = None
    tls: ClientConfigTLS | None = None
    grpc_meta: Mapping[str, str] = field(default_factory=dict)
    """Headers of every call."""

    @classmethod
    def from_dict(cls, d: ClientConfigProfileDict) -> Self:
        """The reverse of ``to_dict``."""
        return cls(
            address=d.get("address"),
            namespace=d.get("namespace"),
            api_key=d.get("api_key"),
            tls=ClientConfigTLS.from_dict(d.get("tls")),
            grpc_meta=d.get("grpc_meta") or {},
        )

    def to_dict(self) -> ClientConfigProfileDict:
        """What is set."""
        found: dict[str, Any] = {"address": self.address, "namespace": self.namespace, "api_key": self.api_key}
        found["tls"] = (self.tls.to_dict() if self.tls else None) or None
        found["grpc_meta"] = self.grpc_meta or None
        return cast("ClientConfigProfileDict", _set_ones(found))

    def to_client_connect_config(self) -> ClientConnectConfig:
        """Arguments for ``Client.connect``. An API key means TLS unless the profile says otherwise.

        Raises:
            OSError: a certificate or key cannot be read.
        """
        found: dict[str, Any] = {"target_host": self.address or None, "namespace": self.namespace}
        found["api_key"] = self.api_key
        found["tls"] = self.tls.to_connect_tls_config() if self.tls else True if self.api_key is not None else None
        found["rpc_metadata"] = self.grpc_meta or None
        return cast("ClientConnectConfig", _set_ones(found))

    @staticmethod
    def load(
        profile: str | None = None,
        *,
        config_source: DataSource | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfigProfile:
        """Read one profile and overlay it with the environment.

        Args:
            profile: name; else ``TEMPORAL_PROFILE``, else ``default``, which need not exist.
            config_source: the file or its text, instead of the usual place.
            disable_file: read no file.
            disable_env: read no variable but the one that names the file.
            config_file_strict: refuse unknown keys.
            override_env_vars: the environment; the process's when None.

        Raises:
            ConfigError: the profile does not exist, the text is wrong, or two settings exclude each other.
        """
        if disable_file and disable_env:
            raise ConfigError("Invalid configuration: Cannot disable both file and environment loading")
        environment = os.environ if override_env_vars is None else override_env_vars
        name = profile or (None if disable_env else environment.get("TEMPORAL_PROFILE")) or None
        text = None if disable_file else _text(config_source, environment)
        profiles = _parse(text or "", config_file_strict)
        if name is not None and name not in profiles:
            raise ConfigError(f"Profile {name!r} not found")
        found = profiles.get(name or "default", _Profile())
        if not disable_env:
            found = _overlaid(found, environment)
        return _finished(found)


@dataclass
class ClientConfig:
    """All profiles of a file."""

    profiles: Mapping[str, ClientConfigProfile]

    def to_dict(self) -> Mapping[str, ClientConfigProfileDict]:
        """The profiles as dictionaries."""
        return {name: profile.to_dict() for name, profile in self.profiles.items()}

    @classmethod
    def from_dict(cls, d: Mapping[str, Mapping[str, Any]]) -> Self:
        """The reverse of ``to_dict``."""
        return cls({n: ClientConfigProfile.from_dict(cast("ClientConfigProfileDict", p)) for n, p in d.items()})

    @staticmethod
    def load(
        *,
        config_source: DataSource | None = None,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfig:
        """Read all profiles of a file, without the environment's settings; parameters as for a profile.

        Raises:
            ConfigError: the text is wrong.
        """
        environment = os.environ if override_env_vars is None else override_env_vars
        profiles = _parse(_text(config_source, environment) or "", config_file_strict)
        return ClientConfig({name: _finished(profile) for name, profile in profiles.items()})

    @staticmethod
    def load_client_connect_config(
        profile: str | None = None,
        *,
        config_file: str | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConnectConfig:
        """Arguments for ``Client.connect`` from one profile; parameters as for ``ClientConfigProfile.load``.

        Raises:
            ConfigError: as there.
            OSError: a certificate or key cannot be read.
        """
        return ClientConfigProfile.load(
            profile,
            config_source=Path(config_file) if config_file and not disable_file else None,
            disable_file=disable_file,
            disable_env=disable_env,
            config_file_strict=config_file_strict,
            override_env_vars=override_env_vars,
        ).to_client_connect_config()


# -- the file ----------------------------------------------------------------------------------------------------------


class _Tls(msgspec.Struct, frozen=True):
    disabled: bool | None = None
    client_cert_path: str | None = None
    client_cert_data: str | None = None
    client_key_path: str | None = None
    client_key_data: str | None = None
    server_ca_cert_path: str | None = None
    server_ca_cert_data: str | None = None
    server_name: str | None = None
    disable_host_verification: bool | None = None


class _Codec(msgspec.Struct, frozen=True):
    endpoint: str | None = None
    auth: str | None = None


class _Profile(msgspec.Struct, frozen=True):
    address: str | None = None
    namespace: str | None = None
    api_key: str | None = None
    tls: _Tls | None = None
    codec: _Codec | None = None
    grpc_meta: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True):
    profile: dict[str, _Profile] = {}


_SOURCES = ("client_cert", "client_key", "server_ca_cert")


def _text(source: DataSource | None, environment: Mapping[str, str]) -> str | None:
    if isinstance(source, str):
        return source
    try:
        if isinstance(source, bytes):
            return source.decode()
        if source is not None and not isinstance(source, Path):
            raise TypeError(
                f"config_source must be one of pathlib.Path, str, bytes, or None, but got {type(source).__name__}"
            )
        path = source or config_file(environment)
        return path.read_bytes().decode() if path is not None else None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Configuration loading error: {error}") from error


def config_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file that is read when none is given, which need not exist; None where the system names no folder for it.

    Beyond Temporal's interface.
    """
    named = environment.get("TEMPORAL_CONFIG_FILE")
    return Path(named) if named else _default_file()


def _default_file() -> Path | None:
    """Where the user's configuration lives on this system, by the system's own convention."""
    home = os.environ.get("HOME") or os.path.expanduser("~")
    folders = {
        "win32": os.environ.get("APPDATA"),
        "darwin": f"{home}/Library/Application Support",
    }
    folder = folders.get(sys.platform, os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config")
    return Path(folder) / "temporalio" / "temporal.toml" if folder else None


def _parse(text: str, strict: bool) -> Mapping[str, _Profile]:
    try:
        document = tomllib.loads(text)
        found = msgspec.convert(document, _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"Configuration loading error: {error}") from error
    if strict:
        _refuse_unknown(document, _File, "")
        for name, profile in document.get("profile", {}).items():
            _refuse_unknown(profile, _Profile, f" of profile {name!r}")
            _refuse_unknown(profile.get("tls", {}), _Tls, f" of the TLS settings of profile {name!r}")
            _refuse_unknown(profile.get("codec", {}), _Codec, f" of the codec of profile {name!r}")
    for profile in found.profile.values():
        for source in _SOURCES:
            if profile.tls and getattr(profile.tls, f"{source}_path") and getattr(profile.tls, f"{source}_data"):
                raise ConfigError(f"Invalid configuration: Cannot specify both {source}_path and {source}_data")
    return found.profile


def _refuse_unknown(table: Mapping[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    known = kind.__struct_fields__
    for key in table:
        if key not in known:
            expected = ", ".join(f"`{name}`" for name in known)
            raise ConfigError(f"Configuration loading error: unknown field `{key}`{where}, expected one of {expected}")


def _finished(profile: _Profile) -> ClientConfigProfile:
    tls = None
    if profile.tls is not None:
        tls = ClientConfigTLS(
            disabled=profile.tls.disabled,
            server_name=profile.tls.server_name,
            server_root_ca_cert=_source(profile.tls, "server_ca_cert"),
            client_cert=_source(profile.tls, "client_cert"),
            client_private_key=_source(profile.tls, "client_key"),
        )
    meta = {name.lower().replace("_", "-"): value for name, value in profile.grpc_meta.items()}
    return ClientConfigProfile(profile.address, profile.namespace, profile.api_key, tls, meta)


def _source(tls: _Tls, name: str) -> DataSource | None:
    path, data = getattr(tls, f"{name}_path"), getattr(tls, f"{name}_data")
    return Path(path) if path else data.encode() if data else None


# -- the environment ---------------------------------------------------------------------------------------------------


def _overlaid(profile: _Profile, environment: Mapping[str, str]) -> _Profile:
    changes: dict[str, Any] = {
        name: environment[variable]
        for name in ("address", "namespace", "api_key")
        if (variable := f"TEMPORAL_{name.upper()}") in environment
    }
    tls = _overlaid_tls(profile.tls, environment)
    meta = {name.lower().replace("_", "-"): value for name, value in profile.grpc_meta.items()}
    for variable, value in environment.items():
        if variable.startswith(_META):
            meta[variable.removeprefix(_META).lower().replace("_", "-")] = value
    # An empty variable takes the header away.
    return msgspec.structs.replace(profile, tls=tls, grpc_meta={k: v for k, v in meta.items() if v}, **changes)


def _overlaid_tls(tls: _Tls | None, environment: Mapping[str, str]) -> _Tls | None:
    variables = {name: f"TEMPORAL_TLS_{name.upper()}" for name in _Tls.__struct_fields__ if name != "disabled"}
    given = {name: environment[variable] for name, variable in variables.items() if variable in environment}
    switch = environment.get("TEMPORAL_TLS")
    if not given and switch is None:
        return tls
    before = tls or _Tls()
    for source in _SOURCES:
        path, data = f"{source}_path", f"{source}_data"
        if given.get(path) and given.get(data):
            raise ConfigError(f"Invalid configuration: Cannot specify both {variables[path]} and {variables[data]}")
        what = source.rpartition("_")[2]
        for mine, other in ((path, data), (data, path)):
            if given.get(mine) and getattr(before, other):
                raise ConfigError(
                    f"Invalid configuration: Cannot specify {what} {mine.rpartition('_')[2]} via {variables[mine]} when"
                    f" {what} {other.rpartition('_')[2]} is already specified"
                )
    changes: dict[str, Any] = dict(given)
    changes.pop("disable_host_verification", None)
    if switch is not None and switch.lower() in (*_TRUE, *_FALSE):
        changes["disabled"] = switch.lower() in _FALSE
    return msgspec.structs.replace(before, **changes)


# -- sources -----------------------------------------------------------------------------------------------------------


def _set_ones(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _source_from_dict(d: Mapping[str, str] | None) -> DataSource | None:
    if not d:
        return None
    return d["data"] if "data" in d else Path(d["path"]) if "path" in d else None


def _source_to_dict(source: DataSource | None) -> Mapping[str, str] | None:
    if isinstance(source, Path):
        return {"path": str(source)}
    if isinstance(source, bytes):
        return {"data": source.decode()}
    return None if source is None else {"data": source}


def _read(source: DataSource | None) -> bytes | None:
    if isinstance(source, Path):
        return source.read_bytes()
    return source.encode() if isinstance(source, str) else source


__all__ = [
    "ClientConfig",
    "ClientConfigProfile",
    "ClientConfigProfileDict",
    "ClientConfigTLS",
    "ClientConfigTLSDict",
    "ClientConnectConfig",
    "ConfigError",
    "DataSource",
]
