"""What ``@activity.defn`` takes and refuses, compared with temporalio where it has a rule."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from outlast import activity
from outlast.activity._definition import Definition
from outlast.common import RawValue


@activity.defn
async def pay(amount: int, currency: str) -> bool:
    return amount > 0


@activity.defn(name="refund-v2", no_thread_cancel_exception=True)
def refund(amount: int) -> None: ...


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> str:
    return str(len(args))


class Shop:
    @activity.defn
    def sell(self, what: str) -> int:
        return 1


@activity.defn
class Callable_:
    async def __call__(self, x: int) -> int:
        return x


def test_a_function_is_still_the_function() -> None:
    assert pay.__name__ == "pay"


def test_name_kind_and_hints() -> None:
    definition = Definition.must_from_callable(pay)
    assert (definition.name, definition.is_async) == ("pay", True)
    assert (definition.arg_types, definition.ret_type) == ([int, str], bool)


def test_options() -> None:
    definition = Definition.must_from_callable(refund)
    assert (definition.name, definition.is_async, definition.no_thread_cancel_exception) == ("refund-v2", False, True)


def test_a_bound_method_runs_on_its_instance() -> None:
    shop = Shop()
    definition = Definition.must_from_callable(shop.sell)
    assert definition.fn == shop.sell
    assert definition.arg_types == [str]


def test_an_instance_of_a_decorated_class() -> None:
    definition = Definition.must_from_callable(Callable_())
    assert (definition.name, definition.is_async, definition.arg_types) == ("Callable_", True, [int])


def test_dynamic_has_no_name() -> None:
    assert Definition.must_from_callable(anything).name is None


def test_dynamic_with_other_parameters_is_refused() -> None:
    async def wrong(x: int) -> None: ...

    with pytest.raises(TypeError, match=r"Sequence\[.*wrong does not"):
        activity.defn(dynamic=True)(wrong)


def test_dynamic_and_name_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="no name of its own"):
        activity.defn(name="x", dynamic=True)(lambda args: None)  # type: ignore[call-overload]


def test_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="already contains activity definition"):
        activity.defn(pay)


def test_keyword_only_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match=r"keyword-only.*'y'"):

        @activity.defn
        async def wrong(x: int, *, y: int) -> None: ...


def test_what_is_not_decorated_names_the_cure() -> None:
    def plain() -> None: ...

    with pytest.raises(TypeError, match=r"plain missing attributes, was it decorated with @activity.defn\?"):
        Definition.must_from_callable(plain)
