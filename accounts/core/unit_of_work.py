"""Define the unit of work that services write and read through: one save at a time, or a batch in one transaction.

Services take it as `work`. Their default `AT_ONCE` saves and reads at once. A `ReportBatch` writes at its end what
services `add` and `update`, and answers `look_up` from prefetched results. Code that queries the database itself calls
first:

- `flush(Model)` before a statement reads rows of that model;
- `bypass(Model)` before a statement writes rows of that model.

`tests/staged_rows.py` fails every test whose statements do not.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, NamedTuple, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, models, transaction

from accounts.core.derived_fields import with_derived

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Kind = type[models.Model]


class Lookup(Generic[K, V]):
    """A query for values by key. `load` returns the value of each key that it is given.

    The values are rows of `kind`, or made from them. `reads` holds all models whose rows the query joins.
    """

    def __init__(self, load: Callable[[Collection[K]], Mapping[K, V]], kind: Kind, *joined: Kind) -> None:
        self.load, self.kind, self.reads = load, kind, (kind, *joined)


class UnitOfWork:
    """Save and read rows at once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        """Write the staged rows, unless an exception ended the work."""

    def add(self, row: models.Model, *, now: bool = False) -> None:
        """Save a new row. With `now`, save it at once, for callers that need the key from the database."""
        row.save(force_insert=True)

    def try_add(self, row: models.Model) -> bool:
        """Save a new row that another process may have made just before. Return whether it was saved.

        A batch assumes that it will be saved. If it cannot be, the database refuses the batch at its end.
        """
        try:
            with transaction.atomic():
                self.add(row)
        except IntegrityError:
            return False
        return True

    def update(self, row: models.Model, *fields: str) -> None:
        """Save the given fields of a row."""
        row.save(update_fields=fields)

    def flush(self, *kinds: Kind) -> None:
        """Write the staged rows of these models (of all, if none is given) before a statement reads them."""

    def bypass(self, *kinds: Kind) -> None:
        """Write the staged rows of these models (of all, if none is given) and forget the values looked up from them,
        before a statement writes their rows."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Roll back the block if an exception leaves it."""
        return transaction.atomic()

    def look_up(self, lookup: Lookup[K, V], key: K) -> V:
        """Return the value of one key."""
        return self.look_up_all(lookup, [key])[key]

    def look_up_all(self, lookup: Lookup[K, V], keys: Collection[K]) -> Mapping[K, V]:
        """Return the values of several keys."""
        return lookup.load(keys) if keys else {}

    def remember(self, lookup: Lookup[K, V], answers: Mapping[K, V]) -> None:
        """Store values that were prefetched, or that a change has made."""

    def amend(self, lookup: Lookup[K, V], key: K, change: Callable[[V], V]) -> None:
        """Replace the value of a key, if it was prefetched, with what `change` makes of it."""

    def forget(self, lookup: Lookup[K, V], key: K) -> None:
        """Forget the value of a key that a change has made wrong."""


AT_ONCE = UnitOfWork()


