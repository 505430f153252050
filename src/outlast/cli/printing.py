"""What commands print: tables on a terminal, aligned text in a pipe, JSON on demand, and nothing if so wished.

Rule: a command says what there is to say once, as data and as text; which of them is printed is decided here.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import click
import msgspec
from google.protobuf.message import Message
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outlast.server.json_form import to_json

from . import values

OUTPUTS: Final = ("text", "json", "jsonl", "none")
COLORS: Final = ("auto", "always", "never")

Data: TypeAlias = Message | Mapping[str, Any]
Row: TypeAlias = tuple[Sequence[str], Data]
"""The cells of a row, and what it is in JSON."""

_STYLES: Final = {
    "Running": "blue",
    "Completed": "green",
    "Failed": "red",
    "TimedOut": "red",
    "Terminated": "red",
    "Canceled": "yellow",
    "Paused": "yellow",
}


@dataclass(slots=True)
class Printer:
    """Prints the way the user asked for."""

    output: str = "text"
    time_format: str = "relative"
    color: str = "auto"
    shorthand: bool = True
    _widths: list[int] = field(default_factory=list)
    _consoles: dict[bool, Console] = field(default_factory=dict)

    @property
    def is_text(self) -> bool:
        """Whether people read the output."""
        return self.output == "text"

    @property
    def on_terminal(self) -> bool:
        """Whether people read it on a terminal: tables, colours, progress."""
        return self.is_text and sys.stdout.isatty()

    @property
    def console(self) -> Console:
        """For what moves or has colours; standard output."""
        return self._console(stderr=False)

    def _console(self, *, stderr: bool) -> Console:
        if stderr not in self._consoles:
            colored = {"always": True, "never": False, "auto": None}[self.color]
            self._consoles[stderr] = Console(
                stderr=stderr,
                highlight=False,
                soft_wrap=True,
                no_color=True if colored is False else None,
                force_terminal=True if colored else None,
                color_system="standard" if colored else "auto",
            )
        return self._consoles[stderr]

    @property
    def _colors(self) -> bool:
        return self.color == "always" or (self.color == "auto" and self.console.is_terminal)

    def time(self, message: Any) -> str:
        """An instant in the format that was asked for."""
        return values.time(message, self.time_format)

    def line(self, text: str = "", style: str = "") -> None:
        """A line for people; not part of JSON."""
        if not self.is_text:
            return
        if style and self._colors:
            self.console.print(Text(values.harmless(text), style=style))
        else:
            click.echo(values.harmless(text))

    def data(self, data: Any, *, shorthand: bool = True) -> None:
        """JSON for programs; not part of text.

        Args:
            shorthand: False keeps payloads as they are, whatever the user asked for.
        """
        if self.output == "json":
            click.echo(values.indented(self._value(data, shorthand)))
        elif self.output == "jsonl":
            click.echo(values.compact(self._value(data, shorthand)))

    def embedded(self, message: Message) -> msgspec.Raw:
        """A message as part of other JSON."""
        return msgspec.Raw(to_json(message, shorthand=self.shorthand))

    def _value(self, data: Any, shorthand: bool = True) -> Any:
        if not isinstance(data, Message):
            return data
        return self.embedded(data) if shorthand else msgspec.Raw(to_json(data, shorthand=False))

    def card(self, title: str, entries: Mapping[str, str], *, indent: int = 2) -> None:
        """Names and values below a title; what is empty is left out. Text only."""
        if not self.is_text:
            return
        shown = {name: value for name, value in entries.items() if value}
        if title:
            self.line(title, "bold")
        width = max((len(name) for name in shown), default=0)
        for name, value in shown.items():
            label = f"{'':{indent}}{name:{width}}  "
            first, *more = values.harmless(value).split("\n")
            text = "\n".join([label + first, *(" " * len(label) + line for line in more)])
            self.line(text, _STYLES.get(value, "") if name == "Status" else "")

    def record(self, title: str, entries: Mapping[str, str], data: Data) -> None:
        """A card for people, or the data for programs."""
        self.card(title, entries)
        self.data(data)

    def table(self, columns: Sequence[str], rows: Iterable[Row], data: Any = None) -> None:
        """A whole table.

        Args:
            data: what it is in JSON, if that is not the list of its rows' data.
        """
        found = list(rows)
        if self.is_text:
            self._widths = []
            self._page(columns, [cells for cells, _ in found], first=True)
        elif data is not None:
            self.data(data)
        elif self.output == "jsonl":
            for _, one in found:
                self.data(one)
        else:
            self.data([self._value(one) for _, one in found])

    async def pages(self, columns: Sequence[str], pages: AsyncIterator[list[Row]]) -> None:
        """A long table, printed as its pages come."""
        self._widths = []
        first, count = True, 0
        async for page in pages:
            if self.is_text:
                self._page(columns, [cells for cells, _ in page], first=first)
            for _, data in page:
                count += 1
                self._item(data, count)
            first = False
        if self.is_text and first:
            self._page(columns, [], first=True)
        if self.output == "json":
            click.echo("\n]" if count else "[]")

    def _item(self, data: Data, number: int) -> None:
        if self.output == "jsonl":
            self.data(data)
        elif self.output == "json":
            text = textwrap.indent(values.indented(self._value(data)), "  ")
            click.echo(("[\n" if number == 1 else ",\n") + text, nl=False)

    def _page(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, first: bool) -> None:
        safe = [[values.on_one_line(cell) for cell in row] for row in rows]
        if self.on_terminal:
            self.console.print(_rich(columns, safe, header=first))
            return
        lines = [list(columns), *safe] if first else safe
        fresh = [max((cell_len(line[at]) for line in lines), default=0) for at in range(len(columns))]
        self._widths = [max(pair) for pair in zip(fresh, self._widths or fresh, strict=True)]
        for line in lines:
            padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, self._widths, strict=True))
            click.echo("  ".join(padded).rstrip())


def _rich(columns: Sequence[str], rows: Sequence[Sequence[str]], *, header: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=header, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    return table
