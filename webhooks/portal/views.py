"""Serve the list of sources, the guide of a new one, and a source's own page."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.core.enums import PROVIDERS, ProviderSlug, WordKind, provider_name
from accounts.models import Source
from accounts.portal import MemberRequest, NewSecrets, readers, redirect_to_secrets, render_page, writers
from accounts.sources.issues import with_open_issues
from accounts.sources.service import create_source, valid_secrets
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.refusals import refusals_on
from accounts.web.source_sections import card_sections
from webhooks.labels import meaning_label
from webhooks.portal.cards import cards_of, light_of
from webhooks.portal.forms import (
    CredentialsForm,
    NetworksForm,
    RenameForm,
    RotationForm,
    SampleForm,
    SecretForm,
    SourceForm,
)
from webhooks.portal.guides import GUIDES, Secret
from webhooks.processing.word_mappings import waiting_for

#: After so many looks, two seconds apart, the light stops looking by itself.
MAX_LOOKS = 450
MAX_MAPPINGS = 100


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
@readers
def source_list(request: MemberRequest) -> HttpResponseBase:
    """Show all sources. A POST creates one."""
    if request.method == "POST":
        return _create_source(request)
    sources = with_open_issues(request.agency.sources.filter(removed_at=None).order_by("provider", "id"))
    return render_page(
        request,
        "portal/sources.html",
        "sources",
        cards=cards_of(request.agency, list(sources.defer("credentials"))),
        providers=[(slug, PROVIDERS[slug], guide.brings) for slug, guide in GUIDES.items()],
    )


@require_safe
@writers
def source_new(request: MemberRequest, provider: str) -> HttpResponse:
    """Show how a provider is connected, and the form that makes the source."""
    if provider not in set(ProviderSlug):
        raise Http404
    return _render_new(request, SourceForm(provider=provider, initial={"provider": provider}))


@writers
@with_recent_sign_in
def _create_source(request: MemberRequest) -> HttpResponse:
    form = SourceForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            source, secret = create_source(agency=request.agency, by=request.member.user, **form.values())
            messages.success(request, _("Source added. The guide says what to paste where."))
            if secret and not form.cleaned_data["secret"]:
                return show_secret(request, _("%(source)s is ready") % {"source": source}, source, secret)
            return redirect("portal_source", source.pk)
    return _render_new(request, form)


def _render_new(request: MemberRequest, form: SourceForm) -> HttpResponse:
    guide = form.guide
    if guide is None:
        raise Http404
    slug = str(form.data.get("provider") or form.initial["provider"])
    return render_page(
        request,
        "portal/source_new.html",
        "sources",
        status=422 if form.errors else 200,
        form=form,
        guide=guide,
        provider=slug,
        asks_secret=guide.secret is Secret.APP,
        callback_url=callback_url(),
    )


@require_safe
@readers
def source_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show a source: its guide, its secret and keys, what it sends, and how to try it out."""
    source = get_source(request, pk)
    [card] = cards_of(request.agency, [source])
    return render_page(request, "portal/source.html", "sources", card=card, **_page_parts(source))


def _page_parts(source: Source) -> dict[str, Any]:
    guide = GUIDES[ProviderSlug(source.provider)]
    times = source.credentials_set_at or {}
    stored = source.readable_credentials
    keys = CredentialsForm(source=source)
    return {
        "source": source,
        "guide": guide,
        "light": light_of(source),
        "looks": 0,
        "has_secret": bool(valid_secrets(source)),
        "needs_secret": guide.secret in {Secret.THEIRS, Secret.APP},
        "secret_form": SecretForm(guide=guide),
        "rename": RenameForm(initial={"name": source.name}, auto_id="rename-%s"),
        "rotation": RotationForm(provider=source.provider, auto_id="rotate-%s"),
        "credentials": [
            (keys[credential.name], bool(stored.get(credential.name)), _set_time(times.get(credential.name)))
            for credential in guide.credentials
        ],
        "networks": NetworksForm(initial={"networks": "\n".join(source.allowed_networks)}),
        "sample": SampleForm(provider=source.provider),
        "callback_url": callback_url(),
        "words": [
            (mapping, meaning_label(source.provider, WordKind(mapping.kind), mapping.meaning), _still_waiting(mapping))
            for mapping in source.word_mappings.order_by("word")[:MAX_MAPPINGS]
        ],
        "sections": card_sections(source),
    }


@require_safe
@readers
def source_light(request: MemberRequest, pk: str) -> HttpResponse:
    """Render the waiting light alone. It asks for itself until it is on, or for a quarter of an hour."""
    source = get_source(request, pk)
    looks = request.GET.get("looks", "")
    number = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 6 else 0
    context = {"source": source, "light": light_of(source), "looks": min(number + 1, MAX_LOOKS + 1), "most": MAX_LOOKS}
    return render(request, "portal/parts/light.html", context)


def get_source(request: MemberRequest, pk: str) -> Source:
    sources = with_open_issues(request.agency.sources.filter(removed_at=None))
    return get_object_or_404(sources.prefetch_related("secrets"), pk=pk)


def show_secret(request: MemberRequest, title: str, source: Source, secret: str | None) -> HttpResponse:
    """Redirect to the page that shows a source's new secret or URL once."""
    values = {_("Webhook URL"): source.webhook_url} | ({_("Secret"): secret} if secret else {})
    hint = _("Paste it into %(provider)s's settings.") % {"provider": provider_name(source.provider)}
    if secret:
        hint = _("Paste both into the provider's settings. Every request to the URL is checked with the secret.")
    if source.provider == ProviderSlug.LINKEDCONNECTOR:
        hint = _("Paste it into LinkedConnector's settings. Whoever knows this URL can send events: keep it secret.")
    back = reverse("portal_source", args=[source.pk])
    return redirect_to_secrets(request, NewSecrets(title, values, hint=hint, back=back))


def callback_url() -> str:
    return f"{settings.PUBLIC_URL}{reverse('linkedin_callback')}"


def _set_time(text: str | None) -> Any:
    return parse_datetime(text) if text else None


def _still_waiting(mapping: Any) -> int:
    return int(waiting_for(mapping).order_by().aggregate(n=Count("sequence"))["n"])
