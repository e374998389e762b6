"""Set up the address that the agency's e-mails to leads come from, and decide about those that are held."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.core.text import MAX_NAME_LENGTH
from accounts.models import Agency
from accounts.web.portal.access import MemberRequest, readers, writers
from accounts.web.portal.pagination import paginate
from accounts.web.portal.views import render_page
from accounts.web.refusals import refusals_as_messages, refusals_on
from leads.enums import EmailState, SmtpSecurity
from leads.models import EmailSender, OutboundEmail
from leads.sequences import senders

SECTION = "mailing"
SECURITY = {
    SmtpSecurity.STARTTLS: _("STARTTLS (port 587)"),
    SmtpSecurity.TLS: _("TLS (port 465)"),
    SmtpSecurity.NONE: _("None"),
}


class SenderForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME_LENGTH, label=_("Name"), help_text=_("Such as “Ada of Northwind”."))
    address = forms.EmailField(label=_("Address"), help_text=_("Its owner confirms it by a link that we mail there."))
    host = forms.CharField(
        max_length=255, label=_("Mail server"), required=False, help_text=_("Empty: Leadline's own mail server sends.")
    )
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535)
    security = forms.ChoiceField(label=_("Encryption"), choices=[(one.value, text) for one, text in SECURITY.items()])
    username = forms.CharField(max_length=255, label=_("User name"), required=False)
    password = forms.CharField(
        max_length=500,
        label=_("Password"),
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("It is stored encrypted and never shown. Empty: it stays."),
    )


@require_http_methods(["GET", "HEAD"])
@readers
def mailing_page(request: MemberRequest) -> HttpResponse:
    """Show the sender, and the e-mails that wait for a person."""
    return _render(request, SenderForm(initial=_initial(_sender_of(request.agency))))


@require_POST
@writers
def mailing_change(request: MemberRequest) -> HttpResponse:
    """Set the sender."""
    form = SenderForm(request.POST)
    if form.is_valid():
        values = dict(form.cleaned_data)
        values["password"] = values["password"] or None
        with refusals_on(form):
            sender = senders.set_sender(request.agency, by=request.member.user, **values)
            if sender.verified_at is None:
                text = gettext("A link to confirm %(address)s is on its way there.")
                messages.success(request, text % {"address": sender.address})
            else:
                messages.success(request, gettext("The sender was saved."))
            return redirect("portal_mailing")
    return _render(request, form)


@require_POST
@writers
def mailing_verify(request: MemberRequest) -> HttpResponse:
    """Mail the link that confirms the address again."""
    sender = _sender_of(request.agency)
    if sender is not None:
        with refusals_as_messages(request):
            if senders.request_verification(sender):
                messages.success(request, gettext("The link was mailed again."))
            else:
                messages.info(request, gettext("It was mailed a moment ago, or is confirmed already."))
    return redirect("portal_mailing")


def held_emails(agency: Agency) -> "QuerySet[OutboundEmail]":
    """Return the e-mails to leads that wait for a person."""
    return OutboundEmail.objects.filter(agency=agency, state=EmailState.HELD, lead__isnull=False)


def _render(request: MemberRequest, form: SenderForm) -> HttpResponse:
    return render_page(
        request,
        "portal/sequences/mailing.html",
        SECTION,
        status=422 if form.errors else 200,
        form=form,
        sender=_sender_of(request.agency),
        page=paginate(request, held_emails(request.agency).select_related("lead")),
    )


def _sender_of(agency: Agency) -> EmailSender | None:
    return EmailSender.objects.select_related("agency").filter(agency=agency).first()


def _initial(sender: EmailSender | None) -> dict[str, Any]:
    if sender is None:
        return {"port": 587, "security": SmtpSecurity.STARTTLS}
    return {name: getattr(sender, name) for name in ("name", "address", "host", "port", "security", "username")}
