"""An index for parts of a text: trigrams, by pg_trgm on PostgreSQL and by FTS5 on SQLite.

PostgreSQL's is an index of the column (`AddTextIndex`, in a migration). SQLite's is a virtual table beside the model's,
which triggers keep as the column is; `keep_text_indexes` makes both after every `migrate`. It holds of each row's text
which three letters are in it, not where, so what it finds may contain a text, and what it does not find cannot.
"""

# ruff: noqa: S608 (the names of tables and columns in SQL are our models')

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as SchemaEditor
from django.db.migrations.operations.base import Operation

from accounts.core.derived_fields import DerivedTextField

GRAM = 3
#: So many trigrams of a long text are asked for: they say enough.
MAX_GRAMS = 12


class AddTextIndex(Operation):
    """Build PostgreSQL's index of the parts of a column. Make the extension pg_trgm first."""

    reversible = True

    def __init__(self, model_name: str, column: str, name: str) -> None:
        self.model_name, self.column, self.name = model_name, column, name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know the index."""

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
            schema_editor.execute(
                f'CREATE INDEX IF NOT EXISTS "{self.name}" ON "{table}" USING gin ("{self.column}" gin_trgm_ops)'
            )

    def database_backwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX IF EXISTS "{self.name}"')

    def describe(self) -> str:
        return f"Build the index {self.name} of the parts of {self.model_name}.{self.column}"


class SampleTextIndex(Operation):
    """Have PostgreSQL sample ten times as many texts of a column as of others.

    From the sample it knows whether a word is common, so that newest first is the quick way to a page of hits, or rare,
    so that the index is. It takes a word of one text in a hundred for rare otherwise, and fetches ten thousand rows.
    """

    reversible = True

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name, self.column = model_name, column

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know statistics."""

    def database_forwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        self._sample(app_label, schema_editor, to_state, texts=1000)

    def database_backwards(self, app_label: str, schema_editor: SchemaEditor, from_state: Any, to_state: Any) -> None:
        self._sample(app_label, schema_editor, from_state, texts=-1)  # as many as of others

    def describe(self) -> str:
        return f"Sample more texts of {self.model_name}.{self.column}"

    def _sample(self, app_label: str, schema_editor: SchemaEditor, state: Any, *, texts: int) -> None:
        if schema_editor.connection.vendor == "postgresql":
            table = state.apps.get_model(app_label, self.model_name)._meta.db_table
            schema_editor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{self.column}" SET STATISTICS {texts}')
            schema_editor.execute(f'ANALYZE "{table}" ("{self.column}")')


def indexed_field(model: type[models.Model]) -> DerivedTextField | None:
    """Return the model's text whose parts are indexed, if it has one."""
    fields = (field for field in model._meta.concrete_fields if isinstance(field, DerivedTextField))
    return next((field for field in fields if field.has_text_index), None)


def candidates(model: type[models.Model], text: str, limit: int) -> list[Any] | None:
    """Return, on SQLite, the keys of the rows whose indexed text may contain `text`.

    None: the index does not help, because the text is too short or may be in more than `limit` rows, or there is none.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "sqlite" or len(text) < GRAM or indexed_field(model) is None:
        return None
    index = f"{model._meta.db_table}_text"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key.row_id FROM {index} JOIN {index}_key AS key ON key.id = {index}.rowid"
            f" WHERE {index} MATCH %s LIMIT %s",
            [" AND ".join(map(_quoted, _grams(text))), limit + 1],
        )
        found = [key for (key,) in cursor.fetchall()]
    return found if len(found) <= limit else None


def keep_text_indexes(app_config: Any, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make on SQLite what an app's text indexes lack; receives `post_migrate`.

    A migration that changes a table makes it anew, without its triggers: then the index is built again.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    for model in app_config.get_models():
        field = indexed_field(model)
        if field and _exists(connection, "table", model._meta.db_table) and not _is_kept(connection, model):
            with transaction.atomic(using), connection.cursor() as cursor:
                for statement in _sqlite_statements(model, field.attname):
                    cursor.execute(statement)


def merge_text_indexes(pages: int = 200) -> None:
    """Make SQLite's indexes forget the rows that are gone: merge an index that lost some, `pages` at a time.

    Until then the trigrams of such a row stay on the disk, beside the note that they are void.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "sqlite":
        return
    for index in _indexes(connection):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {index}_gone")
            lost = cursor.rowcount
        step = -pages  # begin by taking all parts together
        while lost and _merge(connection, index, step):
            step = pages


