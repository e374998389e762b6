"""`migrate` runs beside the processes of the release before: no migration locks a large table or breaks their SQL."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection, migrations, models, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import Q
from psycopg.sql import quote

from accounts.core.online_migrations import (
    AddIndexOnline,
    AddJSONIndexOnline,
    AddUniqueConstraintOnline,
    RemoveIndexOnline,
)
from config.management.commands import migrate
from tests import servers
from tests.e2e.stack import wait_for
from webhooks.models import Receipt

#: The tables that grow with the traffic.
LARGE = {
    *("accounts.account", "accounts.accountreport", "accounts.event"),
    *("leads.lead", "leads.leadreference", "leads.leadchange"),
    *("webhooks.receipt", "notifications.delivery", "notifications.attempt"),
}
OURS = {label.partition(".")[0] for label in LARGE}
ONLINE = (AddIndexOnline, AddJSONIndexOnline, AddUniqueConstraintOnline, RemoveIndexOnline)
#: What PostgreSQL is told --> what is wrong with it.
LOCKING = {
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON (?P<table>\S+)": "builds an index: use AddIndexOnline",
    r"ALTER TABLE (?P<table>\S+) ADD CONSTRAINT (?!.*(NOT VALID|USING INDEX))": "checks every row for a constraint",
    r"ALTER TABLE (?P<table>\S+) .*ALTER COLUMN \S+ (TYPE|SET NOT NULL)": "may rewrite or read the whole table",
    r"ALTER TABLE (?P<table>\S+) ADD COLUMN .* UNIQUE\b": "builds an index: use AddUniqueConstraintOnline",
    r"ALTER TABLE (?P<table>\S+) ADD COLUMN .*\bDEFAULT [^'\s]*\(": "writes a default that is computed into every row",
    r"(UPDATE|DELETE FROM) (?P<table>\S+)": "changes rows in one transaction",
}
#: The same, for tables of any size: the release before reads and writes them until it is stopped.
BREAKING = {
    r"ALTER TABLE (?P<table>\S+) ALTER COLUMN \S+ DROP DEFAULT": "a column that must be given: use db_default",
    r"ALTER TABLE (?P<table>\S+) RENAME": "renames what is in use: add the new name, fill it, remove the old one",
    r"ALTER TABLE (?P<table>\S+) DROP COLUMN": "removes what is in use: say which release stopped using it",
    r"DROP TABLE (?P<table>[^\s;]+)": "removes what is in use: say which release stopped using it",
}


def offline_postgresql() -> DatabaseWrapper:
    """PostgreSQL's way to write SQL, without a server."""
    wrapper = DatabaseWrapper({**connection.settings_dict, "NAME": "offline", "OPTIONS": {}})
    wrapper.__dict__["pg_version"] = 150000
    wrapper.ensure_connection = Mock(side_effect=OperationalError("offline"))  # type: ignore[method-assign]
    wrapper.ops.compose_sql = lambda sql, params: sql % tuple(map(quote, params or ()))  # type: ignore[method-assign]
    return wrapper


def faults_of(migration: migrations.Migration, state: ProjectState) -> list[str]:
    """Say what in a migration would keep others from writing to a large table, or break what they send."""
    if getattr(migration, "safe_while_running", ""):
        return []
    tables = {f'"{model._meta.db_table}"': model._meta.label_lower for model in state.apps.get_models()}
    large = {name for name, label in tables.items() if label in LARGE}
    found = [f"{operation.describe()}: say why it is safe" for operation in migration.operations if is_code(operation)]
    if not migration.atomic and not all(isinstance(operation, ONLINE) for operation in migration.operations):
        found.append("does more than build online without a transaction, and cannot be applied again")
    editor = offline_postgresql().schema_editor(collect_sql=True)
    editor.deferred_sql, editor.atomic_migration = [], True
    try:
        migration.apply(state.clone(), editor, collect_sql=True)
    except OperationalError:
        return [*found, "cannot be judged: say why it is safe"]
    for statement in [*editor.collected_sql, *map(str, editor.deferred_sql)]:
        for patterns, concerned in ((LOCKING, large), (BREAKING, set(tables))):
            for pattern, fault in patterns.items():
                match = re.match(pattern, statement)
                if match and match["table"] in concerned:
                    found.append(f"{fault}: {statement}")
    return found


def is_code(operation: Any) -> bool:
    return isinstance(operation, migrations.RunPython) and operation.code is not migrations.RunPython.noop


def later_migrations(*, squashed: bool) -> Iterator[tuple[migrations.Migration, ProjectState]]:
    """Our migrations but for each app's first, which finds no rows, each with the state before it."""
    loader = MigrationLoader(None, ignore_no_migrations=True, replace_migrations=squashed)
    for label, name in loader.graph.nodes:
        migration = loader.disk_migrations[label, name]
        if label in OURS and not migration.initial:
            yield migration, loader.project_state((label, name), at_end=False)


