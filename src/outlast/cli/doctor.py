"""``outlast doctor``: whether a database is sound. It changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from outlast.storage.errors import StorageError

from .connection import offline
from .printing import Printer

_SQLITE = "sqlite:///"


@click.command()
@click.option("--db", default="outlast.db", show_default=True, help="Database: the file, or sqlite:///FILE.")
@offline
def doctor(printer: Printer, *, db: str) -> None:
    """Check a database, and say what is wrong; exit status 1 if something is."""
    from outlast.server import checkup

    path = Path(db.removeprefix(_SQLITE)).expanduser().absolute()
    if not path.is_file():
        raise click.ClickException(f"there is no database {path}; name one with --db FILE")
    try:
        report = checkup.check(path)
    except StorageError as error:
        raise click.ClickException(str(error)) from error
    findings = [{"subject": one.subject, "rule": one.rule, "found": one.found} for one in report.findings]
    printer.data(
        {
            "database": str(path),
            "schema": report.schema,
            "runs": report.runs,
            "events": report.events,
            "findings": findings,
        }
    )
    printer.card(
        "",
        {"Database": str(path), "Schema": str(report.schema), "Runs": str(report.runs), "Events": str(report.events)},
    )
    if report.holder:
        printer.line(f"  Looked at while it is in use: {report.holder.split(';')[0]}")
    if not findings:
        printer.line("No fault found.", "green")
        return
    printer.line(f"{len(findings)} fault{'' if len(findings) == 1 else 's'} found:", "bold red")
    for one in report.findings:
        printer.line(f"  {one.subject}: {one.rule}: {one.found}", "red")
    raise SystemExit(1)
