"""Policies, search attributes, versions and type hints, against the installed temporalio."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import temporalio.api.common.v1
import temporalio.common
import temporalio.converter
from hypothesis import given
from hypothesis import strategies as st

import outlast.api.common.v1 as common_api
import outlast.common
import outlast.converter
from outlast.common import (
    MetricMeter,
    Priority,
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
    _arg_or_args,
    _arg_unset,
    _type_hints_from_func,
)

durations = st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=300))


def outcome(module: Any, message: Any, fields: dict[str, Any]) -> Any:
    try:
        module.RetryPolicy(**fields).apply_to_proto(message)
    except ValueError as err:
        return str(err)
    return message.SerializeToString(deterministic=True)


@given(
    st.fixed_dictionaries(
        {
            "initial_interval": durations,
            "backoff_coefficient": st.floats(0, 5),
            "maximum_interval": st.none() | durations,
            "maximum_attempts": st.integers(-2, 4),
            "non_retryable_error_types": st.none() | st.lists(st.text(max_size=3), max_size=2),
        }
    )
)
def test_retry_policies_are_checked_and_written_alike(fields: dict[str, Any]) -> None:
    mine = outcome(outlast.common, common_api.RetryPolicy(), fields)
    reference = outcome(temporalio.common, temporalio.api.common.v1.RetryPolicy(), fields)
    assert mine == reference


def test_a_retry_policy_comes_back() -> None:
    policy = RetryPolicy(timedelta(seconds=2), 1.5, timedelta(seconds=9), 3, ["A"])
    message = common_api.RetryPolicy()
    policy.apply_to_proto(message)
    assert RetryPolicy.from_proto(message) == policy
    assert RetryPolicy.from_proto(common_api.RetryPolicy()).maximum_interval is None


VALUES: list[tuple[str, Any]] = [
    ("for_text", "a b"),
    ("for_keyword", "a"),
    ("for_int", 5),
    ("for_float", 2.0),
    ("for_bool", True),
    ("for_datetime", datetime(2024, 1, 2, tzinfo=UTC)),
    ("for_keyword_list", ["a", "b"]),
]


def collection(module: Any, values: list[tuple[str, Any]]) -> Any:
    pairs = [module.SearchAttributePair(getattr(module.SearchAttributeKey, kind)(f"K{kind}"), v) for kind, v in values]
    return module.TypedSearchAttributes(pairs)


def test_search_attributes_are_written_alike_and_come_back() -> None:
    mine, reference = common_api.SearchAttributes(), temporalio.api.common.v1.SearchAttributes()
    outlast.converter.encode_search_attributes(collection(outlast.common, VALUES), mine)
    temporalio.converter.encode_search_attributes(collection(temporalio.common, VALUES), reference)
    assert mine.SerializeToString(deterministic=True) == reference.SerializeToString(deterministic=True)
    assert outlast.converter.decode_typed_search_attributes(mine) == collection(outlast.common, VALUES)
    assert outlast.converter.decode_search_attributes(mine) == temporalio.converter.decode_search_attributes(reference)


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("for_int", "5", TypeError),
        ("for_keyword_list", ["a", 1], TypeError),
        ("for_datetime", datetime(2024, 1, 2), ValueError),
    ],
)
def test_values_that_do_not_fit_their_key_are_refused(kind: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        outlast.converter.encode_typed_search_attribute_value(getattr(SearchAttributeKey, kind)("K"), value)


def test_a_collection_is_sorted_unique_and_replaced_by_name() -> None:
    first, second = SearchAttributeKey.for_int("A"), SearchAttributeKey.for_keyword("B")
    attributes = TypedSearchAttributes([SearchAttributePair(second, "x"), SearchAttributePair(first, 1)])
    assert [pair.key.name for pair in attributes] == ["A", "B"]
    assert attributes[first] == 1
    assert attributes.get(SearchAttributeKey.for_text("B"), "none") == "none"
    assert SearchAttributeKey.for_text("B") not in attributes
    updated = attributes.updated(SearchAttributePair(SearchAttributeKey.for_text("B"), "y"))
    assert updated[SearchAttributeKey.for_text("B")] == "y"
    assert len(updated) == 2
    with pytest.raises(ValueError, match="Duplicate"):
        TypedSearchAttributes([SearchAttributePair(first, 1), SearchAttributePair(first, 2)])


@pytest.mark.parametrize("values", [[], ["a"], ["a", "b"], [1], [1, 2], [1.5], [True], [datetime(2024, 1, 2)]])
def test_types_of_untyped_values_are_guessed_alike(values: Any) -> None:
    mine = SearchAttributeKey._guess_from_untyped_values("K", values)
    reference = temporalio.common.SearchAttributeKey._guess_from_untyped_values("K", values)
    assert (mine and mine.indexed_value_type.name) == (reference and reference.indexed_value_type.name)


def test_raw_values_can_be_pickled() -> None:
    raw = RawValue(common_api.Payload(metadata={"encoding": b"x"}, data=b"y"))
    assert pickle.loads(pickle.dumps(raw)) == raw


def test_priority_is_checked() -> None:
    with pytest.raises(TypeError):
        Priority(priority_key="1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive"):
        Priority(priority_key=0)
    assert Priority._from_proto(Priority(2, "t", 0.5)._to_proto()) == Priority(2, "t", 0.5)


@pytest.mark.parametrize("name", ["Pinned", "AutoUpgrade", "OneTime"])
def test_versioning_overrides_are_written_alike(name: str) -> None:
    def make(module: Any) -> bytes:
        version = module.WorkerDeploymentVersion("d", "b.1")
        args = () if name == "AutoUpgrade" else (version,)
        message = getattr(module, f"{name}VersioningOverride")(*args)._to_proto()
        return bytes(message.SerializeToString(deterministic=True))

    assert make(outlast.common) == make(temporalio.common)


def test_versions_as_text() -> None:
    version = WorkerDeploymentVersion("d", "b.1")
    assert WorkerDeploymentVersion.from_canonical_string(version.to_canonical_string()) == version
    with pytest.raises(ValueError, match="Cannot parse"):
        WorkerDeploymentVersion.from_canonical_string("d")


class Callables:
    def method(self, a: int, b) -> str: ...  # type: ignore[no-untyped-def,empty-body]
    def keyword(self, a: int, *, b: int) -> str: ...  # type: ignore[empty-body]
    def __call__(self, a: Sequence[RawValue]) -> None: ...


def function(a: int | None, b: list[str] = []) -> None: ...


@pytest.mark.parametrize(
    "target",
    [Callables.method, Callables().method, Callables.keyword, Callables(), Callables, function, lambda x: x, len],
)
def test_hints_are_read_alike(target: Any) -> None:
    def read(reader: Any) -> Any:
        try:
            return reader(target)
        except (TypeError, ValueError) as err:
            return type(err)

    assert read(_type_hints_from_func) == read(temporalio.common._type_hints_from_func)


def test_arg_and_args_exclude_each_other() -> None:
    assert list(_arg_or_args(None, [])) == [None]
    assert list(_arg_or_args(_arg_unset, [1, 2])) == [1, 2]
    with pytest.raises(ValueError, match="Cannot have"):
        _arg_or_args(1, [2])
    with pytest.raises(TypeError, match=r"args is one str, but takes a sequence of arguments; write args=\['Ada'\]"):
        _arg_or_args(_arg_unset, "Ada")


def test_the_meter_that_counts_nothing_takes_everything() -> None:
    meter = MetricMeter.noop.with_additional_attributes({"a": 1})
    counter = meter.create_counter("c", "d", "u")
    counter.with_additional_attributes({"b": 2}).add(1)
    meter.create_histogram_timedelta("h").record(timedelta(seconds=1))
    meter.create_gauge_float("g").set(1.5)
    assert (counter.name, counter.description, counter.unit) == ("c", "d", "u")