@pytest.mark.parametrize("squashed", [True, pytest.param(False, marks=pytest.mark.fault)])
def test_no_migration_locks_a_large_table(squashed: bool) -> None:
    """What a squashed one replaces was judged when it was new, and is judged again with the faults."""
    faults = {str(migration): faults_of(migration, state) for migration, state in later_migrations(squashed=squashed)}
    assert {name: found for name, found in faults.items() if found} == {}


def migration_of(*operations: Any, atomic: bool = True, app: str = "webhooks") -> migrations.Migration:
    migration = migrations.Migration("9999_test", app)
    migration.operations, migration.atomic = list(operations), atomic
    return migration


def current_state() -> ProjectState:
    return MigrationLoader(None, ignore_no_migrations=True).project_state()


INDEX = models.Index(fields=["reason"], name="receipt_by_reason")
PER_PROVIDER = models.UniqueConstraint(fields=["provider", "sequence"], name="receipt_per_provider")
AGENCY = {"on_delete": models.SET_NULL, "null": True, "to": "accounts.agency", "related_name": "+"}


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (migrations.AddIndex("receipt", INDEX), "builds an index"),
        (migrations.AddConstraint("receipt", PER_PROVIDER), "checks every row"),
        (
            migrations.AddConstraint(
                "receipt", models.UniqueConstraint(fields=["reason"], name="once", condition=~Q(reason=""))
            ),
            "builds an index",
        ),
        (
            migrations.AddConstraint("receipt", models.CheckConstraint(condition=Q(attempts__lt=9), name="few")),
            "checks every row",
        ),
        (migrations.AddField("receipt", "other", models.ForeignKey(**AGENCY)), "builds an index"),
        (
            migrations.AddField("receipt", "word", models.CharField(max_length=9, null=True, unique=True)),
            "builds an index",
        ),
        (migrations.AlterField("receipt", "reason", models.TextField(blank=True)), "rewrite or read"),
        (migrations.AlterField("receipt", "attempts", models.BigIntegerField(default=0)), "cannot be judged"),
        (migrations.AddField("receipt", "word", models.CharField(max_length=9, default="new")), "use db_default"),
        (migrations.RenameField("rejectedrequest", "reason", "word"), "renames what is in use"),
        (migrations.RenameModel("RejectedRequest", "Refusal"), "renames what is in use"),
        (migrations.RemoveField("rejectedrequest", "diagnosis"), "which release stopped using it"),
        (migrations.DeleteModel("RejectedRequest"), "which release stopped using it"),
        (migrations.RunSQL("UPDATE \"webhooks_receipt\" SET reason = ''"), "changes rows"),
        (migrations.RunPython(lambda apps, editor: None), "say why it is safe"),
    ],
    ids=lambda value: getattr(value, "describe", lambda: "")(),
)
def test_what_locks_a_large_table_is_refused(operation: Any, fault: str) -> None:
    assert any(fault in found for found in faults_of(migration_of(operation), current_state()))


@pytest.mark.parametrize(
    "migration",
    [
        migration_of(AddIndexOnline("receipt", INDEX), atomic=False),
        migration_of(AddUniqueConstraintOnline("receipt", PER_PROVIDER), atomic=False),
        migration_of(RemoveIndexOnline("receipt", "receipt_newest"), atomic=False),
        migration_of(migrations.AddField("receipt", "other", models.ForeignKey(**AGENCY, db_index=False))),
        migration_of(migrations.AddField("receipt", "word", models.CharField(max_length=9, db_default="new"))),
        migration_of(migrations.AddField("receipt", "word", models.CharField(max_length=9, null=True))),
        migration_of(migrations.AddIndex("sourcemonitor", models.Index(fields=["checked_at"], name="small"))),
    ],
    ids=lambda migration: migration.operations[0].describe(),
)
def test_what_locks_none_is_let_through(migration: migrations.Migration) -> None:
    assert faults_of(migration, current_state()) == []


def test_what_is_applied_without_a_transaction_can_be_applied_again() -> None:
    field = migrations.AddField("receipt", "word", models.CharField(max_length=9, default="new"))
    migration = migration_of(field, AddIndexOnline("receipt", INDEX), atomic=False)
    assert "cannot be applied again" in "".join(faults_of(migration, current_state()))


def test_a_migration_may_say_why_it_is_safe() -> None:
    migration = migration_of(migrations.AddIndex("receipt", INDEX))
    migration.safe_while_running = "The table is empty: no release wrote to it."  # type: ignore[attr-defined]
    assert faults_of(migration, current_state()) == []


def test_the_large_tables_exist() -> None:
    assert {label for label in LARGE if apps.get_model(label)} == LARGE


def run(migration: migrations.Migration, *, backwards: bool = False) -> None:
    state = current_state()
    with connection.schema_editor(atomic=migration.atomic) as editor:
        (migration.unapply if backwards else migration.apply)(state, editor)


