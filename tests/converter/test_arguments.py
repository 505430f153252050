"""Errors about values name the argument, its place inside, and the cure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from converted_types import Item, Order

from outlast.api.common.v1 import Payload
from outlast.converter import (
    PAYLOAD_SIZE_MAX,
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
    TransferTypeConverter,
    WithSerializationContext,
    WorkflowSerializationContext,
    arguments_to_payloads,
    check_payload_sizes,
    encode_arguments,
    result_to_payloads,
    transfer_type_convertible,
    value_to_type,
)
from outlast.exceptions import PayloadSizeError

converter = DataConverter.default.payload_converter


async def charge(customer: str, order: Any) -> None: ...


class Method:
    async def run(self, customer: str, order: Any) -> None: ...


@pytest.mark.parametrize("function", [charge, Method.run])
def test_an_argument_that_cannot_travel_is_named(function: Any) -> None:
    with pytest.raises(TypeError) as caught:
        arguments_to_payloads(converter, ["c", {"x": object()}], "activity 'charge'", function)
    assert "argument 1 (order) of type dict of activity 'charge' cannot be converted" in str(caught.value)
    assert "Object of type object is not JSON serializable" in str(caught.value)


def test_without_a_function_the_position_is_named() -> None:
    with pytest.raises(TypeError, match=r"^argument 0 of type complex of signal 's'"):
        arguments_to_payloads(converter, [1j], "signal 's'")


def test_a_payload_of_the_limit_passes_and_one_byte_more_does_not() -> None:
    for size, refused in ((PAYLOAD_SIZE_MAX, False), (PAYLOAD_SIZE_MAX + 1, True)):
        values = ["c", b"x" * size]
        payloads = arguments_to_payloads(converter, values, "activity 'charge'", charge)
        if not refused:
            check_payload_sizes(payloads, values, "activity 'charge'", charge)
            continue
        with pytest.raises(
            PayloadSizeError, match=r"argument 1 \(order\) of type bytes .* takes 2,097,153 bytes"
        ) as caught:
            check_payload_sizes(payloads, values, "activity 'charge'", charge)
        assert (caught.value.size, caught.value.limit) == (PAYLOAD_SIZE_MAX + 1, PAYLOAD_SIZE_MAX)


class Shrinking(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(data=b"small") for _ in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise NotImplementedError


async def test_the_size_counts_after_the_codec() -> None:
    values = [b"x" * (PAYLOAD_SIZE_MAX + 1)]
    with pytest.raises(PayloadSizeError):
        await encode_arguments(DataConverter.default, values, "workflow 'W'")
    payloads = await encode_arguments(DataConverter(payload_codec=Shrinking()), values, "workflow 'W'")
    assert [p.data for p in payloads] == [b"small"]


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (int, "x", "expected int|float, got str 'x'"),
        (list[int], [1, "x"], "value[1]: expected int|float, got str 'x'"),
        (dict[str, list[Item]], {"a": [{"sku": 1}]}, "value['a'][0].sku: expected str, got int 1"),
        (dict[int, str], {"a": "b"}, "value.key('a'): ValueError: invalid literal"),
        (Item, [1], "expected dict for dataclass Item, got list [1]"),
        (Item | None, {"sku": "a", "quantity": None}, "value.quantity: expected int|float, got NoneType None"),
        (tuple[int, str], [1, "a", 2], "expected at most 2 items"),
        (Order, {"items": [{"colour": "red"}]}, "value.items[0].colour: expected int of enum Colour, got str 'red'"),
    ],
)
def test_a_mismatch_says_where(hint: Any, value: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        value_to_type(hint, value)
    assert message in str(caught.value)


def test_the_order_of_a_union_counts_although_unions_compare_equal() -> None:
    assert value_to_type(int | float, 1.5) == 1  # type: ignore[arg-type]
    assert value_to_type(float | int, 1.5) == 1.5  # type: ignore[arg-type]


@dataclasses.dataclass
class Tree:
    value: int
    children: list[Tree]


def test_a_type_may_contain_itself() -> None:
    assert value_to_type(Tree, {"value": 1, "children": [{"value": 2, "children": []}]}) == Tree(1, [Tree(2, [])])


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


class MoneyConverter(TransferTypeConverter[Money, int]):
    transfer_type = int

    def to_transfer_type(self, value: Money) -> int:
        return value.cents

    def from_transfer_type(self, value: int, type_hint: type[Money]) -> Money:
        return type_hint(value)


def test_transfer_types() -> None:
    transfer_type_convertible(MoneyConverter)(Money)
    payload = converter.to_payload(Money(5))
    assert payload.data == b"5"
    assert converter.from_payload(payload, Money).cents == 5
    with pytest.raises(TypeError, match="already has"):
        transfer_type_convertible(MoneyConverter)(Money)


class Tagging(EncodingPayloadConverter, WithSerializationContext):
    encoding = "test/tag"

    def __init__(self, tag: str = "") -> None:
        self.tag = tag

    def with_context(self, context: Any) -> Tagging:
        return Tagging(context.workflow_id)

    def to_payload(self, value: Any) -> Payload:
        return Payload(metadata={"encoding": b"test/tag"}, data=self.tag.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return payload.data.decode()


class TaggingChain(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(Tagging(), JSONPlainPayloadConverter())


async def test_context_reaches_the_parts_that_want_it() -> None:
    context = WorkflowSerializationContext(namespace="n", workflow_id="w")
    tagged = DataConverter(payload_converter_class=TaggingChain).with_context(context)
    assert (await tagged.encode([1]))[0].data == b"w"
    assert DataConverter.default.with_context(context) is DataConverter.default
    activity = ActivitySerializationContext("n", None, None, None, "w2", None, is_local=False)
    assert (await tagged.with_context(activity).encode([1]))[0].data == b"w2"


def test_a_result_that_cannot_travel_is_named() -> None:
    with pytest.raises(
        TypeError, match=r"the result of activity 'charge', of type object, cannot be .* Return a dataclass"
    ):
        result_to_payloads(converter, object(), "activity 'charge'")


async def test_a_forgotten_await_is_told() -> None:
    forgotten = charge("Ada", 1)
    try:
        with pytest.raises(TypeError, match=r"of type coroutine, cannot .* Write `await` before the call that gave it"):
            result_to_payloads(converter, forgotten, "workflow 'Order'")
        with pytest.raises(TypeError, match=r"argument 0 \(customer\) of type coroutine .* Write `await`"):
            arguments_to_payloads(converter, [forgotten], "activity 'charge'", charge)
    finally:
        forgotten.close()