class ReportBatch(UnitOfWork):
    """Stage the writes of services until the end of the `with` block, inside a transaction of the caller."""

    def __init__(self) -> None:
        self._database = connections[DEFAULT_DB_ALIAS]
        self._writes: list[_Write] = []
        self._written = 0
        self._staged: set[Kind] = set()
        self._answers: defaultdict[Lookup[Any, Any], dict[Any, Any]] = defaultdict(dict)
        self._savepoint: str | None = None
        self._is_in_savepoint = False

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self.flush()

    def add(self, row: models.Model, *, now: bool = False) -> None:
        if now:
            self._make_savepoint()
            self._insert_now(row)
        else:
            self._stage(row, row._meta.concrete_fields, is_new=True)

    def try_add(self, row: models.Model) -> bool:
        self.add(row)
        return True

    def update(self, row: models.Model, *fields: str) -> None:
        names = with_derived(type(row), fields)
        self._stage(row, [row._meta.get_field(name) for name in names], is_new=False)

    def flush(self, *kinds: Kind) -> None:
        if self._staged.intersection(kinds) if kinds else self._staged:
            self._make_savepoint()
            self._write()

    def bypass(self, *kinds: Kind) -> None:
        self.flush(*kinds)
        self._make_savepoint()
        for lookup, answers in self._answers.items():
            if lookup.kind in kinds or not kinds:
                answers.clear()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Roll back the block if an exception leaves it. Savepoints do not nest.

        A savepoint is made in the database only if the block writes there (`flush`, `bypass`).
        """
        mark = _Mark(len(self._writes), self._written, len(self._database.run_on_commit))
        self._is_in_savepoint = True
        try:
            yield
        except BaseException:
            self._roll_back(mark)
            raise
        else:
            if self._savepoint:
                transaction.savepoint_commit(self._savepoint)
        finally:
            self._savepoint, self._is_in_savepoint = None, False

    def look_up_all(self, lookup: Lookup[K, V], keys: Collection[K]) -> Mapping[K, V]:
        answers = self._answers[lookup]
        missing = [key for key in keys if key not in answers]
        if missing:
            self.flush(*lookup.reads)
        loaded = lookup.load(missing) if missing else {}
        return {key: loaded[key] if key in loaded else answers[key] for key in keys}

    def prefetch(self, lookup: Lookup[K, V], keys: Collection[K]) -> Mapping[K, V]:
        """Load and store the values of these keys."""
        loaded = lookup.load(keys) if keys else {}
        self.remember(lookup, loaded)
        return loaded

    def remember(self, lookup: Lookup[K, V], answers: Mapping[K, V]) -> None:
        self._answers[lookup].update(answers)

    def amend(self, lookup: Lookup[K, V], key: K, change: Callable[[V], V]) -> None:
        answers = self._answers[lookup]
        if key in answers:
            answers[key] = change(answers[key])

    def forget(self, lookup: Lookup[K, V], key: K) -> None:
        self._answers[lookup].pop(key, None)

    def _stage(self, row: models.Model, fields: Collection[Any], *, is_new: bool) -> None:
        values = {
            field.column: field.get_db_prep_save(field.pre_save(row, is_new), self._database)
            for field in fields
            if not (is_new and field.primary_key and row.pk is None)
        }
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # for callers that save the row again
        self._writes.append(_Write(type(row), object() if row.pk is None else row.pk, values, is_new))
        self._staged.add(type(row))

    def _insert_now(self, row: models.Model) -> None:
        row.save(force_insert=True)

    def _write(self) -> None:
        """Write the staged rows: changes before new rows, because a new row may take a unique value that a change gives
        up."""
        staged, self._written = self._writes[self._written :], len(self._writes)
        self._staged.clear()
        with self._database.cursor() as cursor:
            for sql, rows in _statements(staged):
                cursor.executemany(sql, rows)

    def _make_savepoint(self) -> None:
        if self._is_in_savepoint and self._savepoint is None:
            self._savepoint = transaction.savepoint()

    def _roll_back(self, mark: "_Mark") -> None:
        """Restore the staged writes of before the savepoint. Forget all values, because their rows may have changed."""
        transaction.set_rollback(False)
        if self._savepoint:
            transaction.savepoint_rollback(self._savepoint)
        del self._writes[mark.staged :]
        del self._database.run_on_commit[mark.hooks :]
        self._written = mark.written
        self._staged = {write.kind for write in self._writes[self._written :]}
        self._answers.clear()


class _Write(NamedTuple):
    """One staged write. Writes with an equal `row` are to the same row; `values` are by column."""

    kind: Kind
    row: Hashable
    values: dict[str, Any]
    is_new: bool


class _Mark(NamedTuple):
    """The state of a batch when a savepoint began."""

    staged: int
    written: int
    hooks: int


def _statements(writes: list[_Write]) -> Iterator[tuple[str, list[list[Any]]]]:
    """Yield each statement with the parameters of its rows. Merge several writes to one row into one."""
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
    return f'INSERT INTO "{kind._meta.db_table}" ({names}) VALUES ({places})'  # noqa: S608 (names of our own)


def _update(kind: Kind, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f'"{column}" = %s' for column in columns)
    return f'UPDATE "{kind._meta.db_table}" SET {pairs} WHERE "{kind._meta.pk.column}" = %s'  # noqa: S608
