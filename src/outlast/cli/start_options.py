"""What is said about everything that can be started, workflow or activity: how it is found, shown and served."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.common.v1 import Payload, Priority, SearchAttributes
from outlast.api.sdk.v1 import UserMetadata

from . import values
from .inputs import HEADERS, header, json_pairs
from .options import Option, with_options

COMMON_START_OPTIONS: Final[Option] = with_options(
    click.option("--search-attribute", multiple=True, callback=json_pairs, help="NAME=JSON; repeatable."),
    HEADERS,
    click.option("--static-summary", default="", help="One line for the UI."),
    click.option("--static-details", default="", help="Text for the UI."),
    click.option("--priority-key", type=click.IntRange(1), help="1 is served first."),
    click.option("--fairness-key", default="", help="Group with which the task queue is shared fairly."),
    click.option("--fairness-weight", type=float, help="Weight of that group."),
)

COMMON_START_NAMES: Final = (
    "search_attribute",
    "headers",
    "static_summary",
    "static_details",
    "priority_key",
    "fairness_key",
    "fairness_weight",
)


def fill_common(request: Any, taken: dict[str, Any]) -> None:
    """Write these options into a request that starts something."""
    if taken["headers"]:
        request.header.CopyFrom(header(taken["headers"]))
    if taken["search_attribute"]:
        request.search_attributes.CopyFrom(SearchAttributes(indexed_fields=taken["search_attribute"]))
    if taken["static_summary"] or taken["static_details"]:
        request.user_metadata.CopyFrom(_metadata(taken["static_summary"], taken["static_details"]))
    if taken["priority_key"] or taken["fairness_key"] or taken["fairness_weight"] is not None:
        request.priority.CopyFrom(
            Priority(
                priority_key=taken["priority_key"] or 0,
                fairness_key=taken["fairness_key"],
                fairness_weight=taken["fairness_weight"] or 0,
            )
        )


def _metadata(summary: str, details: str) -> UserMetadata:
    metadata = UserMetadata()
    for text, payload in ((summary, metadata.summary), (details, metadata.details)):
        if text:
            payload.CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=values.compact(text).encode()))
    return metadata


def titled(data: dict[str, str]) -> dict[str, str]:
    """What JSON says of something that was started, under the names of cards: ``RunId`` for ``runId``."""
    return {name[0].upper() + name[1:]: value for name, value in data.items()}
