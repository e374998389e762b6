"""Find leads by a tag."""

from typing import Any

from django.db.models import BooleanField, Func, Value


class _HasTag(Func):
    """Test whether the JSON list of tags contains a tag, on PostgreSQL and on SQLite."""

    output_field = BooleanField()
    template = "jsonb_exists(%(expressions)s)"  # the operator `?` would read as a parameter

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        (column, tag) = (compiler.compile(expression) for expression in self.source_expressions)
        sql = f"EXISTS (SELECT 1 FROM json_each({column[0]}) WHERE json_each.value = {tag[0]})"  # noqa: S608
        return sql, (*column[1], *tag[1])


def has_tag(tag: str) -> _HasTag:
    """Return the condition that a lead has this tag, exactly."""
    return _HasTag("tags", Value(tag))
