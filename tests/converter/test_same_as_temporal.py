"""Our converters against the installed temporalio: same bytes out, same values in, errors where it has errors."""

from __future__ import annotations

import dataclasses
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import temporalio.converter
from converted_types import HINTS, Colour, Item, Mixed, Order, Size, Sku
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import outlast.converter
from outlast.api.common.v1 import Payload

ours = outlast.converter.DataConverter.default.payload_converter
theirs = temporalio.converter.DataConverter.default.payload_converter

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=30))))
    | st.uuids()
    | st.sampled_from([Colour.RED, Size.LARGE, Mixed.A])
)
items = st.builds(Item, sku=st.text().map(Sku), quantity=st.integers(), colour=st.none() | st.sampled_from(Colour))
orders = st.builds(
    Order,
    id=st.uuids(),
    items=st.lists(items, max_size=3),
    placed_at=st.datetimes(),
    sizes=st.dictionaries(st.sampled_from(Size), st.tuples(st.integers())),
    by_number=st.dictionaries(st.integers(), st.none() | items, max_size=3),
    pair=st.tuples(st.text(), st.booleans()),
    tags=st.sets(st.text(), max_size=1),
    choice=st.sampled_from(["yes", "no"]),
    point=st.sampled_from([{}, {"x": 1}, {"x": 1, "y": 2.5}]),
    anything=st.none() | st.lists(st.integers()),
    queue=st.lists(st.integers()).map(deque),
    parent=st.none(),
)
values = st.recursive(
    scalars | items,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.tuples(inner, inner)
        | st.lists(inner, max_size=1).map(deque)
    ),
    max_leaves=12,
)
names = st.text() | st.sampled_from(["1", "true", "null", "x", "sku"])
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.just("2024-05-06T07:08:09Z"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)


def wire(payload: Any) -> bytes:
    return payload.SerializeToString(deterministic=True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary() | values | orders)
def test_payload_bytes_are_the_same(value: Any) -> None:
    assert wire(ours.to_payload(value)) == wire(theirs.to_payload(value))


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(orders)
def test_a_dataclass_comes_back_as_it_was(order: Order) -> None:
    assert ours.from_payload(ours.to_payload(order), Order) == order


@pytest.mark.parametrize("value", [Duration(seconds=90), Struct()])
def test_messages_of_the_process_wide_pool_travel(value: Any) -> None:
    payload = ours.to_payload(value)
    assert wire(payload) == wire(theirs.to_payload(value))
    assert ours.from_payload(payload) == value
    assert type(ours.from_payload(payload, type(value))) is type(value)


def test_messages_of_our_pool_travel_although_temporalio_has_the_same_name() -> None:
    value = Payload(data=b"x")
    decoded = ours.from_payload(ours.to_payload(value), Payload)
    assert decoded == value
    assert type(decoded) is Payload


def outcome(convert: Any, hint: Any, value: Any) -> tuple[str, Any]:
    try:
        return "value", convert(hint, value)
    except Exception as err:
        return "error", TypeError if isinstance(err, TypeError) else type(err)


@pytest.mark.parametrize("hint", [h for h in HINTS if h is not None], ids=str)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(value=plain)
def test_hints_decide_the_same(hint: Any, value: Any) -> None:
    mine = outcome(outlast.converter.value_to_type, hint, value)
    reference = outcome(temporalio.converter.value_to_type, hint, value)
    if mine[0] == reference[0] == "error":
        return
    assert mine == reference
    assert type(mine[1]) is type(reference[1])


@pytest.mark.parametrize(
    "data", [b'\xef\xbb\xbf{"a":1}', '{"a":1}'.encode("utf-16"), b' {"a" : 1}\n', b"NaN", b'"\\ud800"']
)
def test_foreign_json_is_read(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    mine, reference = ours.from_payload(payload), theirs.from_payload(payload)  # type: ignore[arg-type]
    assert repr(mine) == repr(reference)


@pytest.mark.parametrize("data", [b"", b"{", b"1 2", b"\xff\xfe\xff"])
def test_damaged_json_is_refused(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
    with pytest.raises((RuntimeError, ValueError)) as reference:
        theirs.from_payload(payload)  # type: ignore[arg-type]
    with pytest.raises(type(reference.value)):
        ours.from_payload(payload)


@pytest.mark.parametrize("value", [object(), {1: 2, "a": 3}, {"a": object()}, b"x".__class__, 1j, lambda: None])
def test_what_temporal_cannot_write_we_refuse_too(value: Any) -> None:
    with pytest.raises(TypeError):
        theirs.to_payload(value)
    with pytest.raises(TypeError):
        ours.to_payload(value)


def test_a_custom_chain_asks_its_links_in_order() -> None:
    class Backwards(outlast.converter.EncodingPayloadConverter):
        encoding = "test/backwards"

        def to_payload(self, value: Any) -> Payload | None:
            if not isinstance(value, str) or not value.startswith("!"):
                return None
            return Payload(metadata={"encoding": b"test/backwards"}, data=value[::-1].encode())

        def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
            return payload.data.decode()[::-1]

    class Chain(outlast.converter.CompositePayloadConverter):
        def __init__(self) -> None:
            super().__init__(
                Backwards(), *outlast.converter.DefaultPayloadConverter.default_encoding_payload_converters
            )

    converter = outlast.converter.DataConverter(payload_converter_class=Chain).payload_converter
    payloads = converter.to_payloads(["!a", "a", None])
    assert [bytes(p.metadata["encoding"]) for p in payloads] == [b"test/backwards", b"json/plain", b"binary/null"]
    assert converter.from_payloads(payloads) == ["!a", "a", None]


def test_a_subclass_of_a_default_link_is_asked_even_for_types_its_base_refuses() -> None:
    class AlsoBytearray(outlast.converter.BinaryPlainPayloadConverter):
        def to_payload(self, value: Any) -> Payload | None:
            return super().to_payload(bytes(value) if isinstance(value, bytearray) else value)

    chain = outlast.converter.CompositePayloadConverter(AlsoBytearray(), outlast.converter.JSONPlainPayloadConverter())
    assert chain.to_payload(bytearray(b"x")).data == b"x"


def test_custom_type_converters_see_inner_values() -> None:
    class Upper(outlast.converter.JSONTypeConverter):
        def to_typed_value(self, hint: type, value: Any) -> Any:
            return value.upper() if hint is str else outlast.converter.JSONTypeConverter.Unhandled

    converter = outlast.converter.JSONPlainPayloadConverter(custom_type_converters=[Upper()])
    payload = converter.to_payload([{"sku": "a", "quantity": 1}])
    assert payload is not None
    assert converter.from_payload(payload, list[Item]) == [Item(Sku("A"), 1)]  # type: ignore[arg-type]


def test_the_encoder_opens_what_asdict_opens() -> None:
    nested = [Item(Sku("a"), 1), {"k": (Item(Sku("b"), 2), {uuid.UUID(int=1): 1}.keys())}]
    assert ours.to_payload(nested).data == (
        b'[{"colour":null,"price":1.5,"quantity":1,"sku":"a"},'
        b'{"k":[{"colour":null,"price":1.5,"quantity":2,"sku":"b"},["00000000-0000-0000-0000-000000000001"]]}]'
    )
    assert ours.to_payload(datetime(2024, 1, 2, tzinfo=UTC)).data == b'"2024-01-02T00:00:00+00:00"'


def test_public_encoder_still_deep_copies() -> None:
    item = Item(Sku("a"), 1)
    assert outlast.converter.AdvancedJSONEncoder().default(item) == dataclasses.asdict(item)
