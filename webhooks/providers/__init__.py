"""List the supported providers. A new one is a module beside these and a line here."""

from webhooks.providers.base import Provider
from webhooks.providers.highlevel import HighLevel
from webhooks.providers.linkedconnector import LinkedConnector
from webhooks.providers.linkedin import LinkedIn
from webhooks.providers.salesflow import Salesflow
from webhooks.providers.sendpilot import SendPilot
from webhooks.providers.welink import WeLink

HIGHLEVEL = HighLevel()

PROVIDERS: dict[str, Provider] = {
    provider.slug: provider
    for provider in (Salesflow(), WeLink(), SendPilot(), LinkedIn(), LinkedConnector(), HIGHLEVEL)
}


def get_provider(slug: str) -> Provider:
    """Return the provider's adapter. Raises KeyError if there is none with this slug."""
    return PROVIDERS[slug]
