"""The list filter: what a text asks for, and where it is refused."""

from __future__ import annotations

import pytest

from outlast.api.enums import v1 as e
from outlast.engine.visibility.query import parse
from outlast.vocab import limits
from outlast.vocab.errors import InvalidArgument
from outlast.vocab.filters import And, Attribute, Column, Condition, Filter, Op, Or, Order

CUSTOM = {
    "Customer": e.INDEXED_VALUE_TYPE_KEYWORD,
    "Note": e.INDEXED_VALUE_TYPE_TEXT,
    "Tags": e.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Amount": e.INDEXED_VALUE_TYPE_DOUBLE,
    "Count": e.INDEXED_VALUE_TYPE_INT,
    "Paid": e.INDEXED_VALUE_TYPE_BOOL,
    "Due-Date": e.INDEXED_VALUE_TYPE_DATETIME,
    "TaskQueue": e.INDEXED_VALUE_TYPE_INT,
}
ATTRIBUTES = {name: Attribute(name, type_) for name, type_ in CUSTOM.items()}
UNDIVIDED = Condition(Attribute("TemporalNamespaceDivision", e.INDEXED_VALUE_TYPE_KEYWORD), Op.IS_NULL)
NOON = 1_769_860_800_000_000_000


def asked(text: str) -> Filter:
    """The filter, without what hides other divisions."""
    where = parse(text, CUSTOM).where
    assert isinstance(where, And) and where.parts[-1] == UNDIVIDED
    rest = where.parts[:-1]
    return rest[0] if len(rest) == 1 else And(rest)


C, A = Condition, ATTRIBUTES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WorkflowId = 'a'", C(Column.WORKFLOW_ID, Op.EQ, "a")),
        ('WorkflowType != "Order"', C(Column.WORKFLOW_TYPE, Op.NE, "Order")),
        ("`WorkflowType`<>'it''s'", C(Column.WORKFLOW_TYPE, Op.NE, "it's")),
        (r"WorkflowId = 'a\'b\\'", C(Column.WORKFLOW_ID, Op.EQ, "a'b\\")),
        ("ScheduleId = 's'", C(Column.WORKFLOW_ID, Op.EQ, "s")),
        ("ExecutionStatus = 'running'", C(Column.STATUS, Op.EQ, 1)),
        ("ExecutionStatus IN ('TimedOut', 'ContinuedAsNew', 3)", C(Column.STATUS, Op.IN, (7, 6, 3))),
        ("StartTime > '2026-01-31T12:00:00Z'", C(Column.START_TIME, Op.GT, NOON)),
        ("StartTime >= '2026-01-31T13:00:00.000000001+01:00'", C(Column.START_TIME, Op.GE, NOON + 1)),
        (f"CloseTime < {NOON}", C(Column.CLOSE_TIME, Op.LT, NOON)),
        ("ExecutionDuration > '1d1h30m0.5s'", C(Column.EXECUTION_DURATION, Op.GT, 91_800_500_000_000)),
        ("ExecutionDuration > '25:30:00'", C(Column.EXECUTION_DURATION, Op.GT, 91_800_000_000_000)),
        ("ExecutionDuration <= 7", C(Column.EXECUTION_DURATION, Op.LE, 7)),
        ("HistoryLength = '3'", C(Column.HISTORY_LENGTH, Op.EQ, 3)),
        ("ParentWorkflowId IS NULL", C(Column.PARENT_WORKFLOW_ID, Op.EQ, "")),
        ("ParentWorkflowId is not null", C(Column.PARENT_WORKFLOW_ID, Op.NE, "")),
        ("Customer starts_with 'a'", C(A["Customer"], Op.STARTS_WITH, "a")),
        ("Customer NOT STARTS_WITH 'a'", C(A["Customer"], Op.NOT_STARTS_WITH, "a")),
        ("Note = 'Hello, hello World'", C(A["Note"], Op.IN, ("hello", "world"))),
        ("Tags NOT IN ('a', 'b')", C(A["Tags"], Op.NOT_IN, ("a", "b"))),
        ("Amount = 1", C(A["Amount"], Op.EQ, 1.0)),
        ("Amount < -.5e1", C(A["Amount"], Op.LT, -5.0)),
        ("Paid = true", C(A["Paid"], Op.EQ, True)),
        ("`Due-Date` = '2026-01-31T12:00:00Z'", C(A["Due-Date"], Op.EQ, NOON)),
        ("TaskQueue = 1", C(A["TaskQueue"], Op.EQ, 1)),
        ("SchedulePaused = false", C(Attribute("TemporalSchedulePaused", e.INDEXED_VALUE_TYPE_BOOL), Op.EQ, False)),
        ("TemporalBuildIds = 'b'", C(Attribute("BuildIds", e.INDEXED_VALUE_TYPE_KEYWORD_LIST), Op.EQ, "b")),
        ("Count BETWEEN 1 AND 2", And((C(A["Count"], Op.GE, 1), C(A["Count"], Op.LE, 2)))),
        ("Count NOT BETWEEN 1 AND 2", Or((C(A["Count"], Op.LT, 1), C(A["Count"], Op.GT, 2)))),
        (
            "NOT (Count = 1 OR NOT Paid = true AND Tags IS NULL)",
            And((C(A["Count"], Op.NE, 1), Or((C(A["Paid"], Op.EQ, True), C(A["Tags"], Op.IS_NOT_NULL))))),
        ),
        (
            "Count = 1 and Count = 2 or Count = 3",
            Or((And((C(A["Count"], Op.EQ, 1), C(A["Count"], Op.EQ, 2))), C(A["Count"], Op.EQ, 3))),
        ),
    ],
)
def test_filters(text: str, expected: Filter) -> None:
    assert asked(text) == expected


