"""Fails a test in which a statement goes past a batch of reports: around rows that are staged, or under its feet."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest
from django.db import connection

from accounts.core.unit_of_work import ReportBatch

_WRITTEN = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"(\w+)"')


@contextmanager
def no_statement_past_a_batch() -> Iterator[None]:
    """Listen to all statements within. Raises AssertionError at the end: services may have caught it before."""
    open_batches: list[ReportBatch] = []
    own = 0
    faults: list[str] = []

    def of_its_own(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def run(*args: Any, **options: Any) -> Any:
            nonlocal own
            own += 1
            try:
                return method(*args, **options)
            finally:
                own -= 1

        return run

    def enter(batch: ReportBatch) -> ReportBatch:
        open_batches.append(batch)
        return batch

    def leave(batch: ReportBatch, *error: Any) -> None:
        try:
            finish(batch, *error)
        finally:
            open_batches.pop()

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if open_batches and not own:
            faults.extend(f"{fault}: {sql[:300]}" for fault in _faults(open_batches[-1], sql))
        return execute(sql, params, many, context)

    finish = ReportBatch.__exit__
    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(listen):
        patch.setattr(ReportBatch, "__enter__", enter)
        patch.setattr(ReportBatch, "__exit__", leave)
        for name in ("_insert_now", "_make_savepoint", "_write"):
            patch.setattr(ReportBatch, name, of_its_own(getattr(ReportBatch, name)))
        yield
    assert not faults, "\n".join(faults)


def _faults(batch: ReportBatch, sql: str) -> Iterator[str]:
    """Yield what is wrong with a statement that is not the batch's own."""
    for kind in batch._staged:
        if f'"{kind._meta.db_table}"' in sql:
            yield f"flush({kind.__name__}) is missing before"
    if found := _WRITTEN.match(sql):
        if batch._is_in_savepoint and batch._savepoint is None:
            yield "bypass() is missing before a write, which the savepoint would not take back"
        for lookup, answers in batch._answers.items():
            if answers and lookup.kind._meta.db_table == found[1]:
                yield f"bypass({lookup.kind.__name__}) is missing, of which answers are remembered, before"
