"""Commands of others: a program ``outlast-foo-bar`` on the path is ``outlast foo bar``.

Source: the extensions of Temporal's CLI; the longest name wins, and a command of ours wins over all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

import click

_PREFIX = "outlast"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def find(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The program that the first words name, and the words that are left for it; None when there is none."""
    leading = []
    for word in words:
        if not _WORD.fullmatch(word):
            break
        leading.append(word)
    for count in range(len(leading), 0, -1):
        program = shutil.which("-".join((_PREFIX, *leading[:count])))
        if program is not None:
            return program, list(words[count:])
    return None


class ExtendedGroup(click.Group):
    """A group whose unknown commands may be programs on the path."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or one that runs the program."""
        if args and self.get_command(ctx, args[0]) is None:
            found = find(args)
            if found is not None:
                program, rest = found
                return program, _program(program), rest
        return super().resolve_command(ctx, args)


def _program(program: str) -> click.Command:
    @click.command(
        os.path.basename(program),
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def run(words: tuple[str, ...]) -> None:
        raise SystemExit(subprocess.call([program, *words]))

    return run
