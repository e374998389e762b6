"""One batch of reports, in one transaction: what they ask for is fetched before, what they write is written after.

Outside of `working` everything is fetched and written at once, by the same calls. Within, the batch listens to what its
connection is told, so that nobody reads past it:

- a statement that names a table in which something waits is preceded by what waits;
- a statement that changes a table makes the batch forget what it remembers of that table;
- what a savepoint takes back is neither written nor remembered; one within which nothing else is said is not made.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, models, transaction

from accounts.core.derived_fields import with_derived

T = TypeVar("T")
Kind = type[models.Model]


@contextmanager
def working() -> Iterator[None]:
    """Let what is written and remembered within wait and last until its end. In a transaction, and not nested.

    Raises what the database says of rows that waited: then the whole transaction has to be taken back.
    """
    batch = _Batch()
    token = _current.set(batch)
    try:
        with connection.execute_wrapper(batch.listen):
            yield
            batch.write()
    finally:
        _current.reset(token)


def insert(row: models.Model, *, now: bool = False) -> None:
    """Save a new row; with `now` at once, for who needs the key that the database gives it."""
    batch = _current.get()
    if batch is None:
        row.save(force_insert=True)
    elif now:
        with batch.at_work():
            row.save(force_insert=True)
    else:
        batch.add(row, row._meta.concrete_fields, is_new=True)


def claim(row: models.Model) -> bool:
    """Save a new row that somebody else may have made a moment ago: whether it is ours.

    A batch hopes so, and is taken back as a whole if it is not.
    """
    if _current.get() is not None:
        insert(row)
        return True
    try:
        with transaction.atomic():
            insert(row)
    except IntegrityError:
        return False
    return True


def change(row: models.Model, *names: str) -> None:
    """Save these fields of a row."""
    batch = _current.get()
    if batch is None:
        row.save(update_fields=names)
    else:
        batch.add(row, [row._meta.get_field(name) for name in with_derived(type(row), names)], is_new=False)


def remember(kind: Kind, found: Mapping[Any, Any]) -> None:
    """Say what a table has under some keys; None or nothing counts, too. Who then writes to it keeps that true."""
    if batch := _current.get():
        batch.remember(kind, found)


def forget(kind: Kind, key: Hashable) -> None:
    """What a table has under a key is not what it was: whoever asks looks again."""
    if batch := _current.get():
        batch.forget(kind, key)


def recall(kind: Kind, key: Hashable, otherwise: Callable[[], T]) -> T:
    """What a table has under a key, as it was remembered; else what `otherwise` finds now, which is not remembered."""
    batch = _current.get()
    return otherwise() if batch is None else batch.recall(kind, key, otherwise)


class _Write(NamedTuple):
    """`row` tells writes to the same row, the same values by column are of one statement."""

    kind: Kind
    row: Hashable
    values: dict[str, Any]
    is_new: bool


class _Mark(NamedTuple):
    """How far a batch was when a savepoint was made."""

    added: int
    written: int
    touched: int


class _Batch:
    def __init__(self) -> None:
        self._database = connections[DEFAULT_DB_ALIAS]
        self._writes: list[_Write] = []
        self._written = 0
        self._waiting: set[str] = set()  # tables, quoted
        self._known: defaultdict[str, dict[Hashable, Any]] = defaultdict(dict)  # by table, quoted
        self._touched: list[tuple[str, Hashable]] = []
        self._marks: dict[str, _Mark] = {}  # by savepoint
        self._unmade: dict[str, str] = {}  # by savepoint, what makes it
        self._at_work = False

    def add(self, row: models.Model, fields: Any, *, is_new: bool) -> None:
        values = {
            field.column: field.get_db_prep_save(field.pre_save(row, is_new), self._database)
            for field in fields
            if not (is_new and field.primary_key and row.pk is None)
        }
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # for whoever saves it again
        self._writes.append(_Write(type(row), object() if row.pk is None else row.pk, values, is_new))
        self._waiting.add(_quoted(type(row)))

    def remember(self, kind: Kind, found: Mapping[Any, Any]) -> None:
        table = _quoted(kind)
        self._known[table].update(found)
        self._touched.extend((table, key) for key in found)

    def recall(self, kind: Kind, key: Hashable, otherwise: Callable[[], T]) -> T:
        table = _quoted(kind)
        if key not in self._known[table]:
            return otherwise()
        self._touched.append((table, key))
        return cast(T, self._known[table][key])

    def forget(self, kind: Kind, key: Hashable) -> None:
        self._known[_quoted(kind)].pop(key, None)

    def listen(self, execute: Callable[..., T], sql: str, params: Any, many: bool, context: Any) -> T | None:
        if "SAVEPOINT" in sql[:21]:
            return execute(sql, params, many, context) if self._is_needed(sql) else None
        self._make_savepoints()
        if not self._at_work:
            self._hear(sql)
        return execute(sql, params, many, context)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Statements of the batch's own."""
        self._at_work = True
        try:
            yield
        finally:
            self._at_work = False

    def write(self) -> None:
        """Write what waits: changes before new rows, which may take the place of what is changed."""
        waiting, self._written = self._writes[self._written :], len(self._writes)
        self._waiting.clear()
        with self.at_work(), self._database.cursor() as cursor:
            for sql, rows in _statements(waiting):
                cursor.executemany(sql, rows)

    def _is_needed(self, sql: str) -> bool:
        """Whether the database has to hear of a savepoint now; `SAVEPOINT "x"`, `ROLLBACK TO …` and `RELEASE …`."""
        verb, name = sql.split(maxsplit=1)[0], sql.split('"')[1]
        if verb == "SAVEPOINT":
            self._marks[name] = _Mark(len(self._writes), self._written, len(self._touched))
            self._unmade[name] = sql
            return False
        if verb == "ROLLBACK":
            self._go_back(self._marks[name])
            return name not in self._unmade
        return self._unmade.pop(name, None) is None

    def _make_savepoints(self) -> None:
        unmade, self._unmade = self._unmade, {}
        with self._database.wrap_database_errors:
            for sql in unmade.values():
                self._database.connection.execute(sql)

    def _hear(self, sql: str) -> None:
        if any(table in sql for table in self._waiting):
            self.write()
        if sql.startswith(("UPDATE", "DELETE", "INSERT")):
            for table, known in self._known.items():
                if table in sql:
                    known.clear()

    def _go_back(self, mark: _Mark) -> None:
        del self._writes[mark.added :]
        self._written = mark.written
        self._waiting = {_quoted(write.kind) for write in self._writes[mark.written :]}
        for table, key in self._touched[mark.touched :]:
            row = self._known[table].pop(key, None)
            if isinstance(row, models.Model):  # it is not what it was, whatever it is found by
                self._known[table] = {name: other for name, other in self._known[table].items() if other is not row}
        del self._touched[mark.touched :]


