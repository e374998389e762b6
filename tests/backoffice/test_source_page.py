"""What staff see of a source's health, and how they get a blocked one going again."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.core.enums import IssueKind
from accounts.models import Agency, Source
from accounts.sources import issues, recovery
from accounts.sources.service import create_source, delete_source, update_source
from webhooks.models import LatencyTally, RejectedRequest

LIST = "/admin/accounts/source/"


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def page_of(source: Source) -> str:
    return f"{LIST}{source.pk}/change/"


@pytest.fixture
def source(agency: Agency) -> Source:
    source, _ = create_source(agency=agency, provider="linkedin", secret="client-secret", name="Lead forms")
    Source.objects.filter(pk=source.pk).update(last_receipt_at=timezone.now())
    return source


@pytest.fixture
def recovered() -> Iterator[list[Source]]:
    """A recovery for LinkedIn, and what it was called for."""
    calls: list[Source] = []

    def recover(source: Source) -> str:
        calls.append(source)
        if len(calls) > 1:
            raise ValueError("LinkedIn did not answer. Try again in a few minutes.")
        return "Made 2 subscriptions anew and fetched 3 leads."

    before = dict(recovery._recoveries)
    recovery.register_recovery("linkedin", recover)
    yield calls
    recovery._recoveries.clear()
    recovery._recoveries.update(before)


def test_removed_sources_are_listed_only_when_they_are_asked_for(agency: Agency, signed_in: Client) -> None:
    gone, _ = create_source(agency=agency, provider="salesflow", name="Gone")
    create_source(agency=agency, provider="salesflow", name="Here")
    off, _ = create_source(agency=agency, provider="salesflow", name="Off", enabled=False)
    delete_source(gone)
    names = ("Gone", "Here", "Off")
    sources = {
        query: [name for name in names if f" {name} " in text_of(signed_in, f"{LIST}?{query}")]
        for query in ("", "state=removed", "state=off", "state=issues", f"q={gone.pk}")
    }
    assert sources == {
        "": ["Here", "Off"],
        "state=removed": ["Gone"],
        "state=off": ["Off"],
        "state=issues": [],
        f"q={gone.pk}": ["Gone"],
    }
    issues.open_issue(off, IssueKind.SILENT, detail="")
    assert " Off " in text_of(signed_in, f"{LIST}?state=issues")
    assert " Rotate secret " not in text_of(signed_in, page_of(gone))


def test_the_page_shows_troubles_refusals_answers_and_linkedins_checks(source: Source, signed_in: Client) -> None:
    now = timezone.now()
    assert "Healthy" in text_of(signed_in, LIST)
    issues.open_issue(source, IssueKind.SILENT, detail="Nothing has come for 5 hours.")
    issues.close_issues(source, IssueKind.SILENT)
    issues.open_issue(source, IssueKind.AT_RISK, detail="1 of 3 checks was missed.", level=1)
    Source.objects.filter(pk=source.pk).update(validated_at=now - timedelta(hours=2.5))
    RejectedRequest.objects.create(
        source=source,
        reason="wrong_signature",
        diagnosis="It was made with an old secret.",
        count=7,
        first_seen=now,
        last_seen=now,
    )
    LatencyTally.objects.create(source=source, began_at=now, requests=1200, slow=3)

    page = text_of(signed_in, page_of(source))

    assert "May soon be blocked" in page
    assert "1 of 3 checks was missed." in page
    assert "Nothing has come for 5 hours." in page
    assert "wrong signature 7" in page
    assert "It was made with an old secret." in page
    assert "1,200 answers, 3 of them took more than a second" in page
    assert re.search(r"last checked 2 hours ago\s*, 1 of 3 missed since", page)
    assert "May soon be blocked" in text_of(signed_in, LIST)


def test_a_blocked_source_says_how_to_revalidate_it(source: Source, signed_in: Client) -> None:
    issues.open_issue(source, IssueKind.AT_RISK, detail="", level=2)
    issues.open_issue(source, IssueKind.BLOCKED, detail="3 of 3 checks were missed.", level=3)
    page = text_of(signed_in, page_of(source))
    assert "Blocked by LinkedIn" in page
    assert "LinkedIn's developer portal" in page
    assert "start the check there by hand" in page


def test_staff_recover_a_source_and_are_told_what_was_done(
    source: Source, recovered: list[Source], signed_in: Client
) -> None:
    press = f"{LIST}{source.pk}/press/recover/"
    assert "Recover now" in text_of(signed_in, page_of(source))
    assert "Made 2 subscriptions anew" in signed_in.post(press, follow=True).content.decode()
    assert "LinkedIn did not answer." in signed_in.post(press, follow=True).content.decode()
    assert recovered == [source, source]
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Recovered."]


def test_without_a_recovery_none_is_offered(agency: Agency, recovered: list[Source], signed_in: Client) -> None:
    source, _ = create_source(agency=agency, provider="salesflow")
    assert "The provider is asked anew" not in signed_in.get(page_of(source)).content.decode()
    answer = signed_in.post(f"{LIST}{source.pk}/press/recover/", follow=True)
    assert "cannot be recovered from here" in answer.content.decode()
    assert recovered == []


def test_credentials_that_no_key_opens_break_no_page_and_can_be_written_anew(source: Source, signed_in: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_source SET credentials = 'damaged' WHERE id = %s", [source.pk])
    assert "none of today's encryption keys opens them" in text_of(signed_in, page_of(source))
    assert Source.objects.get(pk=source.pk).readable_credentials == {}
    update_source(Source.objects.get(pk=source.pk), credentials={"client_id": "new"})
    assert "stored: client_id" in text_of(signed_in, page_of(source))
