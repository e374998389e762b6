"""The kinds of channels as the page about notifications calls them."""

from dataclasses import dataclass

from notifications.models import ChannelKind


@dataclass(frozen=True)
class Kind:
    """How the page calls a kind of channel, its icon, what stands there without any, and the button that adds one."""

    title: str
    icon: str
    empty: str
    empty_hint: str
    add: str


KINDS = {
    ChannelKind.EMAIL: Kind(
        "E-mail",
        icon="mail",
        empty="No e-mail recipients yet",
        empty_hint="Each new recipient confirms the address first.",
        add="Add an e-mail recipient",
    ),
    ChannelKind.WEBHOOK: Kind(
        "Webhooks",
        icon="webhook",
        empty="No webhooks yet",
        empty_hint="A webhook gets every event immediately, signed.",
        add="Add a webhook URL",
    ),
    ChannelKind.SLACK: Kind(
        "Slack",
        icon="brand-slack",
        empty="No Slack channels yet",
        empty_hint="Messages are posted through Slack's incoming webhooks.",
        add="Add a Slack channel",
    ),
}
