"""The journal on its own: batches, bounds, poison rows, equal keys, patience. On whichever database the suite runs."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from accounts.models import Agency
from accounts.sources.service import create_source
from webhooks.ingest import group_commit as group_commits
from webhooks.ingest.db import StorageDown
from webhooks.ingest.group_commit import GroupCommit
from webhooks.ingest.writers import COLUMN_DEFAULTS, ReceiptRow, StoredReceipt, Writer, new_writer
from webhooks.ingest.writers.postgresql import PostgresWriter
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db(transaction=True)


def row(agency: Agency | None = None, key: bytes = b"", *, source_id: str = "src_1", **changes: Any) -> ReceiptRow:
    values: dict[str, Any] = {
        "source_id": source_id,
        "agency_id": agency.pk if agency else None,
        "provider": "salesflow",
        "dedupe_key": key.ljust(32, b"."),
        "headers": {"x": 'quo"te \\ ☃'},
        "body": b"{}",
        "received_at": timezone.now(),
        **changes,
    }
    return ReceiptRow(**values)


def with_group_commit(test: Callable[[GroupCommit], Awaitable[Any]], **options: Any) -> Any:
    """Run the coroutine beside a journal that is closed afterwards."""

    async def run() -> Any:
        group_commit = GroupCommit(**options)
        try:
            return await test(group_commit)
        finally:
            await group_commit.close()

    return asyncio.run(run())


class PausedWriter(Writer):
    """A real writer that waits to be let go, and remembers the batches it got."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.started = asyncio.Event()
        self.batches: list[int] = []
        self._real = new_writer()

    async def write(self, rows: Sequence[ReceiptRow]) -> list[StoredReceipt]:
        self.started.set()
        await self.go.wait()
        self.batches.append(len(rows))
        return await self._write(rows)

    async def _write(self, rows: Sequence[ReceiptRow]) -> list[StoredReceipt]:
        return await self._real.write(rows)

    async def _insert(self, rows: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None:
        await self._real.close()


def test_a_row_is_kept_with_everything_it_came_with(agency: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow")[0]
    sent = row(agency, b"k", source_id=source.pk, body=bytes(range(256)))

    stored = with_group_commit(lambda group_commit: group_commit.store(sent))

    receipt = Receipt.objects.get()
    assert stored == StoredReceipt(receipt.sequence, duplicate=False)
    assert (receipt.source, receipt.agency, receipt.provider) == (source, agency, "salesflow")
    assert bytes(receipt.body) == sent.body
    assert bytes(receipt.dedupe_key) == sent.dedupe_key
    assert receipt.headers == sent.headers
    assert receipt.received_at == sent.received_at == receipt.next_attempt_at


def test_a_written_row_has_the_values_that_the_model_would_give_it() -> None:
    model = Receipt(source_id="src_1", provider="salesflow", received_at=timezone.now(), body=b"", dedupe_key=b"")
    written = {"sequence", "source_id", "agency_id", "provider", "dedupe_key", "headers", "body"}
    times = {"received_at", "next_attempt_at"}
    optional = {field.attname for field in Receipt._meta.concrete_fields if field.null} - {"agency_id"}

    assert {field.attname for field in Receipt._meta.concrete_fields} == {*written, *times, *optional, *COLUMN_DEFAULTS}
    assert {name: getattr(model, name) for name in COLUMN_DEFAULTS} == COLUMN_DEFAULTS
    assert isinstance(Receipt._meta.get_field("sequence"), models.BigAutoField)


def test_sequences_follow_arrival_whatever_the_keys(db: None) -> None:
    keys = [b"%03d" % (n * 37 % 50) for n in range(50)]

    async def store_all(group_commit: GroupCommit) -> list[StoredReceipt]:
        return await asyncio.gather(*(group_commit.store(row(key=key)) for key in keys))

    stored = with_group_commit(store_all)

    sequences = [one.sequence for one in stored]
    assert sequences == sorted(sequences)
    assert [bytes(r.dedupe_key)[:3] for r in Receipt.objects.order_by("sequence")] == keys


def test_equal_keys_are_one_row_within_a_batch_and_across_batches() -> None:
    async def store_all(group_commit: GroupCommit) -> list[list[StoredReceipt]]:
        return [await asyncio.gather(*(group_commit.store(row(key=b"same")) for _ in range(16))) for _ in range(2)]

    first, second = with_group_commit(store_all)

    receipt = Receipt.objects.get()
    assert first == [StoredReceipt(receipt.sequence, False), *[StoredReceipt(receipt.sequence, True)] * 15]
    assert second == [StoredReceipt(receipt.sequence, True)] * 16


def test_equal_keys_of_two_sources_are_two_rows() -> None:
    async def store_both(group_commit: GroupCommit) -> list[StoredReceipt]:
        return await asyncio.gather(*(group_commit.store(row(key=b"same", source_id=f"src_{n}")) for n in range(2)))

    assert [stored.duplicate for stored in with_group_commit(store_both)] == [False, False]
    assert Receipt.objects.count() == 2


def test_a_batch_ends_at_64_rows_and_what_waits_is_written_together() -> None:
    writer = PausedWriter()

    async def store_many(group_commit: GroupCommit) -> None:
        first = asyncio.ensure_future(group_commit.store(row(key=b"first")))
        await writer.started.wait()
        rest = [asyncio.ensure_future(group_commit.store(row(key=b"%d" % n))) for n in range(130)]
        await asyncio.sleep(0.05)
        writer.go.set()
        await asyncio.gather(first, *rest)

    with_group_commit(store_many, writer=writer)

    assert writer.batches == [1, 64, 64, 2]
    assert Receipt.objects.count() == 131


def test_a_batch_ends_at_4_mebibytes() -> None:
    class Counting(PausedWriter):
        async def _write(self, rows: Sequence[ReceiptRow]) -> list[StoredReceipt]:
            return [StoredReceipt(1, False)] * len(rows)

    writer = Counting()
    large = b"x" * (1024 * 1024)

    async def store_many(group_commit: GroupCommit) -> None:
        first = asyncio.ensure_future(group_commit.store(row(key=b"first")))
        await writer.started.wait()
        rest = [asyncio.ensure_future(group_commit.store(row(key=b"%d" % n, body=large))) for n in range(6)]
        await asyncio.sleep(0.05)
        writer.go.set()
        await asyncio.gather(first, *rest)

    with_group_commit(store_many, writer=writer)

    assert writer.batches == [1, 4, 2]


@pytest.mark.parametrize(("rows", "size"), [(group_commits.MAX_QUEUED_ROWS, 2), (32, 1024 * 1024)])
def test_what_does_not_fit_into_the_queue_is_refused_at_once_and_the_rest_is_kept(rows: int, size: int) -> None:
    writer = PausedWriter()

    async def overfill(group_commit: GroupCommit) -> list[Any]:
        first = asyncio.ensure_future(group_commit.store(row(key=b"first")))
        await writer.started.wait()
        fits = [asyncio.ensure_future(group_commit.store(row(key=b"%d" % n, body=b"x" * size))) for n in range(rows)]
        await asyncio.sleep(0)
        with pytest.raises(StorageDown):
            await group_commit.store(row(key=b"one more", body=b"x" * size))
        writer.go.set()
        return await asyncio.gather(first, *fits, return_exceptions=True)

    results = with_group_commit(overfill, writer=writer)

    stored = [result for result in results if isinstance(result, StoredReceipt)]
    assert len(stored) == Receipt.objects.count()
    assert not Receipt.objects.filter(dedupe_key=b"one more".ljust(32, b".")).exists()


def test_a_poison_row_fails_alone() -> None:
    """A source id that is too long (PostgreSQL) or headers that no JSON can hold (SQLite): the database says no."""
    poison = row(key=b"poison", source_id="s" * 100, headers={"x": object()})  # type: ignore[dict-item]
    writer = PausedWriter()

    async def store_all(group_commit: GroupCommit) -> list[Any]:
        first = asyncio.ensure_future(group_commit.store(row(key=b"first")))
        await writer.started.wait()
        rows = [row(key=b"1"), poison, row(key=b"2"), row(key=b"1")]
        waiting = [asyncio.ensure_future(group_commit.store(one)) for one in rows]
        await asyncio.sleep(0.05)
        writer.go.set()
        return [await first, *await asyncio.gather(*waiting, return_exceptions=True)]

    _, one, poisoned, two, one_again = with_group_commit(store_all, writer=writer)

    assert isinstance(poisoned, StorageDown)
    assert (one.duplicate, two.duplicate) == (False, False)
    assert one_again == StoredReceipt(one.sequence, duplicate=True)
    assert Receipt.objects.count() == 3


def test_a_lost_commit_is_written_again_and_stays_one_row() -> None:
    """The connection breaks after the commit, before its answer: nobody knows, so the same row is written again."""

    class Forgetful(PausedWriter):
        failures = 1

        async def _write(self, rows: Sequence[ReceiptRow]) -> list[StoredReceipt]:
            stored = await self._real.write(rows)
            if self.failures:
                self.failures -= 1
                raise StorageDown("the connection was lost")
            return stored

    writer = Forgetful()
    writer.go.set()

    stored = with_group_commit(lambda group_commit: group_commit.store(row(key=b"k")), writer=writer)

    assert stored.sequence == Receipt.objects.get().sequence


def test_a_row_that_would_be_late_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commits, "ROW_TIMEOUT", 1.4)
    writer = PausedWriter()

    async def store_two(group_commit: GroupCommit) -> Any:
        first = asyncio.ensure_future(group_commit.store(row(key=b"first")))
        await writer.started.wait()
        second = asyncio.ensure_future(group_commit.store(row(key=b"second")))
        await asyncio.sleep(0.5)
        writer.go.set()
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = with_group_commit(store_two, writer=writer)

    assert isinstance(first, StoredReceipt)
    assert isinstance(second, StorageDown)
    assert Receipt.objects.count() == 1


def test_a_row_whose_client_has_waited_for_its_source_already_is_not_begun() -> None:
    writer = PausedWriter()
    writer.go.set()

    async def store_one(group_commit: GroupCommit) -> None:
        with pytest.raises(StorageDown):
            await group_commit.store(row(), waited=1.0)

    with_group_commit(store_one, writer=writer)
    assert writer.batches == []


def test_a_writer_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commits, "STATEMENT_TIMEOUT", 0.1)  # it is begun
    monkeypatch.setattr(group_commits, "ROW_TIMEOUT", 0.3)
    writer = PausedWriter()

    async def store_one(group_commit: GroupCommit) -> None:
        with pytest.raises(StorageDown):
            await group_commit.store(row(key=b"first"))
        assert writer.started.is_set()
        assert not writer.go.is_set()
        writer.go.set()

    with_group_commit(store_one, writer=writer)


