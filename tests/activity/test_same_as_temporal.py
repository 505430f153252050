"""The public names of the package, and the fields of its values, are temporalio's."""

from __future__ import annotations

import dataclasses
import inspect

import temporalio.activity

from outlast import activity


def test_every_public_name_is_there() -> None:
    theirs = {
        name
        for name, value in vars(temporalio.activity).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == "temporalio.activity"
    } | {"logger"}
    assert theirs - set(activity.__all__) == set()


def test_fields_of_info_and_details() -> None:
    for name in ("Info", "ActivityCancellationDetails"):
        ours, theirs = getattr(activity, name), getattr(temporalio.activity, name)
        assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]


def test_parameters_of_the_functions() -> None:
    for name in activity.__all__:
        theirs = getattr(temporalio.activity, name)
        if inspect.isfunction(theirs):
            assert list(inspect.signature(getattr(activity, name)).parameters) == list(
                inspect.signature(theirs).parameters
            ), name
