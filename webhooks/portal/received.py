"""Serve what was received: receipts, what was not recognised, and refused requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.core.enums import WordKind
from accounts.core.keyset import MAX_NUMBER
from accounts.core.labels import Label
from accounts.models import Account, Agency, Source
from accounts.portal import MemberRequest, add_error_messages, paginate, readers, redirect_back, render_page, writers
from accounts.web.portal.navigation import capped_count
from accounts.web.refusals import refusals_as_messages
from leads.models import Lead
from webhooks.labels import QUARANTINE_REASONS, RECEIPT_LABELS, meaning_label
from webhooks.models import RECEIPT_PREFIX, Receipt, ReceiptStatus
from webhooks.portal.descriptions import describe_receipt
from webhooks.portal.received_forms import MeaningForm, ReceiptFilters
from webhooks.processing.groups import KIND_OF, MAX_GROUPED, Group, group_unrecognised
from webhooks.processing.processor import reprocess_receipt
from webhooks.processing.quarantine import refused_requests, unrecognised
from webhooks.processing.word_mappings import map_word, meanings_of, remove_mapping, waiting_for

#: Filters look through so many of the newest receipts, so that one that matches few takes no longer.
MAX_FILTERED = 20_000
MAX_REFUSED = 200


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the views of what was received."""

    title: str
    url: str
    current: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A meaning that an unknown word can be given."""

    meaning: str
    label: Label


@dataclass(frozen=True, slots=True)
class Row:
    """A receipt in the list, with what it was about."""

    receipt: Receipt
    label: Label
    account: Account | None
    lead: Lead | None


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Receipts that wait for the same thing, with what an unknown word can be treated as."""

    group: Group
    why: str
    choices: list[Choice]


@require_safe
@readers
def receipts_page(request: MemberRequest) -> HttpResponse:
    """List receipts, newest first."""
    form = ReceiptFilters(request.GET, agency=request.agency)
    chosen = form.cleaned_data if form.is_valid() else {}
    columns = {"source": "source_id", "status": "status", "event": "event_type", "account": "account_id"}
    conditions = {column: chosen[name] for name, column in columns.items() if chosen.get(name)}
    receipts = request.agency.receipts.defer("body", "dedupe_key")
    if conditions:
        receipts = _among_newest(request.agency, receipts).filter(**conditions)
    page = paginate(request, receipts)
    return render_page(
        request,
        "portal/received.html",
        "received",
        tabs=_tabs(request.agency, "portal_received"),
        filters=form,
        filtered=bool(conditions) or bool(form.errors),
        limit=MAX_FILTERED,
        page=page,
        rows=_rows(request.agency, page.rows),
    )


@require_safe
@readers
def quarantine_page(request: MemberRequest) -> HttpResponse:
    """Show what was not recognised, grouped by the word or the reason for which it waits."""
    groups, is_capped = group_unrecognised(unrecognised(request.agency))
    return render_page(
        request,
        "portal/quarantine.html",
        "received",
        tabs=_tabs(request.agency, "portal_quarantine"),
        words=[_waiting_group(group) for group in groups if group.kind],
        others=[_waiting_group(group) for group in groups if not group.kind],
        limit=MAX_GROUPED if is_capped else 0,
    )


@require_safe
@readers
def refused_page(request: MemberRequest) -> HttpResponse:
    """Show refused requests with what the signature doctor found."""
    recent = refused_requests(request.agency).select_related("source")
    return render_page(
        request,
        "portal/refused.html",
        "received",
        tabs=_tabs(request.agency, "portal_refused"),
        refused=recent.defer("source__credentials").order_by("-last_seen")[:MAX_REFUSED],
    )


