"""What is written on the command line: durations, pairs, payloads, and the options that take them.

Source: the option set ``payload-input`` of Temporal's CLI.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from outlast.api.common.v1 import Header, Payload, Payloads
from outlast.vocab.times import SECOND_NS

from .options import Option, with_options

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86400 * SECOND_NS,
}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|ms|s|m|h|d)")


class _Duration(click.ParamType[int]):
    """A length of time as Go writes it, with days: ``10s``, ``1h30m``, ``7d``; in ns."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        parts = _PART.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value!r} is no duration; write 500ms, 10s, 1h30m or 7d", param, ctx)
        return sum(int(float(number) * _UNITS[unit]) for number, unit in parts)


DURATION: Final = _Duration()


def pairs(_: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Callback of a repeatable option NAME=VALUE."""
    found = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise click.BadParameter(f"{text!r}: write NAME=VALUE")
        found[name] = value
    return found


def json_pairs(context: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, Payload]:
    """Callback of a repeatable option NAME=JSON."""
    return {name: json_payload(value, name) for name, value in pairs(context, param, given).items()}


def json_payload(text: str, of: str) -> Payload:
    """A payload of JSON text.

    Raises:
        BadParameter: it is no JSON; says where.
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(
            f"{of} is no JSON: {error.msg} at character {error.pos + 1} of {_short(text)}; strings need quotes, '\"x\"'"
        ) from error
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def payload_options(prefix: str = "", of: str = "the input") -> Option:
    """The four options of an input; the command gets it as ``<prefix>input``, a Payloads or None.

    Args:
        prefix: ``"signal-"`` for ``--signal-input`` and so on.
        of: what the help texts call it.
    """
    name = prefix.replace("-", "_")
    short: tuple[str, ...] = () if prefix else ("-i",)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **arguments: Any) -> Any:
            given = [arguments.pop(f"{name}input{end}") for end in ("", "_file", "_meta", "_base64")]
            arguments[f"{name}input"] = _payloads(*given, flag=f"--{prefix}input")
            return command(*args, **arguments)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        # Options that are applied already stand on the function.
        run.__dict__.update(command.__dict__)
        return with_options(
            click.option(f"--{prefix}input", *short, multiple=True, help=f"JSON of {of}; repeatable."),
            click.option(
                f"--{prefix}input-file", multiple=True, type=click.Path(path_type=Path),
                help=f"File with {of}, - for standard input; repeatable.",
            ),
            click.option(
                f"--{prefix}input-meta", multiple=True, callback=pairs,
                help=f"Metadata of {of}, NAME=VALUE, such as encoding=json/protobuf; repeatable.",
            ),
            click.option(f"--{prefix}input-base64", is_flag=True, help=f"Take {of} as base64 of the data."),
        )(run)  # fmt: skip

    return decorate


def _payloads(
    texts: Sequence[str], files: Sequence[Path], meta: Mapping[str, str], is_base64: bool, *, flag: str
) -> Payloads | None:
    if texts and files:
        raise click.UsageError(f"{flag} and {flag}-file exclude each other")
    named = [(text.encode(), f"{flag} {number}") for number, text in enumerate(texts, 1)]
    named += [(_content(path), str(path)) for path in files]
    if not named:
        return None
    metadata = {"encoding": b"json/plain"} | {name: value.encode() for name, value in meta.items()}
    return Payloads(payloads=[_payload(data, of, metadata, is_base64) for data, of in named])


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from error


def _payload(data: bytes, of: str, metadata: Mapping[str, bytes], is_base64: bool) -> Payload:
    if is_base64:
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise click.BadParameter(f"{of} is no base64: {error}") from error
    if metadata["encoding"].startswith(b"json/"):
        try:
            json_payload(data.decode(), of)
        except UnicodeDecodeError as error:
            raise click.BadParameter(f"{of} is no JSON: byte {error.start + 1} is no UTF-8") from error
    return Payload(metadata=metadata, data=data)


def header(entries: Mapping[str, Payload]) -> Header | None:
    """The message of ``--headers``."""
    return Header(fields=entries) if entries else None


HEADERS: Final = click.option(
    "--headers", multiple=True, callback=json_pairs, help="Header for the code that runs, NAME=JSON; repeatable."
)
