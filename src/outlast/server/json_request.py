"""JSON that comes in, read into a request: protobuf's mapping, shorthand payloads, values of a query string.

Rule: what is malformed is refused with its place, ``retryPolicy.maximumAttempts``, before protobuf's library sees it.
Null for a single field leaves it unset, as everywhere in protobuf's JSON; in arrays and maps of payloads it is
``binary/null``. Names of fields may be in camelCase or snake_case, those of enum values in full or in PascalCase.

Source: https://protobuf.dev/programming-guides/json/; go.temporal.io/api/common/v1/payload_json.go;
https://cloud.google.com/endpoints/docs/grpc/transcoding for the query string.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NoReturn

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from outlast.api.descriptors import POOL
from outlast.vocab.errors import InvalidArgument

from .json_form import ANY, PAYLOAD, PAYLOADS, TYPE_KEY, is_long, values_of

_OWN_FORM: Final = "google.protobuf."
"""Messages of this package have a JSON form of their own, which protobuf's library reads."""
SCALAR_FORMS: Final = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "FieldMask", "BoolValue", "StringValue", "BytesValue"),
        *(f"{kind}Value" for kind in ("Double", "Float", "Int32", "Int64", "UInt32", "UInt64")),
    )
)
"""Messages whose JSON form is one string or number, so that they may stand in a query string."""


def decoded(body: bytes, what: str) -> Any:
    """The JSON value of a body; ``{}`` for an empty one.

    Raises:
        InvalidArgument: it is no JSON; the message names line and column.
    """
    if not body.strip():
        return {}
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{what}: the body is not UTF-8 at byte {error.start}; send JSON in UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidArgument(f"{what}: the body is no JSON at {place}: {error.msg}") from error
    except RecursionError as error:
        raise InvalidArgument(f"{what}: the body is nested too deeply") from error
    except ValueError as error:
        raise InvalidArgument(f"{what}: the body is no JSON: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} stands twice in one object")
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def read(value: Any, message: Message, what: str, *, shorthand: bool = True) -> None:
    """Put a JSON value into an empty message.

    Args:
        value: as ``decoded`` gives it; not changed.
        shorthand: read values that stand where a payload is expected as payloads.

    Raises:
        InvalidArgument: it is not the message; the text says where and why.
    """
    try:
        tree = _Reader(what, shorthand).message(value, _descriptor(message), "")
        json_format.ParseDict(tree, message, descriptor_pool=POOL)
    except json_format.ParseError as error:
        raise InvalidArgument(f"{what}: {_plain(error)}") from error
    except RecursionError as error:
        raise InvalidArgument(f"{what}: the body is nested too deeply") from error


def _descriptor(message: Any) -> Descriptor:
    found: Descriptor = message.DESCRIPTOR  # upb's own class in the stubs
    return found


def _plain(error: Exception) -> str:
    text = str(error).split("\n", 1)[0].rstrip(".")
    return re.sub(r"\bat \w+(?=\.\w)\.", "at ", text)


