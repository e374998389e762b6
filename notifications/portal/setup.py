"""Serve the page on which channels are managed, and the actions of its buttons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.core.email_addresses import display_email
from accounts.core.labels import Label
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
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.refusals import refusals_as_messages, refusals_on
from notifications.channels import replay as resending
from notifications.channels import service as channels
from notifications.labels import DAMAGED, address_of, channel_label, describe_subscriptions, describe_timing
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus
from notifications.portal.forms import ChannelChoices, ChannelForm, ReplayForm, channel_choices
from notifications.portal.kinds import KINDS, Kind
from notifications.portal.log import visible_deliveries
from notifications.portal.trial import Trial, trial_of

HINT = (
    "Your program checks our signature with it (Standard Webhooks). While a new one is being exchanged we sign with "
    "the old one too."
)


@dataclass(frozen=True)
class Card:
    """Hold what the page shows of one channel."""

    channel: Channel
    label: Label
    address: str
    listens_to: str
    arrives: str
    form: ChannelForm
    replay: ReplayForm
    rotating: bool
    trial: Trial | None

    @property
    def open(self) -> bool:
        return self.form.is_bound


@dataclass(frozen=True)
class Section:
    kind: ChannelKind
    words: Kind
    cards: list[Card]
    form: ChannelForm


@require_safe
@readers
def setup_page(request: MemberRequest) -> HttpResponse:
    return _render_page(request)


@require_POST
@writers
def add_channel(request: MemberRequest, kind: str) -> HttpResponse:
    if kind not in set(ChannelKind):
        raise Http404
    of_kind = ChannelKind(kind)
    form = ChannelForm(request.POST, offered=channel_choices(request.agency), kind=of_kind)
    if not form.is_valid():
        return _render_page(request, form)
    with refusals_on(form):
        channel, secret = channels.create_channel(request.agency, kind=kind, by=request.member.user, **form.values())
    if form.errors:
        return _render_page(request, form)
    if secret:
        return _show_secret(request, f"{channel} is ready", channel, secret)
    if of_kind is ChannelKind.EMAIL:
        address = display_email(channel.email)
        messages.success(
            request, f"Added. {address} now gets an e-mail to confirm the address, and nothing else before that."
        )
    else:
        messages.success(request, "Added. Send a test to check that it is delivered.")
    return redirect_back(request, "portal_notifications", anchor=channel.pk)


@require_POST
@writers
def edit_channel(request: MemberRequest, pk: str) -> HttpResponse:
    channel = _get_channel(request, pk)
    kind = ChannelKind(channel.kind)
    form = ChannelForm(request.POST, offered=channel_choices(request.agency), kind=kind, channel=channel)
    if not form.is_valid():
        return _render_page(request, form)
    with refusals_on(form):
        channels.update_channel(channel, by=request.member.user, **form.values())
        messages.success(request, "Saved.")
        return redirect_back(request, "portal_notifications", anchor=channel.pk)
    return _render_page(request, form)


@require_POST
@writers
def press_button(request: MemberRequest, pk: str, button: str) -> HttpResponse:
    """Run the action of one of a channel's buttons."""
    channel = _get_channel(request, pk)
    if button not in _BUTTONS and button != "test":
        raise Http404
    with refusals_as_messages(request):
        if button == "test":
            return _test(request, channel)
        messages.success(request, _BUTTONS[button](channel, request.member.user))
    return redirect_back(request, "portal_notifications", anchor=channel.pk)


@require_POST
@writers
@with_recent_sign_in
def rotate_secret(request: MemberRequest, pk: str) -> HttpResponse:
    channel = _get_channel(request, pk)
    with refusals_as_messages(request):
        secret = channels.rotate_secret(channel, by=request.member.user)
        return _show_secret(request, f"New signing secret of {channel}", channel, secret)
    return redirect_back(request, "portal_notifications", anchor=channel.pk)


@require_POST
@writers
def replay_channel(request: MemberRequest, pk: str) -> HttpResponse:
    channel = _get_channel(request, pk)
    form = ReplayForm(request.POST)
    if form.is_valid():
        span = {name: form.cleaned_data[name] for name in ("since", "until")}
        with refusals_as_messages(request):
            count = resending.replay_deliveries(channel, **span, status=form.cleaned_data["status"] or None)
            what = "Nothing from that period" if not count else f"{count} deliver{'y' if count == 1 else 'ies'}"
            messages.success(request, f"{what} will be resent.")
    add_error_messages(request, form)
    return redirect_back(request, "portal_notifications", anchor=channel.pk)


