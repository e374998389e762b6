"""Show the portal's overview: accounts that need somebody, leads that wait, channels that fail."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.core.enums import AccountStatus
from accounts.models import Account, Agency
from accounts.portal import MemberRequest, readers, render_page
from config.figures import count_up_to
from leads.enums import LeadStatus
from notifications.labels import address_of, channel_label
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus
from webhooks.models import Receipt, ReceiptStatus

MAX_ROWS = 8
MAX_COUNT = 99  # counting stops here
NEEDS_SOMEBODY = (
    AccountStatus.BLOCKED,
    AccountStatus.AUTH_ERROR,
    AccountStatus.DISCONNECTED,
    AccountStatus.INCOMPLETE,
)
WAITING = (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY)


@require_safe
@readers
def overview(request: MemberRequest) -> HttpResponse:
    agency = request.agency
    accounts = agency.accounts.filter(status__in=NEEDS_SOMEBODY)
    leads = agency.leads.real().filter(status__in=WAITING)
    channels = [(channel, channel_label(channel), address_of(channel)) for channel in _failing_channels(agency)]
    return render_page(
        request,
        "portal/overview.html",
        "overview",
        accounts=accounts.order_by("-status_since")[:MAX_ROWS],
        account_count=_count(accounts),
        limited=Account.objects.filter(agency=agency, rate_limited_until__gt=timezone.now(), status="active").count(),
        leads=leads.select_related("campaign", "account").order_by("-id")[:MAX_ROWS],
        lead_count=_count(leads),
        channels=channels,
        failed=_count(_failed_lately(agency)),
        quarantined=_count(_waiting_receipts(agency)),
        steps=_first_steps(agency),
    )


def _failing_channels(agency: Agency) -> list[Channel]:
    """Return channels that do not deliver, except those that a person switched off."""
    off = Q(status=ChannelStatus.DISABLED) & ~Q(disabled_reason="Switched off by hand.")
    wrong = off | Q(status=ChannelStatus.UNVERIFIED) | Q(status=ChannelStatus.ENABLED, consecutive_failures__gt=0)
    return list(agency.channels.filter(wrong).order_by("-id")[:MAX_ROWS])


def _failed_lately(agency: Agency) -> Any:
    since = timezone.now() - timedelta(days=1)
    return Delivery.objects.seen_by(agency).filter(status=DeliveryStatus.FAILED, created_at__gte=since)


def _waiting_receipts(agency: Agency) -> Any:
    return Receipt.objects.filter(agency=agency, status__in=[ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED])


def _first_steps(agency: Agency) -> list[str]:
    """Return the first steps that a new agency has not done."""
    sources = agency.sources.filter(removed_at=None)
    steps = {
        "source": sources.exists(),
        "report": sources.filter(last_receipt_at__isnull=False).exists(),
        "channel": agency.channels.filter(status=ChannelStatus.ENABLED).exists(),
    }
    return [name for name, done in steps.items() if not done]


def _count(rows: Any) -> str:
    count = count_up_to(rows, MAX_COUNT + 1)
    return f"{MAX_COUNT}+" if count > MAX_COUNT else str(count)