class _Reader:
    """One walk along a JSON value and the descriptors: checks, and writes shorthand at length."""

    def __init__(self, what: str, shorthand: bool) -> None:
        self._what = what
        self._shorthand = shorthand

    def _refuse(self, path: str, fault: str) -> NoReturn:
        raise InvalidArgument(f"{self._what}: {path or 'the body'} {fault}")

    def message(self, value: Any, kind: Descriptor, path: str) -> Any:
        if self._shorthand and kind.full_name == PAYLOAD and not is_long(value):
            return self._long(value, path)
        if self._shorthand and kind.full_name == PAYLOADS and isinstance(value, list):
            value = {"payloads": value}
        if kind.full_name == ANY and isinstance(value, dict):
            return self._any(value, path)
        if kind.full_name.startswith(_OWN_FORM) and kind.full_name != "google.protobuf.Empty":
            return value
        if not isinstance(value, dict):
            self._refuse(path, f"is {_named(value)}; it has to be an object ({kind.full_name})")
        names = _fields(kind)
        found: dict[str, Any] = {}
        for key, item in value.items():
            field = names.get(key)
            place = f"{path}.{key}" if path else key
            if field is None:
                self._refuse(place, f"is no field of {kind.full_name}{_near(key, names)}")
            if field.json_name in found:
                self._refuse(place, f"stands twice, as {field.json_name} and as {field.name}")
            if item is not None:
                found[field.json_name] = self._field(item, field, place)
        return found

    def _any(self, value: dict[str, Any], path: str) -> Any:
        try:
            kind = POOL.FindMessageTypeByName(str(value.get("@type", "")).rpartition("/")[2])
        except KeyError:
            self._refuse(path, f"has the @type {value.get('@type')!r}, which is no known message")
        rest = {key: item for key, item in value.items() if key != "@type"}
        return {"@type": value["@type"], **self.message(rest, kind, path)}

    def _field(self, value: Any, field: FieldDescriptor, path: str) -> Any:
        entry = (
            field.message_type if field.message_type is not None and field.message_type.GetOptions().map_entry else None
        )
        if entry is not None:
            if not isinstance(value, dict):
                self._refuse(path, f"is {_named(value)}; it has to be an object")
            inner = entry.fields_by_name["value"]
            return {key: self._single(item, inner, f"{path}[{key!r}]") for key, item in value.items()}
        if field.is_repeated:
            if not isinstance(value, list):
                self._refuse(path, f"is {_named(value)}; it has to be an array")
            return [self._single(item, field, f"{path}[{index}]") for index, item in enumerate(value)]
        return self._single(value, field, path)

    def _single(self, value: Any, field: FieldDescriptor, path: str) -> Any:
        if field.message_type is not None:
            return self.message(value, field.message_type, path)
        if field.enum_type is not None:
            return self._enum(value, field.enum_type, path)
        if field.type == field.TYPE_BYTES:
            return self._bytes(value, path)
        if field.type == field.TYPE_STRING:
            if not isinstance(value, str):
                self._refuse(path, f"is {_named(value)}; it has to be a string")
        elif field.type == field.TYPE_BOOL:
            if not isinstance(value, bool):
                self._refuse(path, f"is {_named(value)}; it has to be true or false")
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            self._refuse(path, f"is {_named(value)}; it has to be a number")
        return value

    def _enum(self, value: Any, kind: EnumDescriptor, path: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._refuse(path, f"is {_named(value)}; it has to be the name of a {kind.full_name}")
        if not isinstance(value, str):
            return value
        names = _enum_names(kind)
        if value not in names:
            self._refuse(path, f"is {value!r}; it has to be one of {', '.join(kind.values_by_name)}")
        return names[value]

    def _bytes(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            self._refuse(path, f"is {_named(value)}; it has to be a string of base64")
        standard = value.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return base64.b64encode(base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)).decode()
        except binascii.Error:
            self._refuse(path, "is no base64")

    def _long(self, value: Any, path: str) -> dict[str, Any]:
        """A shorthand payload at length."""
        metadata = {"encoding": b"json/plain"}
        if value is None:
            return {"metadata": {"encoding": _base64(b"binary/null")}}
        if isinstance(value, dict) and isinstance(value.get(TYPE_KEY), str):
            metadata = {"encoding": b"json/protobuf", "messageType": value[TYPE_KEY].encode()}
            value = {key: item for key, item in value.items() if key != TYPE_KEY}
        try:
            data = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            data = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
        except ValueError:
            self._refuse(path, "holds a number that is too large")
        return {"metadata": {key: _base64(item) for key, item in metadata.items()}, "data": _base64(data)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _named(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    names = (("an object", dict), ("an array", list), ("a string", str))
    return next((name for name, kind in names if isinstance(value, kind)), "a number")


@cache
def _fields(kind: Descriptor) -> Mapping[str, FieldDescriptor]:
    """Fields by both of their names."""
    return MappingProxyType({name: field for field in kind.fields for name in (field.name, field.json_name)})


def _near(key: str, names: Iterable[str]) -> str:
    import difflib

    found = difflib.get_close_matches(key, list(names), 1)
    return f"; did you mean {found[0]}?" if found else ""


@cache
def _enum_names(kind: EnumDescriptor) -> Mapping[str, str]:
    """Full names by themselves and by their short form: ``TimedOut`` for ``WORKFLOW_EXECUTION_STATUS_TIMED_OUT``."""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.name).upper() + "_"
    found = {}
    for name in kind.values_by_name:
        found["".join(part.capitalize() for part in name.removeprefix(prefix).split("_"))] = name
        found[name] = name
    return MappingProxyType(found)


# -- query strings --------------------------------------------------------------------------------------------------


def from_query(pairs: Iterable[tuple[str, str]], kind: Descriptor, what: str) -> dict[str, Any]:
    """The JSON value that the parameters of a query string stand for.

    Args:
        pairs: names are paths of fields, ``execution.runId``; a repeated field stands as often as it has values.

    Raises:
        InvalidArgument: a name is no field, or one that a query string cannot set.
    """
    tree: dict[str, Any] = {}
    for name, text in pairs:
        owner, place = kind, tree
        *above, last = name.split(".")
        for part in above:
            field = _parameter(owner, part, name, what)
            if field.is_repeated or field.message_type is None:
                raise InvalidArgument(f"{what}: the query parameter {name} leads through {part}, which has no fields")
            owner, place = field.message_type, place.setdefault(field.json_name, {})
        field = _parameter(owner, last, name, what)
        value = _parameter_value(field, text, name, what)
        if field.is_repeated:
            place.setdefault(field.json_name, []).append(value)
        elif field.json_name in place:
            raise InvalidArgument(f"{what}: the query parameter {name} stands twice")
        else:
            place[field.json_name] = value
    return tree


def _parameter(owner: Descriptor, part: str, name: str, what: str) -> FieldDescriptor:
    field = _fields(owner).get(part)
    if field is None:
        raise InvalidArgument(
            f"{what}: the query parameter {name} is no field of {owner.full_name}{_near(part, _fields(owner))}"
        )
    return field


def _parameter_value(field: FieldDescriptor, text: str, name: str, what: str) -> Any:
    kind = values_of(field)
    if kind is not None and (kind is not field.message_type or kind.full_name not in SCALAR_FORMS):
        raise InvalidArgument(f"{what}: the query parameter {name} is a {kind.full_name}; no query string can hold it")
    if field.type == field.TYPE_BOOL or (kind is not None and kind.full_name.endswith(".BoolValue")):
        if text not in ("true", "false"):
            raise InvalidArgument(f"{what}: the query parameter {name} is {text!r}; it has to be true or false")
        return text == "true"
    if field.enum_type is not None and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text