def _merge(connection: Any, index: str, pages: int) -> bool:
    """Return whether there was anything to merge."""
    with transaction.atomic(), connection.cursor() as cursor:
        before = connection.connection.total_changes
        cursor.execute(f"INSERT INTO {index}({index}, rank) VALUES ('merge', %s)", [pages])
        return bool(connection.connection.total_changes - before >= 2)  # SQLite's own sign


def _indexes(connection: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%%'")
        return [name for (name,) in cursor.fetchall() if name.endswith("_text")]


def _exists(connection: Any, kind: str, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE type = %s AND name = %s", [kind, name])
        return cursor.fetchone() is not None


def _is_kept(connection: Any, model: type[models.Model]) -> bool:
    index = f"{model._meta.db_table}_text"
    triggers = (f"{index}_{name}" for name in ("added", "changed", "removed"))
    return _exists(connection, "table", index) and all(_exists(connection, "trigger", name) for name in triggers)


def _sqlite_statements(model: type[models.Model], column: str) -> list[str]:
    table, key, index = model._meta.db_table, model._meta.pk.column, f"{model._meta.db_table}_text"
    put = f"INSERT INTO {index}(rowid, text) SELECT id, new.{column} FROM {index}_key WHERE row_id = new.{key};"
    take = (
        f"INSERT INTO {index}({index}, rowid, text) SELECT 'delete', id, old.{column} FROM {index}_key"
        f" WHERE row_id = old.{key};"
    )
    return [
        *(f"DROP TRIGGER IF EXISTS {index}_{name}" for name in ("added", "changed", "removed")),
        f"DROP TABLE IF EXISTS {index}",
        f"DROP TABLE IF EXISTS {index}_key",
        f"DROP TABLE IF EXISTS {index}_gone",
        # A row's own rowid may change (VACUUM): the index needs numbers that stay.
        f"CREATE TABLE {index}_key (id INTEGER PRIMARY KEY, row_id TEXT NOT NULL UNIQUE)",
        f"CREATE TABLE {index}_gone (id INTEGER PRIMARY KEY)",
        f"CREATE VIRTUAL TABLE {index} USING fts5(text, content='', detail=none, tokenize='trigram case_sensitive 1')",
        f"INSERT INTO {index}_key(row_id) SELECT {key} FROM {table} ORDER BY {key}",
        f"INSERT INTO {index}(rowid, text) SELECT {index}_key.id, {table}.{column}"
        f" FROM {index}_key JOIN {table} ON {table}.{key} = {index}_key.row_id",
        f"CREATE TRIGGER {index}_added AFTER INSERT ON {table} BEGIN"
        f" INSERT INTO {index}_key(row_id) VALUES (new.{key}); {put} END",
        f"CREATE TRIGGER {index}_changed AFTER UPDATE OF {column} ON {table}"
        f" WHEN old.{column} <> new.{column} BEGIN {take} {put} END",
        f"CREATE TRIGGER {index}_removed AFTER DELETE ON {table} BEGIN {take}"
        f" DELETE FROM {index}_key WHERE row_id = old.{key}; INSERT INTO {index}_gone VALUES (NULL); END",
    ]


def _grams(text: str) -> list[str]:
    """Return trigrams of a text, spread over all of it."""
    count = len(text) - GRAM + 1
    starts = range(0, count, max(1, -(-count // MAX_GRAMS)))
    return [text[start : start + GRAM] for start in (*starts, count - 1)]


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'
