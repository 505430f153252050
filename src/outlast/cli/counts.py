"""Counts, with and without groups."""

from __future__ import annotations

from typing import Any

from . import values
from .printing import Printer


def show_count(printer: Printer, response: Any) -> None:
    """Print the answer to a count: the total, and the groups of a GROUP BY."""
    printer.line(f"Total: {response.count}")
    for group in response.groups:
        printer.line(f"Group total: {group.count}, values: {values.group(group.group_values)}")
    printer.data(response)
