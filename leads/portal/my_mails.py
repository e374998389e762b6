"""Let members choose what they are mailed about their leads and tasks."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.models import Member
from accounts.portal import MemberRequest, redirect_back, writers
from accounts.tenancy.member_alerts import alerts_of
from accounts.tenancy.members import update_member


class MailsForm(forms.Form):
    assigned = forms.BooleanField(required=False, label=_("A lead was assigned to me"))
    due_soon = forms.BooleanField(required=False, label=_("An answer to one of my leads is due soon"))
    digest = forms.BooleanField(required=False, label=_("What waits for me, as my working day begins"))
    working_hours = forms.BooleanField(required=False, label=_("Mails about single leads wait for my working hours"))


def mails_form(member: Member) -> MailsForm:
    """Return the form with what the member gets now."""
    return MailsForm(initial=alerts_of(member))


@require_POST
@writers
def my_mails(request: MemberRequest) -> HttpResponse:
    form = MailsForm(request.POST)
    if form.is_valid():
        update_member(request.member, by=request.member.user, alerts=form.cleaned_data)
        messages.success(request, gettext("Saved."))
    return redirect_back(request, "portal_tasks")
