"""``outlast workflow fix-history-json``: a history that an older tool wrote, in today's form."""

from __future__ import annotations

from pathlib import Path

import click

from outlast.client import WorkflowHistory


@click.command("fix-history-json")
@click.option("--source", "-s", required=True, type=click.Path(path_type=Path), help="File with the history.")
@click.option("--target", "-t", type=click.Path(path_type=Path), help="File to write; standard output if not given.")
def fix_history_json(source: Path, target: Path | None) -> None:
    """Write a history in JSON the way that every tool reads today."""
    try:
        text = WorkflowHistory.from_json("", source.read_text(encoding="utf-8")).to_json() + "\n"
        if target is None:
            click.echo(text, nl=False)
        else:
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise click.ClickException(f"{source} is no history in JSON: {error}") from error
