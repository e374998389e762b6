"""Times read as they are written where the agency is; the API has ISO."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client

from accounts.core.enums import Scope
from accounts.models import Agency
from accounts.tenancy.localtime import format_local_time
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from tests.api.client import api_with
from tests.leads.lead_sync.linkedin import linkedin, notify, source_of, work
from tests.portal.browser import Browser
from tests.reactions import react

TIME = datetime.fromtimestamp(1686182358.881, tz=UTC)


@pytest.mark.parametrize(
    ("locale", "zone", "text"),
    [
        ("en-US", "America/New_York", "06/07/2023 7:59 PM EDT"),
        ("en_US", "America/New_York", "06/07/2023 7:59 PM EDT"),
        ("en-GB", "Europe/London", "08/06/2023 00:59 BST"),
        ("de-DE", "Europe/Berlin", "08.06.2023 01:59 CEST"),
        ("ja-JP", "Asia/Tokyo", "2023/06/08 08:59 JST"),
        ("xx-XX", "UTC", "06/07/2023 23:59 UTC"),
    ],
)
def test_a_moment_reads_as_it_is_written_there(locale: str, zone: str, text: str) -> None:
    assert format_local_time(TIME, ZoneInfo(zone), locale) == text


@pytest.mark.django_db
def test_a_lead_of_linkedin_reads_so_in_mails_pages_and_files_and_is_iso_in_the_api(
    agency: Agency, sign_in: Browser
) -> None:
    agency.locale, agency.timezone = "en-US", "America/New_York"
    agency.save()
    create_channel(agency, kind="email", email="team@example.com", verified=True)
    with linkedin() as stand_in:
        notify(source_of(agency), stand_in.world.submit(submittedAt=1686182358881))
        work()
    react()
    drain_deliveries()
    assert "When: 06/07/2023 7:59 PM EDT" in str(mail.outbox[0].body)
    client: Client = sign_in()
    lead = agency.leads.get()
    assert 'title="06/07/2023 7:59 PM EDT"' in client.get(f"/leads/{lead.pk}").content.decode()
    file = b"".join(client.post("/leads/export").streaming_content)  # type: ignore[attr-defined]
    assert b'"06/07/2023 7:59 PM EDT"' in file
    assert api_with(agency, Scope.READ).get(f"leads/{lead.pk}").json()["received_at"] == "2023-06-07T23:59:18.881Z"
