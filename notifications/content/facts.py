"""List what a message says of an event beside its sentences: names, addresses, the provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.core.enums import provider_name
from accounts.core.linkedin_identity import linkedin_link
from accounts.core.text import MAX_NAME_LENGTH, safe_line

#: Fields of a body that a mail lists --> their labels.
_FACTS = {
    "lead_name": _("Lead"),
    "linkedin_url": _("LinkedIn profile"),
    "linkedin_account_name": _("LinkedIn account"),
    "linkedin_account_email": _("Account's e-mail"),
    "campaign_name": _("Campaign"),
    "installer_name": _("Installed by"),
    "installer_email": _("Installer's e-mail"),
    "source_name": _("Source"),
    "channel_name": _("Channel"),
    "ghl_location_id": _("Location"),
    "provider": _("Provider"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    url: str = ""


def facts_of(body: Mapping[str, Any]) -> tuple[Fact, ...]:
    facts = [_fact(name, str(label), str(body[name])) for name, label in _FACTS.items() if name in body]
    return tuple(fact for fact in facts if fact.value)


def _fact(name: str, label: str, value: str) -> Fact:
    if name == "linkedin_url" and (link := linkedin_link(value)):
        return Fact(label, _shorten_link(link), link)
    return Fact(label, safe_line(provider_name(value) if name == "provider" else value))


def _shorten_link(link: str) -> str:
    text = link.removeprefix("https://").removeprefix("www.")
    return text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
