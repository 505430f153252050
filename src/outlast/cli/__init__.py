"""The command line: one file a noun. Each parses, calls, prints."""

from __future__ import annotations

import click

from outlast import __version__

from .extensions import ExtendedGroup
from .lazy import LazyGroup

_COMMANDS = {
    "workflow": "outlast.cli.workflow:workflow",
    "activity": "outlast.cli.activity:activity",
    "schedule": "outlast.cli.schedule:schedule",
    "task-queue": "outlast.cli.task_queue:task_queue",
    "batch": "outlast.cli.batch:batch",
    "worker": "outlast.cli.worker:worker",
    "operator": "outlast.cli.operator:operator",
    "server": "outlast.cli.server:server",
    "config": "outlast.cli.config:config",
    "doctor": "outlast.cli.doctor:doctor",
    "replay": "outlast.cli.replay:replay",
    "demo": "outlast.cli.demo:demo",
    "test-server": "outlast.cli.start_dev:test_server",
}


class _Main(ExtendedGroup, LazyGroup):
    """Our commands, and those of others."""


@click.group(cls=_Main, commands_at=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="outlast")
def main() -> None:
    """Durable workflows that outlast every crash."""
