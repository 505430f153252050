"""A list filter's text becomes the values that stores answer.

Rule: an error points at the character and names the cure. Limits keep what a store is asked small.

    parse("WorkflowType = 'Order' AND CloseTime IS NULL ORDER BY StartTime DESC", custom)

Source: rules 3.11.4 to 3.11.7; common/persistence/visibility/store/query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from importlib import resources
from typing import Any, Final, NoReturn

import msgspec
from lark import Lark, Token, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from outlast.api.enums import v1 as _e
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.filters import And, Attribute, Column, Condition, Field, Filter, Op, Or, Order, Scalar
from outlast.vocab.search_attributes import PREDEFINED, RESERVED_PREFIX, SYSTEM, TYPE_NAMES, BadValue, words

from .names import ACTIVITY_COLUMNS, COLUMNS, resolve, resolve_activity, similar
from .values import ACTIVITY_STATUS_NAMES, STATUS_NAMES, convert

_DIVISION: Final = "TemporalNamespaceDivision"
_UNDIVIDED: Final = Condition(Attribute(_DIVISION, PREDEFINED[_DIVISION]), Op.IS_NULL)
_PARENTS: Final = (Column.PARENT_WORKFLOW_ID, Column.PARENT_RUN_ID)

_OPPOSITE: Final[Mapping[Op, Op]] = {
    a: b
    for one, other in (
        (Op.EQ, Op.NE),
        (Op.LT, Op.GE),
        (Op.GT, Op.LE),
        (Op.IN, Op.NOT_IN),
        (Op.STARTS_WITH, Op.NOT_STARTS_WITH),
        (Op.IS_NULL, Op.IS_NOT_NULL),
    )
    for a, b in ((one, other), (other, one))
}
assert set(_OPPOSITE) == set(Op)

_EQUALITY: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN})
_NULLNESS: Final = frozenset({Op.IS_NULL, Op.IS_NOT_NULL})

_CURES: Final = {
    "like": "there is no LIKE; use STARTS_WITH, or = on a Text attribute",
    "limit": "there is no LIMIT; ask for a page size",
    "offset": "there is no OFFSET; pass the token of the page before",
    "having": "there is no HAVING",
    "select": "write only what would follow WHERE",
    "where": "leave WHERE out; the query begins with the condition",
    "==": "use = for equality",
}


_OF_SCHEDULES: Final = ("ScheduleId", "SchedulePaused")


class ListQuery(msgspec.Struct, frozen=True):
    """What a query asks for: ``where`` None = everything; ``order`` None = the order that lists have by themselves."""

    where: Filter | None
    order: Order | None
    by_status: bool
    """Whether counts are to be grouped by status."""


def parse(text: str, custom: Mapping[str, int]) -> ListQuery:
    """Read a list filter.

    What belongs to other divisions of a namespace (schedules, batch jobs) is left out unless the filter speaks of
    ``TemporalNamespaceDivision``.

    Args:
        text: the query, may be empty.
        custom: the namespace's own search attributes, name -> INDEXED_VALUE_TYPE_*.

    Raises:
        InvalidArgument: it is no list filter, names what there is not, or compares what cannot be compared.
    """

    return _Reader(text, partial(resolve, custom=custom), partial(_cure, custom, COLUMNS)).read(_UNDIVIDED)


def parse_activities(text: str, custom: Mapping[str, int]) -> ListQuery:
    """Read a list filter over standalone activities: ``ActivityId``, ``ActivityType``, and statuses of activities.

    Raises:
        InvalidArgument: as ``parse``.
    """
    resolved = partial(resolve_activity, custom=custom)
    return _Reader(text, resolved, partial(_cure, custom, ACTIVITY_COLUMNS), ACTIVITY_STATUS_NAMES).read(None)


def _cure(custom: Mapping[str, int], columns: Iterable[str], name: str) -> str:
    near = similar(name, custom, columns)
    return f"did you mean {near}?" if near else "register it with AddSearchAttributes"


def parse_schedules(text: str, custom: Mapping[str, int]) -> ListQuery:
    """Read a list filter over schedules: by id, by whether they are paused, and by the namespace's own attributes.

    Args, Raises: as ``parse``; what else workflows are found by is refused.
    """
    own = partial(resolve, custom=custom)
    return _Reader(
        text,
        lambda name: own(name) if name in custom or name.removeprefix(RESERVED_PREFIX) in _OF_SCHEDULES else None,
        lambda name: (
            f"schedules are found by {', '.join(_OF_SCHEDULES)} and by search attributes that the namespace registered"
        ),
    ).read(None)


def parse_fields(text: str, fields: Mapping[str, int]) -> Filter | None:
    """Read a filter over other things than workflows, such as workers; None = everything.

    Args:
        fields: what there is to compare, name -> INDEXED_VALUE_TYPE_*.

    Raises:
        InvalidArgument: as ``parse``; also for an order or groups.
    """
    asked = _Reader(
        text,
        lambda name: Attribute(name, fields[name]) if name in fields else None,
        lambda name: f"there are {', '.join(fields)}",
    ).read(None)
    if asked.order is not None or asked.by_status:
        raise InvalidArgument("list filter: it has no ORDER BY and no GROUP BY here; leave them out")
    return asked.where


@cache
def _parser() -> Lark:
    grammar = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=True)


class _Reader:
    """Reads one query."""

    __slots__ = ("_comparisons", "_cure", "_divided", "_resolve", "_statuses", "_text")

    def __init__(
        self,
        text: str,
        resolve: Callable[[str], Field | None],
        cure: Callable[[str], str],
        statuses: Mapping[int, str] = STATUS_NAMES,
    ) -> None:
        self._statuses = statuses
        self._text = text
        self._resolve = resolve
        self._cure = cure
        self._comparisons = 0
        self._divided = False

    def read(self, undivided: Condition | None) -> ListQuery:
        """The whole query, with ``undivided`` unless it speaks of divisions."""
        if len(self._text.encode()) > limits.VISIBILITY_QUERY_BYTES_MAX:
            raise InvalidArgument(
                f"list filter: it is longer than {limits.VISIBILITY_QUERY_BYTES_MAX} bytes; ask in several queries"
            )
        try:
            expression, order_by, group_by = _parser().parse(self._text).children
        except UnexpectedInput as error:
            self._misread(error)
        where = self._filter(expression, 0) if expression is not None else None
        if undivided is not None and not self._divided:
            where = And((*_conjuncts(where), undivided))
        order = self._order(order_by) if order_by is not None else None
        return ListQuery(where, order, self._groups(group_by) if group_by is not None else False)

    # -- conditions ----------------------------------------------------------------------------------------------

    def _filter(self, tree: Any, depth: int) -> Filter:
        if depth > limits.VISIBILITY_NESTING_MAX:
            raise InvalidArgument(
                f"list filter: parentheses and NOT are nested deeper than {limits.VISIBILITY_NESTING_MAX} levels"
            )
        if tree.data in _JOINTS:
            parts = tuple(self._filter(part, depth + 1) for part in tree.children)
            return parts[0] if len(parts) == 1 else _JOINTS[tree.data](parts)
        if tree.data == "negation":
            return _negated(self._filter(tree.children[0], depth + 1))
        self._comparisons += 1
        if self._comparisons > limits.VISIBILITY_COMPARISONS_MAX:
            raise InvalidArgument(
                f"list filter: it has more than {limits.VISIBILITY_COMPARISONS_MAX} comparisons; "
                "use IN for many values of one attribute"
            )
        name = tree.children[0].children[0]
        return self._comparison(tree.data, name, self._field(name), tree.children[1:])

    def _comparison(self, rule: str, name: Token, field: Field, rest: list[Any]) -> Filter:
        if rule == "compare":
            return self._compare(_OPERATORS[rest[0].value], name, field, rest[1:])
        if rule in ("between", "not_between"):
            within = And(
                (self._compare(Op.GE, name, field, rest[:1]), self._compare(Op.LE, name, field, rest[1:])),
            )
            return within if rule == "between" else _negated(within)
        return self._compare(_RULES[rule], name, field, rest)

    def _compare(self, op: Op, name: Token, field: Field, operands: list[Any]) -> Filter:
        self._check_operator(op, name, field)
        if op in _NULLNESS:
            if field in _PARENTS:
                return Condition(field, Op.EQ if op is Op.IS_NULL else Op.NE, "")
            return Condition(field, op)
        values = tuple(self._value(operand.children[0], name, field) for operand in operands)
        if isinstance(field, Attribute) and field.type == _e.INDEXED_VALUE_TYPE_TEXT:
            return Condition(field, Op.IN if op is Op.EQ else Op.NOT_IN, words(str(values[0])))
        condition = Condition(field, op, values if op in (Op.IN, Op.NOT_IN) else values[0])
        if field in _PARENTS and op in (Op.NE, Op.NOT_IN, Op.NOT_STARTS_WITH):
            return And((condition, Condition(field, Op.NE, "")))
        return condition

    def _check_operator(self, op: Op, name: Token, field: Field) -> None:
        if op in _NULLNESS:
            return
        if field is Column.STATUS:
            allowed: Iterable[Op] = _EQUALITY
        elif isinstance(field, Attribute) and field.type == _e.INDEXED_VALUE_TYPE_TEXT:
            allowed = (Op.EQ, Op.NE)
        elif isinstance(field, Attribute) and field.type in _ONLY_EQUALITY:
            allowed = _EQUALITY
        elif field.kind is str:
            return
        else:
            allowed = set(Op) - {Op.STARTS_WITH, Op.NOT_STARTS_WITH}
        if op not in allowed:
            able = ", ".join(each.value for each in Op if each in allowed)
            self._refuse(name, f"{name.value} is a {self._type_name(field)} and has no {op.value}; it has {able}")

    def _value(self, token: Token, name: Token, field: Field) -> Scalar:
        try:
            return convert(_literal(token), field, self._statuses)
        except BadValue as error:
            self._refuse(token, f"{name.value} is a {self._type_name(field)}: {error}")

    def _type_name(self, field: Field) -> str:
        if isinstance(field, Attribute):
            return TYPE_NAMES[field.type]
        return TYPE_NAMES[next(SYSTEM[name] for name, column in COLUMNS.items() if column is field)]

    def _field(self, token: Token) -> Field:
        name = token.value.strip("`")
        field = self._resolve(name)
        if field is None:
            self._refuse(token, f"{name!r} is no search attribute here; {self._cure(name)}")
        if isinstance(field, Attribute) and field.name == _DIVISION:
            self._divided = True
        return field

    # -- order and groups ----------------------------------------------------------------------------------------

    def _order(self, tree: Any) -> Order:
        columns: list[Field] = []
        directions: list[bool] = []
        for sort in tree.children:
            named, direction = sort.children
            name = named.children[0]
            field = self._field(name)
            if not field.sortable:
                self._refuse(name, f"{name.value} is a {self._type_name(field)}, by which nothing can be ordered")
            descending = direction is not None and direction.type == "DESC"
            if directions and descending != directions[0]:
                self._refuse(name, "one ORDER BY goes in one direction; write ASC or DESC after every name")
            columns.append(field)
            directions.append(descending)
        return Order(tuple(columns), directions[0])

    def _groups(self, tree: Any) -> bool:
        names: list[Token] = [named.children[0] for named in tree.children]
        for name in names:
            if self._field(name) is not Column.STATUS:
                self._refuse(name, "counts are grouped by ExecutionStatus only")
        if len(names) > 1:
            self._refuse(names[1], "counts are grouped by one attribute")
        return True

    # -- errors --------------------------------------------------------------------------------------------------

    def _misread(self, error: UnexpectedInput) -> NoReturn:
        opening = _STATEMENT.match(self._text)
        if opening:
            self._point(opening.start(1), f"{opening[1]!r} is not expected here; {_CURES[opening[1].lower()]}")
        if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
            self._point(len(self._text), f"the query ends too early; {_expected(error)}")
        assert isinstance(error, UnexpectedCharacters | UnexpectedToken)
        at = error.pos_in_stream or 0
        if self._text[max(0, at - 1) : at + 1] == "==":
            at -= 1
        found = re.match(r"\w+|==|.", self._text[at:], re.DOTALL)
        word = found.group() if found else ""
        if word in ("'", '"'):
            self._point(at, f"a string that begins here does not end; close it with {word}")
        self._point(at, f"{word!r} is not expected here; {_CURES.get(word.lower()) or _expected(error)}")

    def _refuse(self, token: Token, why: str) -> NoReturn:
        self._point(token.start_pos or 0, why)

    def _point(self, at: int, why: str) -> NoReturn:
        begin = max(0, at - _SHOWN_BEFORE)
        line = re.sub(r"\s", " ", self._text[begin : at + _SHOWN_AFTER])
        raise InvalidArgument(f"list filter, character {at + 1}: {why}\n  {line}\n  {' ' * (at - begin)}^")


_SHOWN_BEFORE, _SHOWN_AFTER = 60, 40

_JOINTS: Final[Mapping[str, Callable[[tuple[Filter, ...]], Filter]]] = {"any_of": Or, "all_of": And}

_ONLY_EQUALITY: Final = (_e.INDEXED_VALUE_TYPE_KEYWORD_LIST, _e.INDEXED_VALUE_TYPE_BOOL)

_OPERATORS: Final = {op.value: op for op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)} | {"<>": Op.NE}

_RULES: Final = {
    "among": Op.IN,
    "not_among": Op.NOT_IN,
    "starts_with": Op.STARTS_WITH,
    "not_starts_with": Op.NOT_STARTS_WITH,
    "is_null": Op.IS_NULL,
    "is_not_null": Op.IS_NOT_NULL,
}

_KINDS: Final = {
    "NAME": "a search attribute",
    "OPERATOR": "an operator such as = or >",
    "STRING": "a value (a string in quotes, a number, true or false)",
    "RPAR": "a closing parenthesis",
    "LPAR": "a list in parentheses",
    "COMMA": "a comma",
    "_AND": "AND",
    "_OR": "OR",
    "_NULL": "NULL",
    "_BY": "BY",
    "_ORDER": "ORDER BY",
}


def _expected(error: UnexpectedInput) -> str:
    able = getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None) or ()
    kinds = [words_ for terminal, words_ in _KINDS.items() if terminal in able]
    if not kinds:
        return "a condition is such as WorkflowType = 'Order'"
    return "expected " + (kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} or {kinds[-1]}")


def _literal(token: Token) -> Scalar:
    text = token.value
    if token.type == "STRING":
        quote = text[0]
        return _ESCAPE.sub(lambda found: found.group()[1], text[1:-1].replace(quote * 2, quote))
    if token.type == "TRUTH":
        return bool(text.lower() == "true")
    try:
        return int(text)
    except ValueError:
        return float(text)


_STATEMENT: Final = re.compile(r"\s*(select|where)\b", re.IGNORECASE)
"""How a query begins that is a whole SQL statement."""

_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)


def _conjuncts(where: Filter | None) -> tuple[Filter, ...]:
    """The parts that all have to hold, on the top level, where stores look for what finds the rows."""
    if where is None:
        return ()
    if not isinstance(where, And):
        return (where,)
    return tuple(each for part in where.parts for each in _conjuncts(part))


def _negated(where: Filter) -> Filter:
    """The filter that holds where this one does not, and a value is there to be compared."""
    if isinstance(where, And):
        return Or(tuple(_negated(part) for part in where.parts))
    if isinstance(where, Or):
        return And(tuple(_negated(part) for part in where.parts))
    return Condition(where.column, _OPPOSITE[where.op], where.value)
