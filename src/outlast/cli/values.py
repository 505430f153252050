"""Values as people read them: times, durations, names, payloads, failures.

Rule: what comes from elsewhere may hold anything, so nothing of it reaches a terminal as a control character.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import humanize
import msgspec
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from outlast.api.common.v1 import Payload, Payloads
from outlast.api.failure.v1 import Failure
from outlast.api.protobuf import Duration, Timestamp
from outlast.server.json_form import to_json
from outlast.vocab import times

TIME_FORMATS: Final = ("relative", "iso", "raw")

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60))


def harmless(text: str) -> str:
    """The text with control characters, but for newlines and tabs, written as escapes."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def on_one_line(text: str) -> str:
    """The text for a cell of a table."""
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def time(message: Timestamp, form: str, now: datetime | None = None) -> str:
    """An instant; empty for one that is not set.

    Args:
        form: ``relative`` ("3 minutes ago"), ``iso`` (to the second) or ``raw`` (as exact as it is).
        now: for tests; the present when None.
    """
    if not message.seconds and not message.nanos:
        return ""
    if form == "raw":
        return message.ToJsonString()
    instant = datetime.fromtimestamp(message.seconds + message.nanos / 1e9, UTC)
    if form == "iso":
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    return humanize.naturaltime(instant, when=now or datetime.now(UTC))


def duration(message: Duration) -> str:
    """A length of time as ``1h2m3.5s``; empty for zero and for one that is not set."""
    return nanoseconds(times.from_duration(message))


def nanoseconds(ns: int) -> str:
    """The same for ns."""
    if not ns:
        return ""
    if ns < 0:
        return "-" + nanoseconds(-ns)
    if ns < times.SECOND_NS:
        return f"{ns / 1e6:.3g}ms"
    parts, rest = "", ns / times.SECOND_NS
    for unit, seconds in _UNITS:
        whole, rest = divmod(rest, seconds)
        if whole:
            parts += f"{whole:.0f}{unit}"
    return parts + (f"{rest:.6g}s" if rest or not parts else "")


def enum_name(kind: Any, number: int) -> str:
    """``Running`` for WORKFLOW_EXECUTION_STATUS_RUNNING: the name without what all names of the enum share."""
    descriptor: EnumDescriptor = kind.DESCRIPTOR
    value = descriptor.values_by_number.get(number)
    if value is None:
        return str(number)
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    return "".join(word.capitalize() for word in value.name.removeprefix(prefix).split("_"))


def enum_number(kind: Any, name: str) -> int:
    """The reverse, for names that a choice has let pass."""
    for value in kind.DESCRIPTOR.values:
        if enum_name(kind, value.number) == name:
            return int(value.number)
    raise ValueError(f"{kind.DESCRIPTOR.name} has no {name!r}")


def payload(one: Payload) -> str:
    """What a payload holds, as JSON on one line."""
    return to_json(one).decode()


def payloads(several: Payloads | Iterable[Payload]) -> str:
    """What several payloads hold, apart by commas; empty for none."""
    items = several.payloads if isinstance(several, Payloads) else several
    return ", ".join(payload(one) for one in items)


def fields(entries: Mapping[str, Payload]) -> str:
    """The payloads of a memo or of search attributes, as a JSON object; empty for none."""
    return compact({name: _content(entries[name]) for name in sorted(entries)}) if entries else ""


def _content(one: Payload) -> msgspec.Raw:
    # Search attributes name their type, which is not for people.
    if one.metadata.get("encoding") == b"json/plain":
        one = Payload(metadata={"encoding": b"json/plain"}, data=one.data)
    return msgspec.Raw(to_json(one))


def compact(value: Any) -> str:
    """JSON on one line."""
    return msgspec.json.encode(value).decode()


def indented(value: Any) -> str:
    """JSON on many lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def failure_lines(failure: Failure) -> Iterator[str]:
    """A failure with its stack trace, and then its causes."""
    shown: Failure | None = failure
    while shown is not None:
        kind = shown.WhichOneof("failure_info") or ""
        info = getattr(shown, kind) if kind else None
        name = getattr(info, "type", "") or kind.removesuffix("_info").replace("_", " ") or "failure"
        if shown is not failure:
            yield "Caused by:"
        yield f"{name}: {shown.message}"
        yield from shown.stack_trace.rstrip("\n").splitlines() if shown.stack_trace else ()
        shown = shown.cause if shown.HasField("cause") else None


def flattened(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a message that are set, as ``a.b`` and text; payloads as what they hold."""
    for field, content in message.ListFields():
        name = prefix + field.json_name
        kind = field.message_type
        if kind is None:
            yield name, _scalar(field, content)
        elif kind.GetOptions().map_entry:
            for key in sorted(content):
                yield from _entry(f"{name}.{key}", content[key])
        elif field.is_repeated:
            for number, item in enumerate(content):
                yield from _entry(f"{name}[{number}]", item)
        else:
            yield from _entry(name, content)


def _entry(name: str, content: Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, Payload | Payloads | Failure | Timestamp | Duration):
        if isinstance(content, Failure):
            yield name, "\n".join(failure_lines(content))
        elif isinstance(content, Payload | Payloads):
            yield name, payload(content) if isinstance(content, Payload) else payloads(content)
        else:
            yield name, content.ToJsonString()
    elif isinstance(content, Message):
        yield from flattened(content, f"{name}.")
    else:
        yield name, str(content)


def _scalar(field: FieldDescriptor, content: Any) -> str:
    items = content if field.is_repeated else [content]
    if field.enum_type is not None:
        names = field.enum_type.values_by_number
        return ", ".join(names[item].name if item in names else str(item) for item in items)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return ", ".join(base64.b64encode(item).decode() for item in items)
    return ", ".join(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


def group(keys: Iterable[Payload]) -> str:
    """The values that the workflows of a group share."""
    return ", ".join(
        bytes(to_json(Payload(metadata={"encoding": b"json/plain"}, data=key.data))).decode() for key in keys
    )
