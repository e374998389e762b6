"""Serve the page that LinkedIn sends people back to, and a source's LinkedIn page."""

from datetime import timedelta

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.core.enums import ProviderSlug, Role
from accounts.core.errors import FieldError
from accounts.models import Source
from accounts.portal import MemberRequest, add_error_messages, readers, redirect_back, render_page, writers
from accounts.providers.linkedin import RECONNECT_SALT
from accounts.sources.service import update_source
from leads.lead_sync.oauth import CannotConnect, Link, complete_connection, connect_link
from leads.lead_sync.onboarding import set_up
from leads.lead_sync.page_forms import AppForm, OwnerForm
from leads.lead_sync.problems import problems_of
from leads.lead_sync.subscriptions import want
from leads.lead_sync.tokens import app_of
from leads.models import LeadSync

#: As long as the prompt to connect again that leads here.
LASTS = timedelta(days=8)


@require_GET  # the code works once: a HEAD must not use it up
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Complete a connection. The state says for which source: nobody has to be signed in here."""
    try:
        sync = complete_connection(
            {name: request.GET[name] for name in ("code", "state", "error") if name in request.GET}
        )
    except CannotConnect as error:
        return render(request, "leads/connected.html", {"error": str(error)}, status=400)
    return render(request, "leads/connected.html", {"source": sync.source})


@require_safe
@never_cache
def again(request: HttpRequest, token: str) -> HttpResponse:
    """Redirect the owner of a connection that ended to LinkedIn's consent page."""
    try:
        source = Source.objects.filter(
            pk=signing.loads(token, salt=RECONNECT_SALT, max_age=LASTS), enabled=True, removed_at=None
        ).first()
        link = connect_link(source) if source else None
    except (signing.BadSignature, FieldError):
        link = None
    if link is None:
        raise Http404
    return redirect(link.url)


@require_safe
@readers
def source_page(request: MemberRequest, pk: str) -> HttpResponse:
    """Show what is set up and what is wrong, whose leads are wanted, how far the pulls are."""
    source = _source(request, pk)
    sync = _sync(source)
    return render_page(
        request,
        "portal/linkedin.html",
        "sources",
        source=source,
        sync=sync,
        account=sync.account,
        link=_link(request, source),
        problems=problems_of(sync),
        steps=set_up(source, sync),
        subscriptions=[row for row in sync.subscriptions.all() if row.wanted],
        pulls=sync.pulls.order_by("-pk")[:10],
        owner_form=OwnerForm(),
        app_form=AppForm(),
        has_app=app_of(source) is not None,
    )


@require_POST
@writers
def source_app(request: MemberRequest, pk: str) -> HttpResponse:
    """Store the developer app's client id."""
    source, form = _source(request, pk), AppForm(request.POST)
    if form.is_valid():
        kept = {**source.readable_credentials, "client_id": form.cleaned_data["client_id"]}
        update_source(source, credentials=kept, by=request.member.user)
        messages.success(request, gettext("Saved. Now connect LinkedIn."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_linkedin", source.pk)


@require_POST
@writers
def source_want(request: MemberRequest, pk: str) -> HttpResponse:
    """Want an owner's leads, or no longer (`forget` is the row)."""
    source = _source(request, pk)
    rows = [row for row in _sync(source).subscriptions.all() if row.wanted]
    keys = [
        {"owner": row.owner, "lead_type": row.lead_type, "form": row.form, "entity": row.entity}
        for row in rows
        if str(row.pk) != request.POST.get("forget")
    ]
    if len(keys) < len(rows):
        want(source, keys)
        messages.success(request, gettext("Removed. LinkedIn stops sending these leads within seconds."))
        return redirect_back(request, "portal_linkedin", source.pk)
    form = OwnerForm(request.POST)
    if form.is_valid():
        want(source, [*keys, form.wanted()])
        messages.success(request, gettext("Added. LinkedIn starts sending these leads within seconds."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_linkedin", source.pk)


def _source(request: MemberRequest, pk: str) -> Source:
    sources = request.agency.sources.filter(removed_at=None, provider=ProviderSlug.LINKEDIN)
    return get_object_or_404(sources, pk=pk)


def _sync(source: Source) -> LeadSync:
    """Return the source's connection with what the page shows of it, or an unsaved one: a GET changes nothing."""
    rows = LeadSync.objects.select_related("account", "connected_by").prefetch_related("subscriptions")
    return rows.filter(source=source).first() or LeadSync(source=source)


def _link(request: MemberRequest, source: Source) -> Link | None:
    """Return the link to LinkedIn's consent page, for members who may change the source. A form cannot redirect to
    another site."""
    if request.member.role not in (Role.OWNER, Role.MANAGER):
        return None
    try:
        return connect_link(source, user=request.member.user)
    except FieldError:
        return None
