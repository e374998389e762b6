"""Serve the buttons of a source's page. Each is one call to a service."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.core.enums import ProviderSlug
from accounts.portal import MemberRequest, add_error_messages, redirect_back, writers
from accounts.sources.service import delete_source, rotate_secret, set_credentials, update_source
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.refusals import refusals_as_messages
from webhooks.ingest.samples import send_sample
from webhooks.portal.forms import CredentialsForm, NetworksForm, RenameForm, RotationForm, SampleForm, SecretForm
from webhooks.portal.guides import GUIDES
from webhooks.portal.views import get_source, show_secret


@require_POST
@writers
def source_rename(request: MemberRequest, pk: str) -> HttpResponse:
    source, form = get_source(request, pk), RenameForm(request.POST)
    if form.is_valid():
        update_source(source, name=form.cleaned_data["name"], by=request.member.user)
        messages.success(request, _("Saved."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_source", source.pk)


@require_POST
@writers
def source_switch(request: MemberRequest, pk: str) -> HttpResponse:
    source = update_source(get_source(request, pk), enabled=request.POST.get("to") == "on", by=request.member.user)
    text = _("%(source)s is enabled.") if source.enabled else _("%(source)s is disabled: its URL now answers 404.")
    messages.success(request, text % {"source": source})
    return redirect_back(request, "portal_source", source.pk)


@sensitive_post_parameters("secret")
@require_POST
@writers
@with_recent_sign_in
def source_secret(request: MemberRequest, pk: str) -> HttpResponse:
    """Store the secret that the provider made."""
    source = get_source(request, pk)
    form = SecretForm(request.POST, guide=GUIDES[ProviderSlug(source.provider)])
    if form.is_valid():
        with refusals_as_messages(request):
            update_source(source, secret=form.cleaned_data["secret"], by=request.member.user)
            messages.success(request, _("Secret saved. Requests are checked with it from now on."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_source", source.pk)


@sensitive_post_parameters("secret")
@require_POST
@writers
@with_recent_sign_in
def source_rotate(request: MemberRequest, pk: str) -> HttpResponse:
    """Rotate the secret, or the URL where that is the secret. What Leadline made is shown once."""
    source = get_source(request, pk)
    form = RotationForm(request.POST, provider=source.provider)
    if form.is_valid():
        given = form.cleaned_data["secret"] or None
        with refusals_as_messages(request):
            secret = rotate_secret(source, given, by=request.member.user)
            if given and not source.url_is_secret:
                messages.success(request, _("Secret saved. The old one still works for a day."))
                return redirect_back(request, "portal_source", source.pk)
            return show_secret(request, _("%(source)s has a new secret") % {"source": source}, source, secret)
    add_error_messages(request, form)
    return redirect_back(request, "portal_source", source.pk)


@sensitive_post_parameters()
@require_POST
@writers
@with_recent_sign_in
def source_credentials(request: MemberRequest, pk: str) -> HttpResponse:
    """Store keys of the provider's API, or remove the one that `forget` names."""
    source = get_source(request, pk)
    form = CredentialsForm(request.POST, source=source)
    forgotten = request.POST.get("forget", "")
    if forgotten in form.fields:
        set_credentials(source, {forgotten: ""}, by=request.member.user)
        messages.success(request, _("Removed."))
    elif form.is_valid():
        set_credentials(source, form.given(), by=request.member.user)
        messages.success(request, _("Saved. Keys are stored encrypted and are not shown again."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_source", source.pk, anchor="credentials")


@require_POST
@writers
def source_networks(request: MemberRequest, pk: str) -> HttpResponse:
    source, form = get_source(request, pk), NetworksForm(request.POST)
    if form.is_valid():
        update_source(source, allowed_networks=form.cleaned_data["networks"], by=request.member.user)
        messages.success(request, _("Saved. Requests from other addresses are answered 404."))
    add_error_messages(request, form)
    return redirect_back(request, "portal_source", source.pk, anchor="networks")


@require_POST
@writers
def source_sample(request: MemberRequest, pk: str) -> HttpResponse:
    """Send a sample through ingest, as the provider would, and show its receipt."""
    source = get_source(request, pk)
    form = SampleForm(request.POST, provider=source.provider)
    if form.is_valid():
        with refusals_as_messages(request):
            receipt = send_sample(source, form.cleaned_data["sample"], by=request.member.user)
            messages.success(request, _("200 accepted. Leads of samples are test leads."))
            return redirect_back(request, "portal_receipt", receipt.public_id)
    add_error_messages(request, form)
    return redirect_back(request, "portal_source", source.pk, anchor="sample")


@require_POST
@writers
def source_remove(request: MemberRequest, pk: str) -> HttpResponse:
    source = get_source(request, pk)
    delete_source(source, by=request.member.user)
    messages.success(request, _("%(source)s was removed. Everything it delivered stays.") % {"source": source})
    return redirect_back(request, "portal_sources")
