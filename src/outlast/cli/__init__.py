"""The command line: one file a noun. Each parses, calls, prints."""

from __future__ import annotations

import click

from outlast import __version__

from .demo import demo
from .replay import replay
from .server import server
from .start_dev import test_server


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="outlast")
def main() -> None:
    """Durable workflows that outlast every crash."""


main.add_command(demo)
main.add_command(replay)
main.add_command(server)
main.add_command(test_server)
