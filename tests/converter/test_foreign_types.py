"""pydantic models, attrs classes and msgspec structs through the default converter."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest

from outlast.contrib.pydantic import pydantic_data_converter
from outlast.converter import DataConverter

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


class Line(pydantic.BaseModel):
    sku: str
    at: datetime = NOW
    tags: set[int] = set()


class Struct(msgspec.Struct, rename="camel"):
    full_name: str
    at: datetime = NOW
    lines: list[Line] = []
    inner: Struct | None = None


@attrs.define
class Attrs:
    name: str
    _hidden: int = 0
    next: Attrs | None = None
    struct: Struct | None = None
    made: int = attrs.field(init=False, default=7)


@dataclasses.dataclass
class Data:
    line: Line
    struct: Struct
    attrs: Attrs


CASES: list[tuple[Any, Any]] = [
    (Line(sku="a", tags={3}), Line),
    (Struct("x", lines=[Line(sku="a")], inner=Struct("y")), Struct),
    (Attrs("x", hidden=2, next=Attrs("y"), struct=Struct("z")), Attrs),
    (Data(Line(sku="a"), Struct("x"), Attrs("x")), Data),
    ([Line(sku="a")], list[Line]),
    ({"k": Struct("x")}, dict[str, Struct]),
    (Attrs("x"), Attrs | None),
    (None, Line | None),
    ((Line(sku="a"), 1), tuple[Line, int]),
]


@pytest.mark.parametrize(("value", "hint"), CASES)
async def test_there_and_back(value: Any, hint: Any) -> None:
    payloads = await DataConverter.default.encode([value])
    assert await DataConverter.default.decode(payloads, [hint]) == [value]


class Money(pydantic.BaseModel):
    amount: Decimal
    id: UUID
    at: datetime


async def test_models_are_written_as_by_the_pydantic_converter_and_read_by_it() -> None:
    money = Money(amount=Decimal("1.10"), id=UUID(int=1), at=NOW)
    mine = await DataConverter.default.encode([money])
    others = await pydantic_data_converter.encode([money])
    assert msgspec.json.decode(mine[0].data) == msgspec.json.decode(others[0].data)
    assert await pydantic_data_converter.decode(mine, [Money]) == [money]
    assert await DataConverter.default.decode(others, [Money]) == [money]


@pytest.mark.parametrize(
    ("hint", "data", "message"),
    [
        (list[Attrs], b'[{"name":"a"},{"name":3}]', r"value\[1\]\.name: .*str"),
        (list[Attrs], b'[{"name":"a","struct":{"fullName":3}}]', r"value\[0\].*struct.*`\$\.fullName`"),
        (dict[str, Struct], b'{"k":{"fullName":3}}', r"value\['k'\].*got `int` - at `\$\.fullName`"),
        (dict[str, Line], b'{"k":{"sku":3}}', r"value\['k'\](.|\n)*sku(.|\n)*valid string"),
        (Attrs, b"[]", "expected dict for Attrs, got list"),
    ],
)
async def test_errors_name_the_place(hint: Any, data: bytes, message: str) -> None:
    payloads = await DataConverter.default.encode([None, 1])
    payloads[1].data = data
    with pytest.raises((TypeError, ValueError), match=message):
        await DataConverter.default.decode(payloads[1:], [hint])
