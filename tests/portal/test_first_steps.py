"""A new agency is led through its first steps, each with its button; they are gone when done."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.core.enums import Role
from accounts.models import Agency, Calendar, Source
from accounts.sources.service import create_source
from accounts.tenancy.team import invite_member
from config.backoffice.first_steps import NEW_FOR, open_steps
from notifications.channels.service import create_channel
from tests.portal.browser import Browser
from webhooks.models import Receipt

pytestmark = pytest.mark.one_backend


def card(client: Client) -> str:
    page = " ".join(client.get("/").content.decode().split())
    return page.partition("First steps</h2>")[2].partition("</section>")[0]


def receive(source: Source) -> None:
    Receipt.objects.create(
        source=source,
        agency=source.agency,
        provider=source.provider,
        dedupe_key=b"1",
        body=b"{}",
        received_at=timezone.now(),
    )


def left(agency: Agency, role: Role = Role.OWNER) -> list[str]:
    return [str(shown.step.title) for shown in open_steps(Agency.objects.get(pk=agency.pk), role) if not shown.done]


@pytest.mark.django_db
def test_each_step_has_its_button_and_is_gone_when_done(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    shown = card(owner)
    assert 'class="done"' not in shown
    buttons = re.findall(r'class="btn btn-sm" href="(.*?)"', shown)
    assert [*dict.fromkeys(buttons)][:4] == ["/settings", "/sources", "/notifications", "/team"]
    source, _ = create_source(agency=agency, provider="salesflow")
    assert card(owner).count('class="done"') == 1
    agency.timezone = "Europe/Berlin"
    agency.save()
    assert 'href="/hours">Set time zone and hours' in card(owner)
    Calendar.objects.create(agency=agency, name="Sales", timezone="Europe/Berlin")
    assert card(owner).count('class="done"') == 2
    receive(source)
    create_channel(agency, kind="slack", url="https://hooks.example.com/services/x")
    invite_member(agency, email="new@example.com", role=Role.MANAGER)
    assert left(agency) == ["Add your brand"]
    Agency.objects.filter(pk=agency.pk).update(created_at=timezone.now() - NEW_FOR - timedelta(days=1))
    assert card(owner) == ""


@pytest.mark.django_db
def test_an_old_agency_is_led_again_only_where_nothing_comes_in_or_goes_out(agency: Agency) -> None:
    Agency.objects.filter(pk=agency.pk).update(created_at=timezone.now() - NEW_FOR - timedelta(days=1))
    assert "Connect a source" in left(agency)
    source, _ = create_source(agency=agency, provider="salesflow")
    receive(source)
    assert "Turn on notifications" in left(agency)
    create_channel(agency, kind="slack", url="https://hooks.example.com/services/x")
    assert left(agency) == []


@pytest.mark.django_db
def test_who_may_not_do_a_step_sees_no_button(sign_in: Browser) -> None:
    buttons = {role: re.findall(r'class="btn btn-sm" href="(.*?)"', card(sign_in(role))) for role in Role}
    assert "/team" in buttons[Role.OWNER]
    assert "/team" not in buttons[Role.MANAGER]
    assert "/settings" in buttons[Role.MANAGER]
    assert buttons[Role.READ_ONLY] == []
