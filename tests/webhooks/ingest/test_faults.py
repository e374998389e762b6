"""When the database is away or slow: 503 (429 for HighLevel) within two seconds, and nothing half-accepted."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import Agency, Source
from accounts.sources.service import create_source
from tests.webhooks.ingest_server import Answer, Server, read_answer, request_bytes, serving, wait_until
from webhooks.models import Receipt, RejectedRequest

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"EventType":"ACCOUNT_STATUS_CHANGED"}'


@pytest.fixture
def source(agency: Agency) -> Source:
    return create_source(agency=agency, provider="salesflow", secret=SECRET)[0]


def post(server: Server, source: Source, body: bytes = BODY) -> Answer:
    return server.post(f"/webhooks/{source.provider}/{source.token}", body, {"x-webhook-secret": SECRET})


@contextmanager
def database_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No new connection finds the database, and those that are open break."""
    connection.ensure_connection()  # the test's own stays
    with monkeypatch.context() as patch:
        if connection.vendor == "postgresql":
            patch.setitem(connections.settings["default"], "PORT", "1")
            close_connections()
        else:
            patch.setitem(connections.settings["default"], "NAME", "/nowhere/at/all.sqlite3")
        yield


def close_connections() -> None:
    """As a restart of the database does; SQLite has no connections to lose."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@contextmanager
def receipts_locked() -> Iterator[None]:
    """Another session holds what every insert needs."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE webhooks_receipt IN SHARE MODE")
        yield


def assert_refused(answer: Answer, status: int = 503) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1


def test_nobody_is_answered_200_while_the_database_cannot_be_reached(
    transactional_db: None, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_away(monkeypatch), serving() as server:
        for _ in range(3):
            assert_refused(post(server, source))

    assert Receipt.objects.count() == 0


def test_highlevel_is_told_429_because_it_sends_nothing_else_again(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = create_source(agency=None, provider="highlevel")[0]

    with database_away(monkeypatch), serving() as server:
        assert_refused(post(server, source), 429)


def test_a_database_that_can_only_be_read_is_503_and_keeps_nothing(
    transactional_db: None, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = connections.settings["default"]["OPTIONS"]
    if connection.vendor == "postgresql":
        monkeypatch.setitem(options, "options", f"{options['options']} -c default_transaction_read_only=on")
    else:
        monkeypatch.setitem(options, "init_command", f"{options['init_command']} PRAGMA query_only=ON;")

    with serving() as server:
        for _ in range(2):
            assert_refused(post(server, source))
        assert server.post("/webhooks/salesflow/nobody").status == 404

    assert Receipt.objects.count() == 0


def test_an_unknown_provider_is_404_even_without_a_database(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_away(monkeypatch), serving() as server:
        assert server.post("/webhooks/nobody/abc").status == 404


def test_a_locked_table_is_answered_503_in_time_and_leaves_nothing_behind(server: Server, source: Source) -> None:
    assert post(server, source).status == 200

    with receipts_locked():
        assert_refused(post(server, source))
        assert_refused(post(server, source))

    wait_until(lambda: post(server, source).status == 200)
    assert Receipt.objects.count() == 2


def test_requests_that_queue_behind_a_lock_are_all_answered_in_time(server: Server, source: Source) -> None:
    assert post(server, source).status == 200
    answers: list[Answer] = []
    senders = [threading.Thread(target=lambda: answers.append(post(server, source))) for _ in range(20)]

    with receipts_locked():
        for sender in senders:
            sender.start()
            time.sleep(0.02)
        for sender in senders:
            sender.join()

    assert len(answers) == 20
    for answer in answers:
        assert_refused(answer)
    time.sleep(1.5)  # longer than any statement of theirs could still run
    assert Receipt.objects.count() == 1


@pytest.mark.fault
def test_whoever_waits_in_vain_is_answered_within_two_seconds(server: Server, source: Source) -> None:
    assert post(server, source).status == 200
    answers: list[Answer] = []
    senders = [threading.Thread(target=lambda: answers.append(post(server, source))) for _ in range(20)]

    with receipts_locked():
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    assert max(answer.seconds for answer in answers) < 2


def test_a_dropped_connection_costs_nobody_an_answer(server: Server, source: Source) -> None:
    assert post(server, source).status == 200

    for _ in range(3):
        close_connections()
        assert post(server, source).status == 200

    assert Receipt.objects.count() == 4


def test_a_client_that_leaves_does_not_take_its_row_with_it(server: Server, source: Source) -> None:
    assert post(server, source).status == 200
    request = request_bytes("POST", f"/webhooks/salesflow/{source.token}", BODY, {"x-webhook-secret": SECRET})

    with receipts_locked(), server.connect() as client:
        client.sendall(request)
        time.sleep(0.2)

    wait_until(lambda: Receipt.objects.count() == 2)


def test_what_was_accepted_is_written_when_the_server_is_told_to_stop(source: Source) -> None:
    with serving() as server:
        assert post(server, source).status == 200
        assert post(server, source, b"{}").status == 200
        server.post(f"/webhooks/salesflow/{source.token}")

    assert Receipt.objects.count() == 2
    assert RejectedRequest.objects.get().count == 1


def test_rejections_survive_a_moment_without_a_database(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert post(server, source).status == 200
    forged = f"/webhooks/salesflow/{source.token}"
    assert server.post(forged).status == 401
    wait_until(lambda: RejectedRequest.objects.filter(count=1))

    with rejections_locked():
        assert server.post(forged).status == 401
        assert server.post(forged).status == 401
        time.sleep(0.3)

    wait_until(lambda: RejectedRequest.objects.filter(count=3), seconds=8)


@contextmanager
def rejections_locked() -> Iterator[None]:
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE webhooks_rejectedrequest IN SHARE MODE")
        yield


def test_a_failure_of_ours_is_no_500_and_keeps_nothing(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("webhooks.providers.salesflow.Salesflow.verify", broken)

    assert_refused(post(server, source))
    assert Receipt.objects.count() == 0


def test_a_request_in_pieces_is_put_together(server: Server, source: Source) -> None:
    request = request_bytes("POST", f"/webhooks/salesflow/{source.token}", BODY, {"x-webhook-secret": SECRET})

    with server.connect() as client:
        for part in (request[:10], request[10:60], request[60:-3], request[-3:]):
            client.sendall(part)
            time.sleep(0.05)
        answer = read_answer(client)

    assert answer.status == 200
    assert bytes(Receipt.objects.get().body) == BODY
