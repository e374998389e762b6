"""Show the portal's overview: accounts that need somebody, leads that wait, channels that fail."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.linkedin.attention import needing_attention
from accounts.models import Account, Agency
from accounts.portal import MemberRequest, readers, render_page
from accounts.web.portal.navigation import capped_count
from leads.portal.waiting import awaiting_reply
from notifications.channels.failing import failing
from notifications.labels import address_of, channel_label
from notifications.models import ChannelStatus, Delivery, DeliveryStatus
from webhooks.processing.quarantine import unrecognised

SHOWN = 8


@require_safe
@readers
def overview(request: MemberRequest) -> HttpResponse:
    agency = request.agency
    accounts, leads = needing_attention(agency), awaiting_reply(agency)
    shown = failing(agency).order_by("-id")[:SHOWN]
    channels = [(channel, channel_label(channel), address_of(channel)) for channel in shown]
    return render_page(
        request,
        "portal/overview.html",
        "overview",
        accounts=accounts.order_by("-status_since")[:SHOWN],
        account_count=capped_count(accounts),
        limited=Account.objects.filter(agency=agency, rate_limited_until__gt=timezone.now(), status="active").count(),
        leads=leads.select_related("campaign", "account").order_by("-id")[:SHOWN],
        lead_count=capped_count(leads),
        channels=channels,
        failed=capped_count(_failed_lately(agency)),
        quarantined=capped_count(unrecognised(agency)),
        steps=_first_steps(agency),
    )


def _failed_lately(agency: Agency) -> Any:
    since = timezone.now() - timedelta(days=1)
    return Delivery.objects.seen_by(agency).filter(status=DeliveryStatus.FAILED, created_at__gte=since)


def _first_steps(agency: Agency) -> list[str]:
    """Return the first steps that a new agency has not done."""
    sources = agency.sources.filter(removed_at=None)
    steps = {
        "source": sources.exists(),
        "report": sources.filter(last_receipt_at__isnull=False).exists(),
        "channel": agency.channels.filter(status=ChannelStatus.ENABLED).exists(),
    }
    return [name for name, done in steps.items() if not done]
