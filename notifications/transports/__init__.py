"""List the transports. A new kind of channel is a module and a line here."""

from notifications.models import ChannelKind
from notifications.transports.base import Transport
from notifications.transports.email import EmailTransport
from notifications.transports.slack import SlackTransport
from notifications.transports.webhook import WebhookTransport

TRANSPORTS: dict[ChannelKind, Transport] = {
    transport.kind: transport for transport in (EmailTransport(), SlackTransport(), WebhookTransport())
}
