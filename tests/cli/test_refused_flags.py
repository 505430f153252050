"""Flags of Temporal's programs that mean nothing here: refused by name, with what to do, before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_stage import call


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (("--http-port", "7243"), "at --ui-port"),
        (("--metrics-port", "9090"), "/metrics"),
        (("--ui-ip", "127.0.0.1"), "at --ip"),
        (("--ui-public-path", "/ui"), "outlast.ui.app"),
        (("--ui-asset-path", "assets"), "its own files"),
        (("--sqlite-pragma", "synchronous=off"), "safety"),
        (("--log-config",), "no configuration but the flags"),
    ],
)
def test_start_dev(flag: tuple[str, ...], words: str, tmp_path: Path) -> None:
    database = tmp_path / "dev.db"
    done = call("server", "start-dev", "--db-filename", str(database), "--port", "0", *flag)
    assert done.exit_code == 2
    assert f"{flag[0]} is not built in outlast" in done.stderr and words in done.stderr
    assert not database.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("workflow", "cancel"),
        ("workflow", "delete"),
        ("workflow", "update-options", "--versioning-override-behavior", "auto_upgrade"),
        ("activity", "unpause", "-a", "1"),
        ("activity", "reset", "-a", "1"),
        ("activity", "update-options", "-a", "1"),
    ],
)
def test_headers_where_nothing_carries_them(command: tuple[str, ...]) -> None:
    done = call(*command, "-w", "order", "--headers", "team=blue", "--address", "localhost:1")
    assert done.exit_code == 2 and "--headers is not built in outlast: only starts, signals" in done.stderr


@pytest.mark.parametrize("command", [("server",), ("server", "start-dev")])
def test_a_codec_endpoint_is_a_url(command: tuple[str, ...], tmp_path: Path) -> None:
    done = call(*command, "--port", "0", "--headless", "--ui-codec-endpoint", "localhost:8081")
    assert done.exit_code == 2
    assert "'localhost:8081' is no URL; write http://host:port" in " ".join(done.stderr.split())
