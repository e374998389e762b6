"""Serve the page about sources: their URLs, their health, and refused requests."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.core.enums import IssueKind, ProviderSlug, provider_name
from accounts.core.labels import Label
from accounts.models import Agency, Source, SourceIssue
from accounts.portal import (
    MemberRequest,
    NewSecrets,
    add_error_messages,
    readers,
    redirect_back,
    redirect_to_secrets,
    render_page,
    writers,
)
from accounts.sources.issues import label_of, open_issues, with_open_issues
from accounts.sources.service import create_source, delete_source, rotate_secret, update_source
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.refusals import refusals_as_messages, refusals_on
from accounts.web.source_sections import card_sections
from webhooks.models import RejectedRequest
from webhooks.portal.forms import RenameForm, RotationForm, SourceForm
from webhooks.processing.quarantine import unrecognised

MAX_WAITING_COUNT = 1000
RECENT_PERIOD = timedelta(days=7)
#: Issues that agencies see, with the remedy. Refused requests have a list of their own; slow responses concern staff.
REMEDIES = {
    IssueKind.SILENT: "Check in the tool's settings that its webhook is still on and has this URL.",
    IssueKind.LEAD_SYNC: "See “Connection and set-up”.",
    IssueKind.AT_RISK: "After three missed checks LinkedIn sends no more leads. See that the secret here is the "
    "client secret of your LinkedIn app.",
    IssueKind.BLOCKED: "Open your app in LinkedIn's developer portal, find this URL under Webhooks, where it says "
    "Blocked, and start the check there by hand.",
}
HINT = "Paste both into the provider's settings. Every request to the URL is checked with the secret."


@dataclass(frozen=True)
class Card:
    """Hold what the page shows of one source."""

    source: Source
    label: Label
    waiting: int
    refused: list[RejectedRequest]
    issues: list[tuple[SourceIssue, str]]
    sections: list[SafeString | str]
    rename: RenameForm
    rotation: RotationForm


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
@readers
def source_page(request: MemberRequest) -> HttpResponseBase:
    """Show all sources. A POST creates one."""
    return _create_source(request) if request.method == "POST" else _render_page(request, SourceForm())


@writers
@with_recent_sign_in
def _create_source(request: MemberRequest) -> HttpResponse:
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _render_page(request, form)
    with refusals_on(form):
        source, secret = create_source(agency=request.agency, by=request.member.user, **form.values())
        return _show_secret(request, f"{source} is ready", source, secret)
    return _render_page(request, form)


@require_POST
@writers
def source_rename(request: MemberRequest, pk: str) -> HttpResponse:
    source, form = _get_source(request, pk), RenameForm(request.POST)
    if form.is_valid():
        update_source(source, name=form.cleaned_data["name"], by=request.member.user)
        messages.success(request, "Saved.")
    add_error_messages(request, form)
    return redirect_back(request, "portal_sources", anchor=source.pk)


@require_POST
@writers
def source_switch(request: MemberRequest, pk: str) -> HttpResponse:
    source = update_source(_get_source(request, pk), enabled=request.POST.get("to") == "on", by=request.member.user)
    messages.success(request, f"{source} is {'enabled' if source.enabled else 'disabled: its URL now answers 404'}.")
    return redirect_back(request, "portal_sources", anchor=source.pk)


@sensitive_post_parameters("secret")
@require_POST
@writers
@with_recent_sign_in
def source_rotate(request: MemberRequest, pk: str) -> HttpResponse:
    source = _get_source(request, pk)
    form = RotationForm(request.POST, provider=source.provider)
    if form.is_valid():
        with refusals_as_messages(request):
            secret = rotate_secret(source, form.cleaned_data["secret"] or None, by=request.member.user)
            return _show_secret(request, f"{source} has a new secret", source, secret)
    add_error_messages(request, form)
    return redirect_back(request, "portal_sources", anchor=source.pk)


@require_POST
@writers
def source_remove(request: MemberRequest, pk: str) -> HttpResponse:
    source = _get_source(request, pk)
    delete_source(source, by=request.member.user)
    messages.success(request, f"{source} was removed. Everything it delivered stays.")
    return redirect_back(request, "portal_sources")


def _render_page(request: MemberRequest, form: SourceForm) -> HttpResponse:
    sources = with_open_issues(request.agency.sources.filter(removed_at=None).order_by("provider", "id"))
    return render_page(
        request,
        "portal/sources.html",
        "sources",
        status=422 if form.errors else 200,
        cards=_cards(request.agency, list(sources)),
        form=form,
    )


def _cards(agency: Agency, sources: list[Source]) -> list[Card]:
    counts = Counter(unrecognised(agency).order_by("-sequence").values_list("source_id", flat=True)[:MAX_WAITING_COUNT])
    refused: dict[str, list[RejectedRequest]] = {}
    recent = RejectedRequest.objects.filter(source__in=sources, last_seen__gte=timezone.now() - RECENT_PERIOD)
    for row in recent.order_by("-last_seen"):
        refused.setdefault(row.source_id, []).append(row)
    return [
        Card(
            source=source,
            label=label_of(source, problems=bool(counts[source.pk] or refused.get(source.pk))),
            waiting=counts[source.pk],
            refused=refused.get(source.pk, []),
            issues=[
                (issue, REMEDIES[kind]) for issue in open_issues(source) if (kind := IssueKind(issue.kind)) in REMEDIES
            ],
            sections=card_sections(source),
            rename=RenameForm(initial={"name": source.name}, auto_id=f"{source.pk}-%s"),
            rotation=RotationForm(provider=source.provider, auto_id=f"{source.pk}-rotate-%s"),
        )
        for source in sources
    ]


def _get_source(request: MemberRequest, pk: str) -> Source:
    return get_object_or_404(request.agency.sources.filter(removed_at=None), pk=pk)


def _show_secret(request: MemberRequest, title: str, source: Source, secret: str | None) -> HttpResponse:
    values = {"Webhook URL": source.webhook_url} | ({"Secret": secret} if secret else {})
    hint = HINT if secret else f"Paste it into {provider_name(source.provider)}'s settings."
    if source.provider == ProviderSlug.LINKEDCONNECTOR:
        hint = "Paste it into LinkedConnector's settings. Whoever knows this URL can send events: keep it secret."
    return redirect_to_secrets(
        request, NewSecrets(title, values, hint=hint, back=f"{reverse('portal_sources')}#{source.pk}")
    )
