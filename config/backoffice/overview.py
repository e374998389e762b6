"""Show the portal's overview: what needs attention, how the numbers move, and the first steps of a new agency."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.core.enums import Role
from accounts.linkedin.attention import needing_attention
from accounts.models import Account, Agency
from accounts.portal import MemberRequest, readers, render_page
from accounts.web.portal.navigation import capped_count
from config.backoffice.first_steps import open_steps
from config.backoffice.trends import trends
from leads.portal.mine import my_leads_context
from leads.portal.waiting import awaiting_reply, to_be_answered
from notifications.channels.failing import failing
from notifications.labels import address_of, channel_label
from notifications.models import Delivery, DeliveryStatus
from webhooks.processing.quarantine import refused_requests, unrecognised

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
        has_accounts=agency.accounts.exists(),
        account_count=capped_count(accounts),
        limited=Account.objects.filter(agency=agency, rate_limited_until__gt=timezone.now(), status="active").count(),
        leads=leads.select_related("campaign", "account").order_by("status_since", "pk")[:SHOWN],
        lead_count=capped_count(leads),
        due_count=capped_count(to_be_answered(agency)),
        overdue=capped_count(agency.leads.with_clock("overdue")),
        channels=channels,
        failed=capped_count(_failed_lately(agency)),
        quarantined=capped_count(unrecognised(agency)),
        refused=capped_count(refused_requests(agency)),
        steps=open_steps(agency, Role(request.member.role)),
        trends=trends(agency),
        **my_leads_context(request.member),
    )


def _failed_lately(agency: Agency) -> Any:
    since = timezone.now() - timedelta(days=1)
    return Delivery.objects.seen_by(agency).filter(status=DeliveryStatus.FAILED, created_at__gte=since)
