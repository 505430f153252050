"""Options as decorators, in groups and by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import click

Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def refused(flag: str, why: str, *, switch: bool = False) -> Option:
    """A flag that Temporal's CLI has, and which is refused by name."""

    def refuse(_: click.Context, __: click.Parameter, value: object) -> None:
        if value:
            raise click.UsageError(f"{flag} is not built in outlast: {why}")

    return click.option(flag, expose_value=False, is_flag=switch, callback=refuse, hidden=True)


def with_options(*options: Option) -> Option:
    """Several options as one decorator, in their order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