def test_a_postgresql_that_accepts_and_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def get_connection_params(self) -> dict[str, Any]:
            return {"host": "127.0.0.1", "port": silent.getsockname()[1], "dbname": "x", "user": "x"}

    async def store_one(group_commit: GroupCommit) -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(StorageDown):
            await group_commit.store(row(key=b"first"))
        return asyncio.get_running_loop().time() - began

    monkeypatch.setattr("webhooks.ingest.writers.postgresql.connection_with_timeouts", Silent)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert with_group_commit(store_one, writer=PostgresWriter()) < 2


def test_a_postgresql_is_told_who_connects_and_how_long_a_statement_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    class Options:
        def get_connection_params(self) -> dict[str, Any]:
            options = "-c statement_timeout=30000 -c statement_timeout=1200"
            about = {"dbname": "leads & more", "user": "a+b%41", "options": options, "context": None}
            return {
                "host": "127.0.0.1",
                "port": server.getsockname()[1],
                "sslmode": "disable",
                "context": None,
                **about,
            }

    async def store_one(group_commit: GroupCommit) -> bytes:
        hello = asyncio.get_running_loop().run_in_executor(None, greet)
        with pytest.raises(StorageDown):
            await group_commit.store(row(key=b"first"))
        return await hello

    def greet() -> bytes:
        client, _ = server.accept()
        server.close()
        with client:
            return client.recv(1000)

    monkeypatch.setattr("webhooks.ingest.writers.postgresql.connection_with_timeouts", Options)
    with socket.create_server(("127.0.0.1", 0)) as server:
        hello = with_group_commit(store_one, writer=PostgresWriter())
    said = hello[8:].rstrip(b"\0").split(b"\0")
    assert dict(zip(said[::2], said[1::2], strict=True)).items() >= {
        (b"user", b"a+b%41"),
        (b"database", b"leads & more"),
        (b"options", b"-c statement_timeout=30000 -c statement_timeout=1200"),
    }


