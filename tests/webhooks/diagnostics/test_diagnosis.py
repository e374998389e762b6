"""Refused requests that reach the doctor: what staff and agencies then read, and what stays out of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone, translation

from accounts.models import Agency, Source, SourceSecret
from accounts.sources.service import EXPIRED_SECRET_LIFETIME, create_source, rotate_secret
from accounts.tasks import tidy
from tests.webhooks.ingest_server import Server, serving, wait_until
from webhooks.ingest import rejections
from webhooks.models import RejectedRequest
from webhooks.providers import PROVIDERS

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = "the-secret-before-0001", "the-secret-of-today-0002"


@pytest.fixture
def server(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(rejections, "SAMPLE_INTERVAL", 0.0)
    with serving() as server:
        yield server


def send(server: Server, source: Source, secret: str) -> int:
    body, headers = PROVIDERS[source.provider].sign(b'{"a": 1}', secret, at=timezone.now())
    return server.post(f"/webhooks/{source.provider}/{source.token}", body, headers).status


def row_of(source: Source, count: int) -> RejectedRequest:
    return wait_until(lambda: RejectedRequest.objects.filter(source=source, count=count).first(), seconds=3)


@pytest.mark.once
@pytest.mark.parametrize("provider", ["salesflow", "linkedin", "welink", "sendpilot"])
def test_an_old_secret_is_recognised_after_its_overlap(server: Server, agency: Agency, provider: str) -> None:
    source = create_source(agency=agency, provider=provider, secret=OLD)[0]
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        rotate_secret(source, NEW)

    assert [send(server, source, secret) for secret in (NEW, OLD)] == [200, 401]

    found = wait_until(lambda: RejectedRequest.objects.filter(diagnosed_at__isnull=False).first(), seconds=3)
    assert (found.reason, found.count) == ("wrong_signature", 1)
    assert "an old secret of this source, which ended 2 days ago" in found.diagnosis
    assert OLD not in found.diagnosis
    assert NEW not in found.diagnosis


@pytest.mark.one_backend
def test_a_finding_outlasts_requests_that_tell_nothing(server: Server, agency: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow", secret=NEW)[0]
    other = create_source(agency=agency, provider="salesflow", secret=OLD, name="Sales team")[0]

    assert send(server, source, OLD) == 401
    wait_until(lambda: "Sales team" in row_of(source, 1).diagnosis)
    for number in range(2, 5):
        assert send(server, source, f"a guess {number}") == 401
        assert "another source of yours, “Sales team”" in row_of(source, number).diagnosis

    with time_machine.travel(timezone.now() + rejections.DIAGNOSIS_LIFETIME + timedelta(minutes=1)):
        assert send(server, source, "a guess") == 401
        wait_until(lambda: "None of the usual mistakes" in row_of(source, 5).diagnosis)
    assert not RejectedRequest.objects.filter(source=other).exists()


def test_a_strangers_secret_is_not_recognised(server: Server, agency: Agency, stranger: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow", secret=NEW)[0]
    create_source(agency=stranger, provider="salesflow", secret=OLD, name="Theirs")

    assert send(server, source, OLD) == 401

    wait_until(lambda: "None of the usual mistakes" in row_of(source, 1).diagnosis)
    assert RejectedRequest.objects.get().diagnosed_at is None


def test_the_answer_tells_the_sender_nothing_of_it(server: Server, agency: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow", secret=NEW)[0]
    answer = server.post(f"/webhooks/salesflow/{source.token}", b"{}", {"x-webhook-secret": f"Bearer {NEW}"})
    assert answer.status == 401
    assert answer.json["detail"] == "The x-webhook-secret header is not this source's secret."
    wait_until(lambda: "Bearer before it" in row_of(source, 1).diagnosis)
    with translation.override("de"):
        assert "Vor dem Secret steht Bearer" in row_of(source, 1).why


def test_old_secrets_are_forgotten(agency: Agency) -> None:
    source = create_source(agency=agency, provider="salesflow", secret=OLD)[0]
    rotate_secret(source, NEW)
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        tidy()
    assert SourceSecret.objects.count() == 2
    with time_machine.travel(timezone.now() + EXPIRED_SECRET_LIFETIME + timedelta(days=2)):
        tidy()
    assert [row.secret for row in SourceSecret.objects.all()] == [NEW]
