"""Finding every Payload of any message, to replace it (codecs) or to weigh it (limits).

Rule: where payloads can be is read from the descriptors once per message type. A message that came in is never changed:
`visit` and `avisit` work on a copy. Search attributes are skipped, because the server has to read them, and so is what
is packed in an Any.

Payloads are handed out in groups, as codecs expect: all of one Payloads list (or other repeated field) together, a
single field or one entry of a map by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import Enum, auto
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from outlast.api.common.v1 import Header, Payload, SearchAttributes

M = TypeVar("M", bound=Message)

_PAYLOAD: Final[str] = Payload.DESCRIPTOR.full_name
_SEARCH_ATTRIBUTES: Final[str] = SearchAttributes.DESCRIPTOR.full_name
_HEADER: Final[str] = Header.DESCRIPTOR.full_name


class _Shape(Enum):
    ONE = auto()
    LIST = auto()
    MAP = auto()


class _Step(NamedTuple):
    field: str
    shape: _Shape
    target: Descriptor  # of the values, for a map
    is_payload: bool


class _Group(NamedTuple):
    owner: Any
    field: str
    shape: _Shape
    key: Any
    path: str


def visit(message: M, replace: Callable[[list[Payload]], list[Payload]], *, headers: bool = True) -> M:
    """A copy of the message in which every group of payloads is what `replace` made of it.

    Args:
        message: any message of outlast.api; left as it is.
        replace: gets the payloads of one group, at least one, and must not change them. A group that stands in a single
            field or in a map must stay one payload; a list may grow or shrink.
        headers: False leaves temporal.api.common.v1.Header as it is.

    Raises:
        ValueError: `replace` returned more or fewer than one payload for a place that holds one.
    """
    result = _copy(message)
    for group in _groups(result, headers):
        _put(group, replace(_payloads(group)))
    return result


async def avisit(
    message: M, replace: Callable[[list[Payload]], Awaitable[list[Payload]]], *, headers: bool = True
) -> M:
    """`visit` with a `replace` that is awaited, group after group."""
    result = _copy(message)
    for group in _groups(result, headers):
        _put(group, await replace(_payloads(group)))
    return result


def sizes(message: Message) -> Iterator[tuple[str, int]]:
    """The place, such as "input.payloads" or "memo.fields['note']", and the bytes of every group that is not empty."""
    for group in _groups(message, headers=True):
        yield group.path, sum(payload.ByteSize() for payload in _payloads(group))


def _copy(message: M) -> M:
    result = type(message)()
    result.CopyFrom(message)
    return result


def _groups(message: Message, headers: bool) -> list[_Group]:
    found: list[_Group] = []
    _collect(message, cast(Descriptor, message.DESCRIPTOR), headers, "", found)
    return found


def _collect(owner: Any, type_: Descriptor, headers: bool, place: str, found: list[_Group]) -> None:
    plan = _plan(type_, headers)
    for field, value in owner.ListFields():
        step = plan.get(field.number)
        if step is None:
            continue
        path = place + step.field
        if step.is_payload and step.shape is not _Shape.MAP:
            found.append(_Group(owner, step.field, step.shape, None, path))
            continue
        for key, item in _ITEMS[step.shape](value):
            here = path if key is None else f"{path}[{key!r}]"
            if step.is_payload:
                found.append(_Group(owner, step.field, step.shape, key, here))
            else:
                _collect(item, step.target, headers, here + ".", found)


_ITEMS: Final[dict[_Shape, Callable[[Any], Iterable[tuple[Any, Any]]]]] = {
    _Shape.ONE: lambda value: ((None, value),),
    _Shape.LIST: enumerate,
    _Shape.MAP: lambda value: value.items(),
}


def _payloads(group: _Group) -> list[Payload]:
    value = getattr(group.owner, group.field)
    if group.shape is _Shape.ONE:
        return [value]
    return list(value) if group.shape is _Shape.LIST else [value[group.key]]


def _put(group: _Group, payloads: list[Payload]) -> None:
    value = getattr(group.owner, group.field)
    if group.shape is _Shape.LIST:
        del value[:]
        value.extend(payloads)
        return
    if len(payloads) != 1:
        raise ValueError(
            f"{group.path} of {group.owner.DESCRIPTOR.full_name} holds one payload, but {len(payloads)} were given for "
            "it; a codec returns exactly one payload for one"
        )
    target = value if group.shape is _Shape.ONE else value[group.key]
    target.CopyFrom(payloads[0])


@cache
def _plan(type_: Descriptor, headers: bool) -> Mapping[int, _Step]:
    """The fields of a message type through which a payload can be reached, by number."""
    steps = _steps(type_).items()
    return {n: s for n, s in steps if s.is_payload or _reaches(s.target, headers, frozenset())}


def _reaches(type_: Descriptor, headers: bool, above: frozenset[str]) -> bool:
    skipped = (_SEARCH_ATTRIBUTES,) if headers else (_SEARCH_ATTRIBUTES, _HEADER)
    if type_.full_name in above or type_.full_name in skipped:
        return False
    above |= {type_.full_name}
    return any(step.is_payload or _reaches(step.target, headers, above) for step in _steps(type_).values())


@cache
def _steps(type_: Descriptor) -> Mapping[int, _Step]:
    """All fields of a message type that hold messages, by number."""
    steps = {}
    for field in type_.fields:
        target, shape = field.message_type, _Shape.LIST if field.is_repeated else _Shape.ONE
        if target is not None and target.GetOptions().map_entry:
            target, shape = target.fields_by_name["value"].message_type, _Shape.MAP
        if target is not None:
            steps[field.number] = _Step(field.name, shape, target, target.full_name == _PAYLOAD)
    return steps