def indexes() -> dict[str, bool]:
    """The indexes of the receipts, and whether each is unique."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "webhooks_receipt")
    return {name: one["unique"] for name, one in found.items()}


def run_sql(query: str, *values: Any) -> list[Any]:
    """Ask from a connection of its own, which waits for nothing for long."""
    url = servers.url_of(connection.settings_dict["NAME"])
    with psycopg.connect(url, autocommit=True, options="-c lock_timeout=5000") as database:
        cursor = database.execute(query, values)
        return cursor.fetchall() if cursor.description else []


INSERT = (
    "INSERT INTO webhooks_receipt (source_id, provider, dedupe_key, headers, body, received_at, status, event_type,"
    " correlation, account_id, lead_id, reason, error, attempts, next_attempt_at)"
    " VALUES ('src_1', 'salesflow', %s, '{}', '', now(), 'received', '', '', '', '', '', '', 0, now())"
)


@contextmanager
def half_way(migration: migrations.Migration) -> Iterator[int]:
    """Apply a migration beside a transaction that has written, and which it has to wait for; the process's id."""

    def work() -> None:
        try:
            run(migration)
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    failed: list[OperationalError] = []
    builder = threading.Thread(target=work)
    with psycopg.connect(servers.url_of(connection.settings_dict["NAME"])) as writer:
        writer.execute(INSERT, [b"first"])
        builder.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        [[pid]] = wait_for(lambda: run_sql(waiting))
        yield pid
    builder.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "operation", [AddIndexOnline("receipt", INDEX), AddUniqueConstraintOnline("receipt", PER_PROVIDER)]
)
def test_an_index_is_built_while_others_write(operation: Any) -> None:
    migration = migration_of(operation, atomic=False)
    name = operation.index.name if isinstance(operation, AddIndexOnline) else operation.constraint.name
    if connection.vendor == "postgresql":
        with half_way(migration):
            run_sql(INSERT, b"second")  # nobody waits for the one who waits
        assert Receipt.objects.count() == 2
    else:
        run(migration)
    assert indexes()[name] is (name == PER_PROVIDER.name)
    run(migration, backwards=True)
    assert name not in indexes()


@pytest.mark.django_db(transaction=True)
def test_a_build_that_was_killed_begins_anew_and_one_that_was_not_recorded_is_kept() -> None:
    migration = migration_of(AddIndexOnline("receipt", INDEX), atomic=False)
    if connection.vendor == "postgresql":
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('receipt_by_reason')"
        with half_way(migration) as pid:
            run_sql("SELECT pg_terminate_backend(%s)", pid)
        assert run_sql(valid) == [(False,)]
        run(migration)
        assert run_sql(valid) == [(True,)]
        before = run_sql("SELECT 'receipt_by_reason'::regclass::oid")
        run(migration)
        assert run_sql("SELECT 'receipt_by_reason'::regclass::oid") == before
    else:
        run(migration)
    run(migration, backwards=True)


@pytest.mark.django_db(transaction=True)
def test_an_index_is_removed_while_others_write() -> None:
    migration = migration_of(RemoveIndexOnline("receipt", "receipt_newest"), atomic=False)
    if connection.vendor == "postgresql":
        with half_way(migration):
            run_sql(INSERT, b"second")
    else:
        run(migration)
    assert "receipt_newest" not in indexes()
    run(migration, backwards=True)
    assert "receipt_newest" in indexes()


@pytest.mark.django_db(transaction=True)
def test_migrate_lets_others_pass_while_a_lock_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no limit of time for what it does, and a short one for a lock, after which it begins again."""
    limits: list[tuple[str, str]] = []

    def lock(*args: Any, **options: Any) -> None:
        if connection.vendor == "postgresql":
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
                limits.append(cursor.fetchone())
                cursor.execute("LOCK TABLE webhooks_receipt")
        else:
            limits.append(("0", "2s"))

    monkeypatch.setattr(migrate.DjangoCommand, "handle", lock)  # type: ignore[attr-defined]
    if connection.vendor == "postgresql":
        with psycopg.connect(servers.url_of(connection.settings_dict["NAME"])) as writer:
            writer.execute(INSERT, [b"first"])
            monkeypatch.setattr(migrate.time, "sleep", lambda seconds: writer.rollback())  # type: ignore[attr-defined]
            call_command("migrate")
        assert len(limits) == 2
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            assert cursor.fetchone() == ("30s",)
    else:
        call_command("migrate")
    assert set(limits) == {("0", "2s")}


@pytest.mark.django_db(transaction=True)
def test_migrate_fails_with_any_other_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate.DjangoCommand, "handle", Mock(side_effect=OperationalError("no such table")))  # type: ignore[attr-defined]
    with pytest.raises(OperationalError, match="no such table"):
        call_command("migrate")