def test_an_empty_query_hides_other_divisions_only() -> None:
    assert parse("  ", CUSTOM) == parse("", CUSTOM)
    assert parse("", CUSTOM).where == And((UNDIVIDED,))
    assert parse("TemporalNamespaceDivision = 'x'", CUSTOM).where == C(UNDIVIDED.column, Op.EQ, "x")
    assert parse("NamespaceDivision IS NULL", CUSTOM).where == UNDIVIDED


def test_orders_and_groups() -> None:
    assert parse("ORDER BY StartTime", CUSTOM).order == Order((Column.START_TIME,))
    assert parse("Paid = true order by Amount DESC, RunId desc", CUSTOM).order == Order(
        (A["Amount"], Column.RUN_ID), descending=True
    )
    assert parse("GROUP BY ExecutionStatus", CUSTOM).by_status
    assert not parse("Paid = true", CUSTOM).by_status


@pytest.mark.parametrize(
    ("text", "character", "message"),
    [
        ("WorkflowTyp = 'x'", 1, "did you mean WorkflowType?"),
        ("Zzz = 1", 1, "'Zzz' is no search attribute here; register it with AddSearchAttributes"),
        ("Paid = true AND workflowtype = 'x'", 17, "did you mean WorkflowType?"),
        ("WorkflowType LIKE 'x%'", 14, "there is no LIKE; use STARTS_WITH"),
        ("Paid = true LIMIT 3", 13, "there is no LIMIT; ask for a page size"),
        ("WHERE Paid = true", 1, "leave WHERE out"),
        ("WorkflowType == 'x'", 14, "use = for equality"),
        ("WorkflowType = Order", 16, "expected a value"),
        ("WorkflowType = 'x", 16, "a string that begins here does not end"),
        ("WorkflowType", 13, "the query ends too early; expected an operator"),
        ("(Paid = true", 13, "expected a closing parenthesis"),
        ("Paid = true)", 12, "')' is not expected here"),
        ("Paid = true Tags = 'x'", 13, "'Tags' is not expected here; expected AND, OR or ORDER BY"),
        ("Customer IN ('a',)", 18, "expected a value"),
        ("Tags > 'x'", 1, "Tags is a KeywordList and has no >; it has =, !=, IN, NOT IN"),
        ("Note STARTS_WITH 'x'", 1, "Note is a Text and has no STARTS_WITH; it has =, !="),
        ("Count STARTS_WITH '1'", 1, "Count is a Int and has no STARTS_WITH"),
        ("Count = 'x'", 9, "'x' is no whole number"),
        ("Count = 9223372036854775808", 9, "does not fit into 64 bits"),
        ("Amount = 'x'", 10, "Amount is a Double: 'x' is no number"),
        ("Paid = 1", 8, "1 is neither true nor false"),
        ("Customer = 1", 12, "1 is no string; put it in quotes"),
        ("ExecutionStatus = 'Runing'", 19, "there are Running, Completed, Failed"),
        ("ExecutionStatus > 'Running'", 1, "has no >"),
        ("StartTime > 'yesterday'", 13, "write it like 2026-01-31T12:00:00Z"),
        ("ExecutionDuration > 'long'", 21, "write it like '1h30m'"),
        ("ORDER BY Note", 10, "Note is a Text, by which nothing can be ordered"),
        ("ORDER BY StartTime DESC, RunId", 26, "one ORDER BY goes in one direction"),
        ("GROUP BY WorkflowType", 10, "counts are grouped by ExecutionStatus only"),
        ("GROUP BY ExecutionStatus, ExecutionStatus", 27, "counts are grouped by one attribute"),
        ("Paid = true # x", 13, "'#' is not expected here"),
    ],
)
def test_errors_point_at_the_character(text: str, character: int, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse(text, CUSTOM)
    head, shown, pointer = str(refused.value).split("\n")
    assert head.startswith(f"list filter, character {character}: ") and message in head, head
    assert pointer.index("^") == character - 1 + 2 and shown.strip() == text


def test_the_pointer_stays_in_sight() -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse("Customer = 'x' AND " * 30 + "Nope = 1", CUSTOM)
    _, shown, pointer = str(refused.value).split("\n")
    assert len(shown) < 120 and shown[pointer.index("^") :].startswith("Nope")


def test_queries_are_bounded() -> None:
    for text, message in (
        ("x" * (limits.VISIBILITY_QUERY_BYTES_MAX + 1), "longer than"),
        (" OR ".join(["Count = 1"] * (limits.VISIBILITY_COMPARISONS_MAX + 1)), "more than 500 comparisons"),
        ("(" * 2000 + "Count = 1" + ")" * 2000, "nested deeper than"),
        ("NOT " * 2000 + "Count = 1", "nested deeper than"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            parse(text, CUSTOM)
    parse(" OR ".join(["Count = 1"] * limits.VISIBILITY_COMPARISONS_MAX), CUSTOM)
