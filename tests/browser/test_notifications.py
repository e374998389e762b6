"""A summary as people see it, and the form that asks for it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.core.enums import EventType, Role
from accounts.events.outbox import record_event
from accounts.models import Agency, Member
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.changes import create_lead, set_status
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.models import Channel
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def summary(agency: Agency) -> str:
    """A day's mail. Made before there is a browser: both want the thread's event loop."""
    create_channel(agency, kind="email", email="team@example.com", verified=True, mode="daily")
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        for name, statuses in (
            ("Ada Lovelace", (LeadStatus.CONNECTION_SENT, LeadStatus.CONNECTION_ACCEPTED, LeadStatus.MESSAGE_SENT)),
            ("Charles Babbage", (LeadStatus.REPLY_RECEIVED,)),
            ("Grace Hopper", ()),
        ):
            lead = create_lead(agency, name=name)
            for status in statuses:
                clock.shift(timedelta(minutes=20))
                set_status(lead, status=status, changed_by=ChangedBy.USER)
        record_event(agency, EventType.LINKEDIN_DISCONNECTED, subject="acc_x", linkedin_account_name="John Doe")
        record_event(agency, EventType.CAMPAIGN_PAUSED, subject="cmp_x", campaign_name="Founders in Berlin")
        fan_out_due_events()
        clock.move_to(datetime(2026, 3, 3, 8, tzinfo=UTC))
        drain_deliveries()
    [message] = mail.outbox
    return str(message.alternatives[0][0])  # type: ignore[union-attr]


def test_a_summary_reads_well_by_day_and_by_night(summary: str, visit: Visit) -> None:
    for scheme in ("light", "dark"):
        visit.page.emulate_media(color_scheme=scheme)
        visit.page.set_content(summary)
        visit.look(f"summary-{scheme}")
    assert visit.page.get_by_role("heading", name="Needs attention").count() == 1


def sign_in(agency: Agency, visit: Visit) -> Page:
    user = User.objects.create_user("manager@example.com", "manager@example.com")
    Member.objects.create(agency=agency, user=user, role=Role.MANAGER)
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    visit.page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": settings.PUBLIC_URL}]
    )
    return visit.page


def test_a_tick_means_only_what_is_ticked(agency: Agency, visit: Visit) -> None:
    page = sign_in(agency, visit)
    page.goto(f"{settings.PUBLIC_URL}/notifications")
    page.get_by_role("link", name="Add a Slack channel").click()
    form = page.locator("form[action$='/add/slack']")
    form.get_by_label("Slack's webhook URL").fill("https://hooks.slack.example.com/services/x")
    opportunity = form.locator("[name=event_types][value=lead_opportunity]")
    form.locator("[name=listens][value=some]").check()
    opportunity.check()
    form.locator("[name=listens][value=all]").check()
    expect(opportunity).to_be_hidden()
    expect(opportunity).not_to_be_checked()
    form.locator("[name=listens][value=some]").check()
    opportunity.check()
    form.locator("button[type=submit]").last.click()
    page.get_by_text("hooks.slack.example.com").first.wait_for()
    assert Channel.objects.get(kind="slack").event_types == ["lead_opportunity"]


def test_a_manager_chooses_when_a_mailbox_gets_its_mail(agency: Agency, visit: Visit) -> None:
    channel, _ = create_channel(agency, kind="email", email="team@example.com", name="Team", verified=True)
    page = sign_in(agency, visit)
    page.goto(f"{settings.PUBLIC_URL}/notifications")
    card = page.locator(f"#{channel.pk}")
    card.get_by_text("Edit", exact=True).click()
    card.get_by_text("More settings").click()
    card.get_by_label("as a digest once a day").check()
    card.get_by_label("Daily digest at").fill("17:30")
    card.get_by_label("Quiet from").fill("22:00")
    card.get_by_label("Quiet until").fill("07:00")
    card.get_by_label("Time zone").fill("Europe/Berlin")
    card.get_by_label("Monday").check()
    card.get_by_label("Include test leads").check()
    visit.look("notifications-form")
    card.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    visit.look("notifications-saved")
    channel.refresh_from_db()
    assert (channel.mode, channel.working_days, channel.timezone) == ("daily", ["mon"], "Europe/Berlin")
    assert channel.digest_at == "17:30"
    assert channel.quiet_hours == {"start": "22:00", "end": "07:00"}
    assert Channel.objects.get().test_events
