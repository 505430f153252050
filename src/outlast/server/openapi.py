"""The JSON API described in OpenAPI, written from the routes and the descriptors.

Paths below ``/api/v1`` are described; the bindings without it lead to the same. Two variables at one place of a path
have one name in OpenAPI, so each is called by the last part of its field's path, ``workflowId``.

Source: https://spec.openapis.org/oas/v3.0.3
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

import outlast
from outlast.api.rpc import Status

from .json_form import ANY, PAYLOAD, PAYLOADS, values_of
from .json_request import SCALAR_FORMS
from .routes import PREFIX, WHOLE, Route, Routes

_NUMBER: Final = {"type": "number", "format": "double"}
_LONG: Final = {"type": "string", "format": "int64"}
_SCALARS: Final[Mapping[int, Mapping[str, Any]]] = {
    FieldDescriptor.TYPE_DOUBLE: _NUMBER,
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0},
    FieldDescriptor.TYPE_INT64: _LONG,
    FieldDescriptor.TYPE_UINT64: _LONG,
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
}
_OWN_FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    PAYLOAD: {
        "description": "The value itself where it is JSON; else an object of metadata and data, both in base64.",
    },
    PAYLOADS: {
        "description": "The values themselves where all are JSON; else an object of payloads.",
        "oneOf": [{"type": "array", "items": {}}, {"type": "object"}],
    },
    ANY: {"type": "object", "properties": {"@type": {"type": "string"}}, "additionalProperties": True},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "description": 'Seconds, "1.5s".'},
    "google.protobuf.FieldMask": {"type": "string", "description": "Paths of fields, with commas between them."},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Value": {},
    "google.protobuf.Empty": {"type": "object"},
}
_SWITCHES: Final = (
    ("pretty", "Answer with line breaks and indentation."),
    ("noPayloadShorthand", "Write and read payloads at length: metadata and data in base64."),
)
_ERROR: Final = "A google.rpc.Status."


def document(routes: Routes, root: str) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        root: where the application is mounted; empty for the root.
    """
    return {"servers": [{"url": root or "/"}], **_document(routes)}


@cache
def _document(routes: Routes) -> Mapping[str, Any]:
    schemas = _Schemas()
    schemas.of_message(_descriptor(Status))
    paths: dict[str, dict[str, Any]] = {}
    named: dict[str, int] = {}
    for route in routes.all:
        if not route.template.startswith(PREFIX + "/"):
            continue
        named[route.rpc.name] = number = named.get(route.rpc.name, 0) + 1
        operation = _operation(route, schemas)
        operation["operationId"] = route.rpc.name if number == 1 else f"{route.rpc.name}{number}"
        template = re.sub(r"\{([^}]+)\}", lambda found: f"{{{_variable(found[1])}}}", route.template)
        paths.setdefault(template, {})[route.verb.lower()] = operation
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Outlast",
            "version": outlast.__version__,
            "description": "Every RPC of Temporal's services as JSON over HTTP.",
        },
        "paths": paths,
        "components": {"schemas": schemas.named},
    }


def _descriptor(kind: Any) -> Descriptor:
    found: Descriptor = kind.DESCRIPTOR
    return found


def _variable(path: str) -> str:
    head, *rest = path.rpartition(".")[2].split("_")
    return head + "".join(part.capitalize() for part in rest)


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    kind = route.rpc.input_type
    parameters = [
        {"name": _variable(path), "in": "path", "required": True, "schema": {"type": "string"}, "description": path}
        for path in route.variables
    ]
    if route.body != WHOLE:
        bound = {*route.variables, route.body}
        parameters += [
            {"name": name, "in": "query", "schema": schema}
            for path, name, schema in _query(kind, schemas.of_field, "", "", (kind,))
            if path not in bound
        ]
    parameters += [
        {"name": name, "in": "query", "schema": {"type": "boolean"}, "allowEmptyValue": True, "description": text}
        for name, text in _SWITCHES
    ]
    operation: dict[str, Any] = {
        "tags": [route.service.rpartition(".")[2]],
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", **_json(schemas.of_message(route.rpc.output_type))},
            "default": {"description": _ERROR, **_json(schemas.of_message(_descriptor(Status)))},
        },
    }
    if route.body:
        whole = route.body == WHOLE
        body = schemas.of_message(kind) if whole else schemas.of_field(kind.fields_by_name[route.body])
        operation["requestBody"] = {"required": True, **_json(body)}
    return operation


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _query(
    kind: Descriptor,
    schema_of: Callable[[FieldDescriptor], Mapping[str, Any]],
    path: str,
    name: str,
    above: Sequence[Descriptor],
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What a query string can set: the path of the field, its name in the query, its schema."""
    for field in kind.fields:
        field_path, field_name = f"{path}{field.name}", f"{name}{field.json_name}"
        inner = values_of(field)
        if field.message_type is None:
            yield field_path, field_name, schema_of(field)
        elif inner is not None and inner is field.message_type:
            if inner.full_name in SCALAR_FORMS:
                yield field_path, field_name, schema_of(field)
            elif not field.is_repeated and inner not in above and inner.full_name not in _OWN_FORMS:
                yield from _query(inner, schema_of, f"{field_path}.", f"{field_name}.", (*above, inner))


class _Schemas:
    """The schemas of messages and enums, by their full names."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def of_message(self, kind: Descriptor) -> dict[str, Any]:
        """A reference to the schema of a message, which is made when it is asked for first."""
        name = kind.full_name
        if name not in self.named:
            own = _OWN_FORMS.get(name)
            if own is None and name in SCALAR_FORMS:
                own = _SCALARS[kind.fields_by_name["value"].type]
            if own is not None:
                self.named[name] = own
            else:
                self.named[name] = schema = {"type": "object"}
                properties = {field.json_name: self.of_field(field) for field in kind.fields}
                if properties:
                    schema["properties"] = properties  # type: ignore[assignment]
        return {"$ref": f"#/components/schemas/{name}"}

    def of_field(self, field: FieldDescriptor) -> dict[str, Any]:
        """The schema of one field."""
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return {"type": "object", "additionalProperties": self._single(field.message_type.fields_by_name["value"])}
        single = self._single(field)
        return {"type": "array", "items": single} if field.is_repeated else single

    def _single(self, field: FieldDescriptor) -> dict[str, Any]:
        if field.message_type is not None:
            return self.of_message(field.message_type)
        if field.enum_type is not None:
            kind = field.enum_type
            self.named.setdefault(kind.full_name, {"type": "string", "enum": list(kind.values_by_name)})
            return {"$ref": f"#/components/schemas/{kind.full_name}"}
        return dict(_SCALARS[field.type])