_current: ContextVar[_Batch | None] = ContextVar("batch", default=None)


def _quoted(kind: Kind) -> str:
    return f'"{kind._meta.db_table}"'


def _statements(writes: list[_Write]) -> Iterator[tuple[str, list[list[Any]]]]:
    """Each with the rows that it is for; several writes to one row are one."""
    rows: dict[tuple[Kind, Hashable], _Write] = {}
    for write in writes:
        earlier = rows.get(write[:2])
        rows[write[:2]] = write._replace(
            values={**earlier.values, **write.values} if earlier else write.values,
            is_new=earlier.is_new if earlier else write.is_new,
        )
    alike: defaultdict[tuple[bool, Kind, tuple[str, ...]], list[_Write]] = defaultdict(list)
    for write in rows.values():
        alike[write.is_new, write.kind, tuple(write.values)].append(write)
    for (is_new, kind, columns), group in sorted(alike.items(), key=lambda item: item[0][0]):
        if is_new:
            yield _insertion(kind, columns), [list(write.values.values()) for write in group]
        else:
            yield _update(kind, columns), [[*write.values.values(), write.row] for write in group]


def _insertion(kind: Kind, columns: tuple[str, ...]) -> str:
    names, places = ", ".join(f'"{column}"' for column in columns), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {_quoted(kind)} ({names}) VALUES ({places})"  # noqa: S608 (names of our own)


def _update(kind: Kind, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f'"{column}" = %s' for column in columns)
    return f'UPDATE {_quoted(kind)} SET {pairs} WHERE "{kind._meta.pk.column}" = %s'  # noqa: S608
