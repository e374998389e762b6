"""Serve the back office's page on which each member of staff manages their own alerts."""

from typing import cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from accounts.web.refusals import refusals_on
from notifications.egress.url_policy import MAX_URL_LENGTH
from notifications.models import StaffAlerts
from notifications.staff.alerts import set_alerts


class AlertsForm(forms.Form):
    by_email = forms.BooleanField(required=False, label="By e-mail")
    by_slack = forms.BooleanField(required=False, label="By Slack")
    slack_url = forms.CharField(
        required=False,
        max_length=MAX_URL_LENGTH,
        label="Your own Slack webhook",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="An incoming-webhook URL. It is kept encrypted and not shown again.",
    )
    forget_slack_url = forms.BooleanField(required=False, label="Forget my own Slack webhook")


def my_alerts(request: HttpRequest) -> HttpResponse:
    """Show and save the alerts of the signed-in person. Only staff reach it, through `admin_view`."""
    user = cast(User, request.user)
    mine = StaffAlerts.objects.defer("slack_url").filter(user=user).first() or StaffAlerts(user=user)
    form = AlertsForm(
        request.POST or None, label_suffix="", initial={"by_email": mine.by_email, "by_slack": mine.by_slack}
    )
    if request.method == "POST" and form.is_valid() and _apply(user, form):
        messages.success(request, "Saved.")
        return redirect("admin:my_alerts")
    context = {
        **admin.site.each_context(request),
        "title": "My alerts",
        "form": form,
        "mine": mine,
        "team_slack": bool(settings.STAFF_SLACK_URL),
    }
    return TemplateResponse(request, "admin/my_alerts.html", context)


def _apply(user: User, form: AlertsForm) -> bool:
    given = form.cleaned_data
    url = given["slack_url"].strip() or ("" if given["forget_slack_url"] else None)
    with refusals_on(form):
        set_alerts(user, by_email=given["by_email"], by_slack=given["by_slack"], slack_url=url)
    return not form.errors
