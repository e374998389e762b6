"""The kinds of channels as the page about notifications calls them."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from notifications.models import ChannelKind


@dataclass(frozen=True)
class Kind:
    """How the page calls a kind of channel, its icon, what stands there without any, and the button that adds one."""

    title: Any
    icon: str
    empty: Any
    empty_hint: Any
    add: Any


KINDS = {
    ChannelKind.EMAIL: Kind(
        _("E-mail"),
        icon="mail",
        empty=_("No e-mail recipients yet"),
        empty_hint=_("Each new recipient confirms the address first."),
        add=_("Add an e-mail recipient"),
    ),
    ChannelKind.WEBHOOK: Kind(
        _("Webhooks"),
        icon="webhook",
        empty=_("No webhooks yet"),
        empty_hint=_("A webhook gets every event immediately, signed."),
        add=_("Add a webhook URL"),
    ),
    ChannelKind.SLACK: Kind(
        _("Slack"),
        icon="brand-slack",
        empty=_("No Slack channels yet"),
        empty_hint=_("Messages are posted through Slack's incoming webhooks."),
        add=_("Add a Slack channel"),
    ),
}
