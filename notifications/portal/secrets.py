"""Show a channel's new signing secret once, with the code that verifies and a first test beside it."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.portal import MemberRequest, NewSecrets, redirect_to_secrets
from notifications.models import Channel

NEXT_STEPS = "portal/parts/webhook_next.html"


def show_secret(request: MemberRequest, title: str, channel: Channel, secret: str) -> HttpResponse:
    """Redirect to the page that shows the secret once."""
    hint = _(
        "Your program checks our signature with it (Standard Webhooks). While a new one is being exchanged we sign "
        "with the old one too."
    )
    back = reverse("portal_channel", args=[channel.pk])
    shown = NewSecrets(title, {_("Signing secret"): secret}, hint=hint, back=back, part=NEXT_STEPS, about=channel.pk)
    return redirect_to_secrets(request, shown)
