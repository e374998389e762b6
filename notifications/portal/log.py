"""Serve the delivery log: deliveries, their attempts, and the button that sends one again."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.portal import MemberRequest, paginate, readers, redirect_back, render_page, writers
from leads.models import Lead
from notifications.channels import replay, search
from notifications.content.payload_schemas import in_documented_order
from notifications.models import ChannelStatus, Delivery
from notifications.portal.forms import LogFilter

MAX_CARRIED = 100


@require_safe
@readers
def delivery_list(request: MemberRequest) -> HttpResponse:
    filters = LogFilter(request.GET, agency=request.agency)
    rows = _filtered(request.agency, filters)
    return render_page(
        request,
        "portal/deliveries.html",
        "deliveries",
        page=paginate(request, rows),
        filters=filters,
        filtered=any(request.GET.get(name) for name in filters.fields),
    )


@require_safe
@readers
def delivery_page(request: MemberRequest, pk: str) -> HttpResponse:
    deliveries = Delivery.objects.seen_by(request.agency).select_related("event", "channel", "carrier__event")
    delivery = get_object_or_404(deliveries, pk=pk)
    return render_page(
        request,
        "portal/delivery.html",
        "deliveries",
        delivery=delivery,
        carried=delivery.carried.select_related("event").order_by("pk")[:MAX_CARRIED],
        attempts=delivery.attempt_log.order_by("id"),
        body=in_documented_order(delivery.event.payload),
        subject_url=_subject_url(delivery),
        can_resend=delivery.channel is None or delivery.channel.status == ChannelStatus.ENABLED,
    )


@require_POST
@writers
def delivery_resend(request: MemberRequest, pk: str) -> HttpResponse:
    delivery = get_object_or_404(Delivery.objects.seen_by(request.agency).select_related("channel"), pk=pk)
    try:
        replay.resend_delivery(delivery)
        messages.success(request, "It is being resent with the same webhook-id.")
    except FieldError as error:
        messages.error(request, str(error))
    return redirect_back(request, "portal_delivery", delivery.pk)


def visible_deliveries(agency: Agency) -> "QuerySet[Delivery]":
    """Return deliveries as lists show them, without reading encrypted fields."""
    deliveries = Delivery.objects.seen_by(agency).select_related("event", "channel")
    return deliveries.defer("channel__url", "channel__headers")


def _filtered(agency: Agency, filters: LogFilter) -> "QuerySet[Delivery]":
    filters.is_valid()
    given: dict[str, Any] = {name: value for name, value in filters.cleaned_data.items() if value}
    columns = {"channel": "channel_id", "status": "status", "event_type": "event__event_type"}
    rows = visible_deliveries(agency).filter(**{columns[name]: given[name] for name in columns if name in given})
    if "event_type" in given:
        rows = rows.filter(event__agency=agency)
    if "since" in given:
        rows = rows.filter(search.created_since(given["since"]))
    if "until" in given:
        rows = rows.filter(search.created_before(given["until"]))
    return rows.filter(search.matching_word(given["q"], agency)) if "q" in given else rows


def _subject_url(delivery: Delivery) -> str:
    """Return the page of the event's subject, or "" if it has none or no longer exists."""
    subject, agency = delivery.event.subject, delivery.agency
    if subject.startswith("lead_") and Lead.all_records.filter(agency=agency, pk=subject).exists():
        return reverse("portal_lead", args=[subject])
    if subject.startswith("acc_") and agency.accounts.filter(pk=subject).exists():
        return reverse("portal_account", args=[subject])
    return ""
