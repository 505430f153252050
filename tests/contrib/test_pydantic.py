"""The pydantic converter writes and reads what Temporal's does."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest
import temporalio.contrib.pydantic as theirs
from pydantic import BaseModel, ValidationError

from outlast.api.common.v1 import Payload
from outlast.contrib.pydantic import (
    PydanticJSONPlainPayloadConverter,
    PydanticPayloadConverter,
    ToJsonOptions,
    pydantic_data_converter,
)


class Line(BaseModel):
    sku: str
    count: int = 1


class Order(BaseModel):
    id: UUID
    at: datetime
    total: Decimal
    lines: list[Line] = []
    kind: Literal["new", "old"] = "new"


@dataclass
class Box:
    order: Order
    due: date
    grace: timedelta


ORDER = Order(
    id=UUID(int=7), at=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), total=Decimal("1.10"), lines=[Line(sku="a")]
)
VALUES: list[tuple[Any, Any]] = [
    (ORDER, Order),
    ([ORDER], list[Order]),
    (Box(ORDER, date(2024, 1, 2), timedelta(hours=1)), Box),
    ({"a": {1, 2}}, dict[str, set[int]]),
    (b"raw", bytes),
    (None, None),
    ("text", None),
    (ORDER, Order | None),
]


@pytest.mark.parametrize(("value", "hint"), VALUES)
def test_same_bytes_and_values_as_temporal(value: Any, hint: Any) -> None:
    mine = PydanticPayloadConverter().to_payload(value)
    other = theirs.PydanticPayloadConverter().to_payload(value)
    assert mine.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)
    assert PydanticPayloadConverter().from_payload(mine, hint) == value


def test_unset_fields_are_left_out_when_asked() -> None:
    payload = PydanticPayloadConverter(ToJsonOptions(exclude_unset=True)).to_payload(Line(sku="a"))
    assert payload.data == b'{"sku":"a"}'


async def test_as_data_converter() -> None:
    payloads = await pydantic_data_converter.encode([ORDER, 1])
    assert await pydantic_data_converter.decode(payloads, [Order, int]) == [ORDER, 1]
    with pytest.raises(ValidationError):
        await pydantic_data_converter.decode([Payload(metadata={"encoding": b"json/plain"}, data=b"{}")], [Order])


def test_pickled_with_its_limit_and_without_its_cache() -> None:
    converter = PydanticJSONPlainPayloadConverter(max_cached_type_adapters=2)
    converter.from_payload(Payload(data=b"1"), int)
    again = pickle.loads(pickle.dumps(converter))
    assert again.from_payload(Payload(data=b"1"), int) == 1
    assert again._adapter.cache_info().maxsize == 2
    with pytest.raises(ValueError, match="negative"):
        PydanticJSONPlainPayloadConverter(max_cached_type_adapters=-1)
