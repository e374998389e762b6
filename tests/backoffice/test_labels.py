"""The same state has the same word in the portal and in the back office."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import AccountStatus, CampaignStatus, Role
from accounts.models import Account, Agency, Campaign, Member
from leads.enums import LeadStatus
from leads.models import Lead
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus
from tests.factories import make_everything

pytestmark = pytest.mark.one_backend


@pytest.fixture
def shown(agency: Agency, staff: User) -> dict[type[Any], Any]:
    Member.objects.create(agency=agency, user=staff, role=Role.OWNER)
    return make_everything(agency, staff, text="Ann")


def badges(client: Client, path: str) -> set[str]:
    """What the badges of a page say, without their signs."""
    html = client.get(path).content.decode()
    found = re.findall(r'<span class="badge [^"]*">\s*<span aria-hidden="true">[^<]*</span>\s*([^<]*)</span>', html)
    return {" ".join(text.split()) for text in found}


def pairs(shown: dict[type[Any], Any]) -> Iterator[tuple[type[Any], dict[str, Any], str, str]]:
    """A state of a row, and the pages of both sites that show the row."""
    account, lead, delivery = shown[Account], shown[Lead], shown[Delivery]
    office = f"/admin/accounts/account/{account.pk}/change/"
    for status in AccountStatus:
        yield Account, {"status": status, "rate_limited_until": None}, f"/linkedin/{account.pk}", office
    for campaign_status in CampaignStatus:
        yield Campaign, {"status": campaign_status}, f"/linkedin/{account.pk}", office
    for lead_status in LeadStatus:
        path = f"/admin/leads/lead/{lead.pk}/change/"
        yield Lead, {"status": lead_status}, f"/leads/{lead.pk}", path.replace(f"{lead.pk}/change/", "")
    for delivery_status in DeliveryStatus:
        yield (
            Delivery,
            {"status": delivery_status, "hold": "", "error": ""},
            f"/notifications/deliveries/{delivery.pk}",
            f"/admin/notifications/delivery/{delivery.pk}/change/",
        )
    for channel_status in ChannelStatus:
        state = {"status": channel_status, "consecutive_failures": 0, "failing_since": None}
        yield Channel, state, "/notifications", "/admin/notifications/channel/"


def test_a_state_is_called_the_same_on_both_sites(shown: dict[type[Any], Any], signed_in: Client) -> None:
    from accounts import labels as accounts_labels
    from leads import labels as leads_labels
    from notifications import labels as notifications_labels

    words = {
        Account: accounts_labels.ACCOUNT_STATUSES,
        Campaign: accounts_labels.CAMPAIGN_STATUSES,
        Lead: leads_labels.STATUSES,
        Delivery: notifications_labels.DELIVERY_LABELS,
        Channel: notifications_labels.CHANNEL_LABELS,
    }
    for model, state, portal, office in pairs(shown):
        model.objects.update(**state)
        word = str(words[model][state["status"]].text)  # type: ignore[index]
        assert word in badges(signed_in, portal), (portal, word)
        assert word in badges(signed_in, office), (office, word)