def _test(request: MemberRequest, channel: Channel) -> HttpResponse:
    """Send a test event, and redirect to the page that shows its progress."""
    event = channels.send_test_event(channel, by=request.member.user)
    messages.success(request, f"A test is on its way to {channel}.")
    return redirect(f"{reverse('portal_notifications')}?test={event.pk}#{channel.pk}")


def _ask_again(channel: Channel, by: User) -> str:
    channels.enable_channel(channel, by=by)
    return f"Confirmation sent to {display_email(channel.email)}, at most one in five minutes."


def _switch_on(channel: Channel, by: User) -> str:
    after = channels.enable_channel(channel, by=by)
    if channel_label(after).tone == "good":
        return f"{after} is enabled."
    return f"{display_email(after.email)} has to confirm the address first."


def _switch_off(channel: Channel, by: User) -> str:
    channels.disable_channel(channel, channels.DISABLED_BY_HAND, by=by)
    return f"{channel} is disabled. What happens meanwhile can be replayed later."


def _remove(channel: Channel, by: User) -> str:
    name = str(channel)
    channels.delete_channel(channel, by=by)
    return f"{name} was removed."


_BUTTONS: dict[str, Callable[[Channel, User], str]] = {
    "ask": _ask_again,
    "on": _switch_on,
    "off": _switch_off,
    "remove": _remove,
}


def _render_page(request: MemberRequest, bound: ChannelForm | None = None) -> HttpResponse:
    """Render the page. A form with errors shows them in its place."""
    channels_shown = _with_last_delivery(request.agency.channels.prefetch_related("secrets").order_by("id"))
    offered = channel_choices(request.agency)
    trial = trial_of(request, request.agency)
    cards = [_card(channel, offered, bound, trial) for channel in channels_shown]
    sections = [
        Section(kind, words, [card for card in cards if card.channel.kind == kind], _new_form(kind, offered, bound))
        for kind, words in KINDS.items()
    ]
    latest = visible_deliveries(request.agency).order_by("-id")[:8]
    return render_page(
        request,
        "portal/notifications.html",
        "notifications",
        status=422 if bound else 200,
        sections=sections,
        latest=latest,
        waiting=[card for card in cards if card.label.tone in ("bad", "warn")],
    )


def _with_last_delivery(channels_shown: Any) -> Any:
    delivered = Delivery.objects.filter(channel=OuterRef("pk"), status=DeliveryStatus.DELIVERED).order_by("-id")
    return channels_shown.annotate(last_delivered=Subquery(delivered.values("delivered_at")[:1]))


def _card(channel: Channel, offered: ChannelChoices, bound: ChannelForm | None, trial: Trial | None) -> Card:
    here = bound is not None and bound.channel is not None and bound.channel.pk == channel.pk
    form = ChannelForm(offered=offered, kind=ChannelKind(channel.kind), channel=channel)
    return Card(
        channel=channel,
        label=DAMAGED if channel.damaged else channel_label(channel),
        address=address_of(channel),
        listens_to=describe_subscriptions(channel),
        arrives=describe_timing(channel),
        form=bound if bound is not None and here else form,
        replay=ReplayForm(auto_id=f"{channel.pk}-replay-%s"),
        rotating=any(secret.expires_at and secret.expires_at > timezone.now() for secret in channel.secrets.all()),
        trial=trial if trial and trial.channel_id == channel.pk else None,
    )


def _new_form(kind: ChannelKind, offered: ChannelChoices, bound: ChannelForm | None) -> ChannelForm:
    if bound is not None and bound.channel is None and bound.kind == kind:
        return bound
    return ChannelForm(offered=offered, kind=kind)


def _get_channel(request: MemberRequest, pk: str) -> Channel:
    return get_object_or_404(request.agency.channels, pk=pk)


def _show_secret(request: MemberRequest, title: str, channel: Channel, secret: str) -> HttpResponse:
    back = f"{reverse('portal_notifications')}#{channel.pk}"
    return redirect_to_secrets(request, NewSecrets(title, {"Signing secret": secret}, hint=HINT, back=back))
