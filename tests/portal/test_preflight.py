"""Beside the box for a reply stands what speaks for and against a message now, and what helps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus, Role
from accounts.models import Account, Agency, Source
from accounts.sources.service import create_source
from leads.models import Lead, Message, Sending, Thread
from leads.pipeline.changes import create_lead
from leads.sequences.preflight import preflight
from leads.sequences.templates import create_template
from tests.factories import make_message, make_sending
from tests.portal.browser import Browser

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def thread(agency: Agency, clock: Any) -> Thread:
    """A conversation over SendPilot whose lead, in Berlin, has not written yet."""
    create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})
    account = Account.objects.create(
        agency=agency, provider="sendpilot", external_id="ada", email="ada@example.com", status=AccountStatus.ACTIVE,
        status_since=timezone.now(), reported_at=timezone.now(),
    )  # fmt: skip
    set_senders(account, ["sender-1"])
    lead = create_lead(agency, name="Grace", linkedin_url="https://www.linkedin.com/in/grace", country="Germany")
    now = timezone.now()
    return Thread.objects.create(agency=agency, lead=lead, account=account, provider="sendpilot", last_message_at=now)


def found(thread: Thread, text: str = "", **more: Any) -> dict[str, tuple[str, str]]:
    thread = Thread.objects.select_related("lead", "account").get(pk=thread.pk)
    return {check.name: (check.level.value, check.result) for check in preflight(thread, text, **more)}


def levels(thread: Thread, text: str = "", **more: Any) -> dict[str, str]:
    return {name: level for name, (level, _) in found(thread, text, **more).items()}


def test_all_is_fine_for_a_lead_that_wrote_in_its_working_hours(thread: Thread) -> None:
    make_message(thread.lead, text="Tell me more")
    assert set(levels(thread).values()) == {"good"}
    assert "10:00" in found(thread)["Local time"][1]


@pytest.mark.parametrize(
    ("status", "level", "result"),
    [("disconnected", "warn", "The account is disconnected."), ("active", "good", "The account is ready to send.")],
)
def test_the_account_is_ready_or_a_message_waits(thread: Thread, status: str, level: str, result: str) -> None:
    Account.objects.update(status=status)
    assert found(thread)["Account"] == (level, result)


def test_without_a_key_nothing_can_be_sent(thread: Thread) -> None:
    Source.objects.all().delete()
    assert levels(thread)["Account"] == "stop"


def test_a_lead_that_never_accepted_may_be_no_connection(thread: Thread) -> None:
    assert levels(thread)["Connection"] == "unknown"
    make_message(thread.lead, text="Hello")
    assert levels(thread)["Connection"] == "good"


@pytest.mark.parametrize(
    ("hours", "country", "level"),
    [(0, "Germany", "good"), (10, "Germany", "warn"), (24 * 5, "Germany", "warn"), (0, "", "unknown")],
)
def test_the_leads_local_time_is_asked(
    thread: Thread, clock: time_machine.Traveller, hours: int, country: str, level: str
) -> None:
    Lead.objects.update(country=country, country_code="DE" if country else "")
    clock.shift(timedelta(hours=hours))
    assert levels(thread)["Local time"] == level


def test_who_wrote_last_and_when(thread: Thread, clock: time_machine.Traveller) -> None:
    assert found(thread)["Last message"] == ("good", "Nobody has written to this lead yet.")
    message = make_message(thread.lead, text="Hello", author="member")
    Message.objects.update(user=User.objects.create_user("anna", first_name="Anna", last_name="Smith"))
    level, result = found(thread)["Last message"]
    assert (level, result.startswith("Anna Smith wrote on")) == ("warn", True)
    clock.shift(timedelta(hours=25))
    assert levels(thread)["Last message"] == "good"
    make_message(thread.lead, text="We saw your talk", author="automation")
    assert found(thread)["Last message"][1].startswith("A sequence wrote on")
    clock.shift(timedelta(minutes=5))
    make_message(thread.lead, text="Yes?")
    Thread.objects.filter(pk=message.thread_id).update(last_received_at=timezone.now())
    assert levels(thread)["Last message"] == "good"


def test_a_message_of_which_nobody_knows_whether_it_was_sent_comes_first(thread: Thread) -> None:
    make_sending(thread.lead, text="Hello", state="unknown")
    level, result = found(thread)["Last message"]
    assert (level, "not known whether" in result) == ("warn", True)


def test_notes_are_counted_for_a_lead_that_is_no_connection(thread: Thread) -> None:
    assert found(thread)["Notes"] == (
        "good", "3 of 3 invitations of this account may still have a note within 30 days."
    )  # fmt: skip
    sending = make_sending(thread.lead, text="Hello", state="sent")
    Sending.objects.update(kind="invitation", called_at=timezone.now())
    Message.objects.filter(pk=sending.pk).update(account=thread.account)
    assert found(thread)["Notes"][1].startswith("2 of 3")


@pytest.mark.parametrize(("length", "level"), [(10, "good"), (7_500, "warn"), (8_001, "stop")])
def test_the_length_is_compared_with_what_the_channel_takes(thread: Thread, length: int, level: str) -> None:
    assert levels(thread, "a" * length)["Length"] == level


def test_a_template_fills_the_box_and_what_it_found_nothing_for_is_named(
    agency: Agency, thread: Thread, sign_in: Browser
) -> None:
    client: Client = sign_in(Role.MANAGER)
    template = create_template(
        agency, name="Hello", channel="linkedin", text="Hello {{ name }}, how is {{ company }} doing?"
    )
    assert "Fill in the template" in client.get(f"/inbox/{thread.pk}").content.decode()
    shown = client.get(f"/inbox/{thread.pk}?template={template.pk}").content.decode()
    assert "Hello Grace, how is  doing?" in shown
    assert "The template found nothing for: Company." in shown
    assert f'href="/leads/{thread.lead_id}"' in shown


def test_who_may_only_read_sees_no_checks(thread: Thread, sign_in: Browser) -> None:
    assert "Before you send" not in sign_in(Role.READ_ONLY).get(f"/inbox/{thread.pk}").content.decode()
