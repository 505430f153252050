"""Profiles and environments: what ``temporalio.envconfig`` makes of them, ours makes too."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import temporalio.envconfig as theirs

import outlast.envconfig as ours
from outlast.client import Client

TLS = '[profile.default.tls]\nclient_cert_path="/a"\nclient_key_data="kk"\nserver_ca_cert_data="cc"\nserver_name="s"\n'
DATA = '[profile.default.tls]\nclient_cert_data="a"\n'
META = '[profile.default.grpc_meta]\nSome-Header="v"\nother_key="w"\n'
PLAIN = '[profile.default]\naddress="a:1"\nnamespace="n"\napi_key="k"\n[profile.two]\nnamespace="2"\n'
OFF = "[profile.default.tls]\ndisabled=true\n"

CASES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("", {}, {}),
    (PLAIN, {}, {}),
    (PLAIN, {}, {"profile": "two"}),
    (PLAIN, {}, {"profile": "three"}),
    (PLAIN, {"TEMPORAL_PROFILE": "two"}, {}),
    (PLAIN, {"TEMPORAL_PROFILE": "three"}, {}),
    (PLAIN, {"TEMPORAL_PROFILE": "three"}, {"disable_env": True}),
    (PLAIN, {"TEMPORAL_PROFILE": "two"}, {"profile": "default"}),
    (PLAIN, {"TEMPORAL_ADDRESS": "e", "TEMPORAL_NAMESPACE": "", "TEMPORAL_API_KEY": "x"}, {}),
    (PLAIN, {"TEMPORAL_ADDRESS": "e"}, {"disable_env": True}),
    (PLAIN, {}, {"disable_file": True}),
    (PLAIN, {}, {"disable_file": True, "disable_env": True}),
    (PLAIN, {"temporal_address": "e"}, {}),
    ('[profile.two]\nnamespace="2"\n', {}, {}),
    (TLS, {}, {}),
    (OFF, {}, {}),
    ("[profile.default.tls]\n", {}, {}),
    ("[profile.default.tls]\ndisable_host_verification=true\n", {}, {}),
    ('[profile.default.tls]\nclient_cert_path="/a"\nclient_cert_data="b"\n', {}, {}),
    ("[profile.default]\ntls=true\n", {}, {}),
    *(("", {"TEMPORAL_TLS": value}, {}) for value in ("true", "1", "TRUE", "yes", "false", "0", "no", "")),
    (OFF, {"TEMPORAL_TLS": "true"}, {}),
    (TLS, {"TEMPORAL_TLS": "false"}, {}),
    (OFF, {"TEMPORAL_TLS_SERVER_NAME": "x"}, {}),
    ("", {"TEMPORAL_TLS_CLIENT_CERT_PATH": "/c", "TEMPORAL_TLS_CLIENT_KEY_DATA": "k"}, {}),
    ("", {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/c", "TEMPORAL_TLS_SERVER_CA_CERT_DATA": "k"}, {}),
    ("", {"TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "true"}, {}),
    (TLS, {"TEMPORAL_TLS_CLIENT_CERT_DATA": "d"}, {}),
    (DATA, {"TEMPORAL_TLS_CLIENT_CERT_PATH": "/d"}, {}),
    (META, {}, {}),
    (
        META,
        {"TEMPORAL_GRPC_META_SOME_HEADER": "e", "TEMPORAL_GRPC_META_OTHER_KEY": "", "TEMPORAL_GRPC_META_X": ""},
        {},
    ),
    ('[profile.default.codec]\nendpoint="http"\nauth="x"\n', {"TEMPORAL_CODEC_ENDPOINT": "y"}, {}),
    ("x=1\n[profile.default]\nfoo=1\n", {}, {}),
    ("x=1\n[profile.default]\n", {}, {"config_file_strict": True}),
    ("[profile.default]\nfoo=1\n", {}, {"config_file_strict": True}),
    ("[profile.default.tls]\nfoo=1\n", {}, {"config_file_strict": True}),
    ("[profile\n", {}, {}),
    ("[profile.default]\naddress=1\n", {}, {}),
]


def outcome(sdk: Any, source: Any, env: dict[str, str], options: dict[str, Any]) -> Any:
    """The profile as plain values; for an error its first line as far as both write it."""
    try:
        profile = sdk.ClientConfigProfile.load(config_source=source, override_env_vars=env, **options)
    except RuntimeError as error:
        if type(error).__name__ != "ConfigError":
            raise
        message = str(error)
        return message if "loading error" not in message and "not found" not in message else message.split(":")[0]
    return dataclasses.asdict(profile), profile.to_dict()


@pytest.mark.parametrize(("text", "env", "options"), CASES)
def test_profile(text: str, env: dict[str, str], options: dict[str, Any]) -> None:
    assert outcome(ours, text, env, options) == outcome(theirs, text, env, options)
    assert outcome(ours, text.encode(), env, options) == outcome(theirs, text.encode(), env, options)


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, usual = tmp_path / "named.toml", tmp_path / "temporalio" / "temporal.toml"
    usual.parent.mkdir()
    named.write_text('[profile.default]\naddress="named"\n')
    usual.write_text('[profile.default]\naddress="usual"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for env in ({}, {"TEMPORAL_CONFIG_FILE": str(named)}, {"TEMPORAL_CONFIG_FILE": str(tmp_path / "none")}):
        loaded = [sdk.ClientConfig.load(override_env_vars=env).to_dict() for sdk in (ours, theirs)]
        assert loaded[0] == loaded[1]
        assert outcome(ours, None, env, {}) == outcome(theirs, None, env, {})
        assert outcome(ours, None, env, {"disable_env": True}) == outcome(theirs, None, env, {"disable_env": True})
    assert outcome(ours, tmp_path / "none", {}, {}) == outcome(theirs, tmp_path / "none", {}, {})
    monkeypatch.setenv("TEMPORAL_ADDRESS", "process")
    assert ours.ClientConfigProfile.load(config_source="").address == "process"


def test_connect_arguments(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(b"key")
    file = tmp_path / "t.toml"
    file.write_text(
        f'[profile.default]\naddress="h:1"\nnamespace="n"\n[profile.default.tls]\nclient_key_path="{key}"\n'
        'client_cert_data="cert"\n[profile.default.grpc_meta]\na="b"\n[profile.key]\napi_key="k"\n'
    )
    for name in (None, "key"):
        options: Any = {"config_file": str(file), "override_env_vars": {}}
        mine, others = (sdk.ClientConfig.load_client_connect_config(name, **options) for sdk in (ours, theirs))
        assert {k: dataclasses.asdict(v) if k == "tls" and v is not True else v for k, v in mine.items()} == {
            k: dataclasses.asdict(v) if k == "tls" and v is not True else v for k, v in others.items()
        }
    again = ours.ClientConfig.from_dict(ours.ClientConfig.load(config_source=file).to_dict())
    assert again.profiles["default"].to_client_connect_config()["tls"].client_private_key == b"key"  # type: ignore[union-attr]
    with pytest.raises(TypeError, match=r"must be one of pathlib\.Path, str, bytes, or None, but got int"):
        ours.ClientConfig.load(config_source=3)  # type: ignore[arg-type]


def test_errors_say_where() -> None:
    with pytest.raises(ours.ConfigError, match="unknown field `foo` of profile 'p', expected one of `address`"):
        ours.ClientConfig.load(config_source="[profile.p]\nfoo=1\n", config_file_strict=True)
    with pytest.raises(ours.ConfigError, match="line 1, column 9"):
        ours.ClientConfig.load(config_source="[profile\n")
    with pytest.raises(ours.ConfigError, match=r"got `int` - at `\$\.profile\[\.\.\.\]\.address`"):
        ours.ClientConfig.load(config_source="[profile.p]\naddress=1\n")


async def test_connects() -> None:
    found = ours.ClientConfig.load_client_connect_config(
        override_env_vars={"TEMPORAL_ADDRESS": "sqlite://:memory:", "TEMPORAL_NAMESPACE": "shop"}, disable_file=True
    )
    async with await Client.connect(**found) as client:
        assert client.namespace == "shop"
