"""Types that travel in the converter tests. Not nested in functions, so that annotations can be resolved."""

from __future__ import annotations

import dataclasses
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal, NewType, TypedDict

Sku = NewType("Sku", str)


class Colour(IntEnum):
    RED = 1
    BLUE = 2


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


class Mixed(str, Enum):  # noqa: UP042  the older spelling is what users have
    A = "a"


class Point(TypedDict, total=False):
    x: int
    y: float


@dataclasses.dataclass
class Item:
    sku: Sku
    quantity: int
    price: float = 1.5
    colour: Colour | None = None


@dataclasses.dataclass(frozen=True)
class Order:
    id: uuid.UUID
    items: list[Item]
    placed_at: datetime
    sizes: dict[Size, tuple[int, ...]]
    by_number: Mapping[int, Item | None]
    pair: tuple[str, bool]
    tags: set[str]
    choice: Literal["yes", "no"]
    point: Point
    anything: Any
    queue: deque[int]
    parent: Order | None = None
    derived: str = dataclasses.field(init=False, default="d")


HINTS: Sequence[Any] = (
    None,
    Any,
    int,
    float,
    str,
    bool,
    bytes,
    type(None),
    datetime,
    uuid.UUID,
    object,
    Enum,
    list,
    list[int],
    list[str],
    list[Any],
    Sequence[int],
    tuple,
    tuple[int, str],
    tuple[int, ...],
    set[int],
    frozenset[str],
    deque[int],
    dict,
    dict[str, int],
    dict[int, str],
    dict[bool, int],
    dict[None, int],
    dict[Colour, int],
    dict[float, Any],
    dict[Size, int],
    Mapping[str, list[int]],
    int | None,
    int | str,
    str | int,
    list[int] | dict[str, int],
    Literal["a", 1],
    Sku,
    Colour,
    Size,
    Mixed,
    Point,
    Item,
    Order,
    Item | Point,
    list[Item | None],
    dict[str, Item],
)
