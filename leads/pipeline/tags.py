"""Find leads by a tag."""

import json
from typing import Any

from django.db.models import BooleanField, Func, Value


class _HasTag(Func):
    """Test whether the JSON list of tags contains a tag: on PostgreSQL by the index `lead_by_tag`, and on SQLite."""

    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **options: Any) -> Any:
        (column, tag) = (compiler.compile(expression) for expression in self.source_expressions)
        return f"{column[0]} @> %s::jsonb", (*column[1], json.dumps([*tag[1]]))

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        (column, tag) = (compiler.compile(expression) for expression in self.source_expressions)
        sql = f"EXISTS (SELECT 1 FROM json_each({column[0]}) WHERE json_each.value = {tag[0]})"  # noqa: S608
        return sql, (*column[1], *tag[1])


def has_tag(tag: str) -> _HasTag:
    """Return the condition that a lead has this tag, exactly."""
    return _HasTag("tags", Value(tag))
