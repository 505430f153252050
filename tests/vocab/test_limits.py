"""Limits: each has its reason beside it, and those that belong together agree."""

from __future__ import annotations

import ast
from pathlib import Path

from outlast.vocab import limits


def test_every_limit_has_a_reason_or_a_source() -> None:
    body = ast.parse(Path(limits.__file__).read_text()).body
    public = [
        (statement.target.id, following)
        for statement, following in zip(body, [*body[1:], None], strict=True)
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        if not statement.target.id.startswith("_")
    ]
    bare = [name for name, following in public if not (isinstance(following, ast.Expr))]
    assert len(public) > 50
    assert not bare


def test_warnings_come_before_the_end() -> None:
    assert limits.HISTORY_EVENTS_SUGGEST < limits.HISTORY_EVENTS_WARN < limits.HISTORY_EVENTS_MAX == 51_200
    assert limits.HISTORY_BYTES_SUGGEST < limits.HISTORY_BYTES_WARN < limits.HISTORY_BYTES_MAX == 50 * 2**20
    assert limits.BLOB_BYTES_WARN < limits.BLOB_BYTES_MAX <= limits.TRANSACTION_BYTES_MAX
    assert limits.LONG_POLL_TAIL_NS < limits.LONG_POLL_DEADLINE_MIN_NS < limits.POLL_NS == 60 * 10**9
