"""Define migration operations for large tables that are written to while `migrate` runs.

On PostgreSQL the operations hold no lock that an INSERT, UPDATE or DELETE waits for. On SQLite they are Django's own.
The migration needs `atomic = False` and only operations of this module, so that it can be applied again after an
interruption: a complete index is kept, an incomplete one is removed first.

Add a foreign key of a large table with `db_index=False`, and its index by `AddIndexOnline`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as SchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation
from django.db.models import UniqueConstraint


class _Online(Operation):
    """Run an operation while its table is written to, and therefore outside of a transaction."""

    atomic = False

    def describe(self) -> str:
        return f"{super().describe()}, while the table is written to"


class AddIndexOnline(_Online, AddIndex):
    """Build an index while its table is written to."""

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            with _waiting_without_limit(schema_editor):
                if not _is_built(schema_editor, self.index.name):
                    schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]

    def database_backwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        _remove_index(self, app_label, schema_editor, from_state, self.index.name)


class AddJSONIndex(Operation):
    """Build PostgreSQL's index of what a JSON column contains (`@>`), for a table without rows.

    SQLite has no such index, and models do not know it.
    """

    reversible = True

    def __init__(self, model_name: str, column: str, name: str) -> None:
        self.model_name, self.column, self.name = model_name, column, name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know the index."""

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'CREATE INDEX "{self.name}" {self._columns(app_label, to_state)}')

    def database_backwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX IF EXISTS "{self.name}"')

    def describe(self) -> str:
        return f"Build the index {self.name} of what {self.model_name}.{self.column} contains"

    def _columns(self, app_label: str, state: Any) -> str:
        table = state.apps.get_model(app_label, self.model_name)._meta.db_table
        return f'ON "{table}" USING gin ("{self.column}" jsonb_path_ops)'


class AddJSONIndexOnline(_Online, AddJSONIndex):
    """Build PostgreSQL's index of what a JSON column contains while its table is written to."""

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            with _waiting_without_limit(schema_editor):
                if not _is_built(schema_editor, self.name):
                    schema_editor.execute(
                        f'CREATE INDEX CONCURRENTLY "{self.name}" {self._columns(app_label, to_state)}'
                    )

    def database_backwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            with _waiting_without_limit(schema_editor):
                schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.name}"')


class RemoveIndexOnline(_Online, RemoveIndex):
    """Remove an index while its table is written to."""

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        _remove_index(self, app_label, schema_editor, from_state, self.name)

    def database_backwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        AddIndexOnline(self.model_name, index).database_forwards(app_label, schema_editor, from_state, to_state)


class AddUniqueConstraintOnline(_Online, AddConstraint):
    """Build a unique index while its table is written to, and turn it into a constraint if possible."""

    constraint: UniqueConstraint

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            with _waiting_without_limit(schema_editor):
                self._build(schema_editor, str(self.constraint.create_sql(model, schema_editor)), model)

    def _build(self, schema_editor: SchemaEditor, statement: str, model: Any) -> None:
        name, table = schema_editor.quote_name(self.constraint.name), schema_editor.quote_name(model._meta.db_table)
        definition = statement.partition(f"ADD CONSTRAINT {name} UNIQUE")[2]  # empty if only an index is possible
        if definition:
            statement = f"CREATE UNIQUE INDEX {name} ON {table}{definition}"
        if not _is_built(schema_editor, self.constraint.name):
            schema_editor.execute(statement.replace("INDEX", "INDEX CONCURRENTLY", 1), params=None)
        if definition and not _found(schema_editor, "SELECT 1 FROM pg_constraint WHERE conname = %s", name):
            schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}", params=None)


def _remove_index(
    operation: AddIndex | RemoveIndex, app_label: str, schema_editor: SchemaEditor, state: Any, name: str
) -> None:
    model = state.apps.get_model(app_label, operation.model_name)
    if not operation.allow_migrate_model(schema_editor.connection.alias, model):
        return
    index = state.models[app_label, operation.model_name_lower].get_index_by_name(name)
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.remove_index(model, index)
        return
    with _waiting_without_limit(schema_editor):
        schema_editor.remove_index(model, index, concurrently=True)  # type: ignore[call-arg]


def _is_built(schema_editor: SchemaEditor, name: str) -> bool:
    """Return whether the index exists and is complete. Remove an incomplete one."""
    name = schema_editor.quote_name(name)
    query = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid"
    if _found(schema_editor, query, name):
        return True
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    return False


def _found(schema_editor: SchemaEditor, query: str, name: str) -> bool:
    if schema_editor.collect_sql:
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(query, [name])
        return cursor.fetchone() is not None


@contextmanager
def _waiting_without_limit(schema_editor: SchemaEditor) -> Iterator[None]:
    """Let a concurrent build wait for running transactions, because nobody waits for the build meanwhile."""
    if schema_editor.collect_sql:
        yield
        return
    if schema_editor.connection.in_atomic_block:
        raise NotSupportedError(
            "An index is built online outside of transactions: set atomic = False on the migration."
        )
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        [limit] = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [limit])