def test_closing_writes_what_waits_and_refuses_what_comes(db: None) -> None:
    async def close_while_writing() -> list[Any]:
        group_commit = GroupCommit()
        waiting = [asyncio.ensure_future(group_commit.store(row(key=b"%d" % n))) for n in range(100)]
        await asyncio.sleep(0)
        await group_commit.close()
        with pytest.raises(StorageDown):
            await group_commit.store(row(key=b"too late"))
        return await asyncio.gather(*waiting)

    stored = asyncio.run(close_while_writing())

    assert len({one.sequence for one in stored}) == 100 == Receipt.objects.count()


def test_the_bell_rings_for_new_rows_only(db: None) -> None:
    wake_ups: list[int] = []

    async def store_thrice(group_commit: GroupCommit) -> None:
        for key in (b"a", b"a", b"b"):
            await group_commit.store(row(key=key))

    with_group_commit(store_thrice, on_stored=lambda: wake_ups.append(1))

    assert len(wake_ups) == 2


def test_two_processes_with_the_same_keys_in_opposite_orders_agree(db: None) -> None:
    keys = [b"%02d" % n for n in range(40)]

    async def store_all(order: list[bytes]) -> dict[bytes, StoredReceipt]:
        group_commit = GroupCommit()
        stored = await asyncio.gather(*(group_commit.store(row(key=key)) for key in order))
        await group_commit.close()
        return dict(zip(order, stored, strict=True))

    found: list[dict[bytes, StoredReceipt]] = []
    workers = [
        threading.Thread(target=lambda order=order: found.append(asyncio.run(store_all(order))))
        for order in (keys, keys[::-1])
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Receipt.objects.count() == 40
    assert [found[0][key].sequence for key in keys] == [found[1][key].sequence for key in keys]
    assert all(found[0][key].duplicate != found[1][key].duplicate for key in keys)


def test_an_outage_is_logged_once_a_second_however_many_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    class Down(PausedWriter):
        async def _write(self, rows: Sequence[ReceiptRow]) -> list[StoredReceipt]:
            raise StorageDown("the connection was lost")

    async def refuse(group_commit: GroupCommit) -> None:
        for _ in range(30):
            with pytest.raises(StorageDown):
                await group_commit.store(row())

    writer = Down()
    writer.go.set()
    with_group_commit(refuse, writer=writer)
    said = [record for record in caplog.records if "could not be stored" in record.getMessage()]
    assert 1 <= len(said) < 30
