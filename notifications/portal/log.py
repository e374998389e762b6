"""Serve the delivery log: deliveries, their attempts, and the button that sends one again."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.portal import MemberRequest, paginate, readers, redirect_back, render_page, writers
from notifications.channels import replay, search
from notifications.content.payload_schemas import in_documented_order
from notifications.models import Attempt, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.portal.log_filter import LogFilter
from notifications.portal.states import in_state, tabs
from notifications.portal.subjects import set_subject_urls

MAX_CARRIED = 100
MAX_ATTEMPTS = 50
#: A delivery that is due is looked at again and again for so long.
WATCHED_FOR = timedelta(seconds=60)


@require_safe
@readers
def delivery_list(request: MemberRequest) -> HttpResponse:
    filters = LogFilter(request.GET, agency=request.agency)
    rows = _filtered(request.agency, filters)
    page = paginate(request, _with_last_status_code(in_state(rows, filters.cleaned_data.get("status", ""))))
    set_subject_urls(request.agency, page.rows)
    return render_page(
        request,
        "portal/deliveries.html",
        "deliveries",
        page=page,
        tabs=tabs(rows, request.GET),
        filters=filters,
        filtered=any(request.GET.get(name) for name in filters.fields),
    )


@require_safe
@readers
def delivery_page(request: MemberRequest, pk: str) -> HttpResponse:
    deliveries = Delivery.objects.seen_by(request.agency).select_related("event", "channel", "carrier__event")
    delivery = get_object_or_404(deliveries, pk=pk)
    set_subject_urls(request.agency, [delivery])
    return render_page(
        request,
        "portal/delivery.html",
        "deliveries",
        delivery=delivery,
        carried=delivery.carried.select_related("event").order_by("pk")[:MAX_CARRIED],
        attempts=delivery.attempt_log.order_by("-id")[:MAX_ATTEMPTS],
        body=in_documented_order(delivery.event.payload),
        is_webhook=delivery.channel is not None and delivery.channel.kind == ChannelKind.WEBHOOK,
        can_resend=delivery.channel is None or delivery.channel.status == ChannelStatus.ENABLED,
        moving=_is_moving(delivery),
    )


@require_POST
@writers
def delivery_resend(request: MemberRequest, pk: str) -> HttpResponse:
    delivery = get_object_or_404(Delivery.objects.seen_by(request.agency).select_related("channel"), pk=pk)
    try:
        replay.resend_delivery(delivery)
        messages.success(request, _("It is being resent with the same webhook-id."))
    except FieldError as error:
        messages.error(request, str(error))
    return redirect_back(request, "portal_delivery", delivery.pk)


def visible_deliveries(agency: Agency) -> "QuerySet[Delivery]":
    """Return deliveries as lists show them, without reading encrypted fields."""
    deliveries = Delivery.objects.seen_by(agency).select_related("event", "channel")
    return deliveries.defer("channel__url", "channel__headers")


def recent_deliveries(agency: Agency, **conditions: Any) -> list[Delivery]:
    """Return the newest deliveries with what a list shows of them."""
    rows = list(_with_last_status_code(visible_deliveries(agency).filter(**conditions)).order_by("-id")[:8])
    set_subject_urls(agency, rows)
    return rows


def _with_last_status_code(deliveries: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
    latest = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-id")
    return deliveries.annotate(status_code=Subquery(latest.values("status_code")[:1]))


def _filtered(agency: Agency, filters: LogFilter) -> "QuerySet[Delivery]":
    """Return the deliveries that the filters beside the tabs leave."""
    filters.is_valid()
    rows, given = visible_deliveries(agency), filters.cleaned_data
    if given.get("channel"):
        rows = rows.filter(channel=given["channel"])
    if given.get("event_type"):
        rows = rows.filter(event__agency=agency, event__event_type=given["event_type"])
    if given.get("since"):
        rows = rows.filter(search.created_since(given["since"]))
    if given.get("until"):
        rows = rows.filter(search.created_before(given["until"]))
    return rows.filter(search.matching_word(given["q"], agency)) if given.get("q") else rows


def _is_moving(delivery: Delivery) -> bool:
    """Return whether the delivery is due and may be sent at any moment."""
    due, now = delivery.next_attempt_at, timezone.now()
    return delivery.status == DeliveryStatus.PENDING and due is not None and now - WATCHED_FOR < due <= now