@require_safe
@readers
def receipt_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show one receipt: what the provider sent, what it says, and what became of it."""
    receipt = _get_receipt(request, pk)
    [row] = _rows(request.agency, [receipt])
    kind = KIND_OF.get(receipt.reason)
    choices = _choices(receipt.source, kind) if kind and receipt.correlation else []
    return render_page(
        request,
        "portal/receipt.html",
        "received",
        receipt=receipt,
        row=row,
        why=QUARANTINE_REASONS.get(receipt.reason, ""),
        says=describe_receipt(receipt) if receipt.body else [],
        kind=kind,
        choices=choices,
        body=bytes(receipt.body),
    )


@require_POST
@writers
def receipt_reprocess(request: MemberRequest, pk: str) -> HttpResponse:
    receipt = _get_receipt(request, pk)
    if not receipt.body:
        messages.error(request, _("Its payload was erased: it cannot be processed again."))
    elif receipt.status == ReceiptStatus.RECEIVED:
        messages.success(request, _("It is being processed already."))
    else:
        reprocess_receipt(receipt)
        messages.success(request, _("It is processed again now."))
    return redirect_back(request, "portal_receipt", receipt.public_id)


@require_POST
@writers
def treat_word(request: MemberRequest, pk: str) -> HttpResponse:
    """Treat an unknown word of a source as a known one, for all that wait and all that come."""
    source = _get_source(request, pk)
    form = MeaningForm(request.POST)
    if form.is_valid():
        kind, word, meaning = (
            WordKind(form.cleaned_data["kind"]),
            form.cleaned_data["word"],
            form.cleaned_data["meaning"],
        )
        with refusals_as_messages(request):
            mapping, released = map_word(source, kind=kind, word=word, meaning=meaning, by=request.member.user)
            label = meaning_label(source.provider, kind, meaning).text
            count = released + waiting_for(mapping).count()
            text = ngettext(
                "“%(word)s” is treated as “%(meaning)s”. %(count)d event is processed now.",
                "“%(word)s” is treated as “%(meaning)s”. %(count)d events are processed now.",
                count,
            )
            messages.success(request, text % {"word": word, "meaning": label, "count": count})
    add_error_messages(request, form)
    return redirect_back(request, "portal_quarantine")


@require_POST
@writers
def remove_word(request: MemberRequest, pk: str, number: int) -> HttpResponse:
    source = _get_source(request, pk)
    mapping = get_object_or_404(source.word_mappings, pk=min(number, MAX_NUMBER))
    remove_mapping(mapping, by=request.member.user)
    messages.success(request, _("Removed. Events with “%(word)s” wait again from now on.") % {"word": mapping.word})
    return redirect_back(request, "portal_source", source.pk, anchor="words")


def _tabs(agency: Agency, current: str) -> list[Tab]:
    counts = {"portal_quarantine": unrecognised(agency), "portal_refused": refused_requests(agency)}
    titles = {
        "portal_received": _("Receipts"),
        "portal_quarantine": _("Unrecognised"),
        "portal_refused": _("Refused requests"),
    }
    return [
        Tab(title, reverse(view), view == current, _count(counts[view]) if view in counts else "")
        for view, title in titles.items()
    ]


def _count(rows: "QuerySet[Any]") -> str:
    number = capped_count(rows)
    return "" if number == "0" else number


def _among_newest(agency: Agency, receipts: "QuerySet[Receipt]") -> "QuerySet[Receipt]":
    keys = agency.receipts.order_by("-sequence").values_list("sequence", flat=True)
    oldest = list(keys[MAX_FILTERED : MAX_FILTERED + 1])
    return receipts.filter(sequence__gt=oldest[0]) if oldest else receipts


def _rows(agency: Agency, receipts: Sequence[Receipt]) -> list[Row]:
    accounts = agency.accounts.in_bulk({receipt.account_id for receipt in receipts if receipt.account_id})
    leads = agency.leads.in_bulk({receipt.lead_id for receipt in receipts if receipt.lead_id})
    sources = agency.sources.defer("credentials").in_bulk({receipt.source_id for receipt in receipts})
    for receipt in receipts:
        if receipt.source_id in sources:
            receipt.source = sources[receipt.source_id]
    return [
        Row(
            receipt,
            RECEIPT_LABELS[ReceiptStatus(receipt.status)],
            accounts.get(receipt.account_id),
            leads.get(receipt.lead_id),
        )
        for receipt in receipts
    ]


def _waiting_group(group: Group) -> WaitingGroup:
    why = str(QUARANTINE_REASONS.get(group.reason, group.reason.replace("_", " ")))
    if group.status == ReceiptStatus.FAILED:
        why = _("It could not be processed, in several attempts. Its page has the error.")
    return WaitingGroup(group, why, _choices(group.source, group.kind) if group.kind else [])


def _choices(source: Source, kind: WordKind) -> list[Choice]:
    meanings = meanings_of(source, kind)
    return [Choice(meaning, meaning_label(source.provider, kind, meaning)) for meaning in meanings]


def _get_receipt(request: MemberRequest, public_id: str) -> Receipt:
    number = public_id.removeprefix(RECEIPT_PREFIX)
    if not (public_id.startswith(RECEIPT_PREFIX) and number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    receipts = request.agency.receipts.select_related("source").defer("source__credentials")
    return get_object_or_404(receipts, sequence=int(number))


def _get_source(request: MemberRequest, pk: str) -> Source:
    return get_object_or_404(request.agency.sources.filter(removed_at=None), pk=pk)
