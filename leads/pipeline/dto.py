"""Define how a report names a lead, and its contact fields. Pure: wire adapters import this module too."""

from dataclasses import dataclass

MAX_MESSAGE_LENGTH = 8_000  # characters of a message of a conversation; what is longer is cut
MAX_REPLY_LENGTH = 4_000  # characters of a reply in the history of a lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Identify a lead by the provider's ids of lead and campaign and by the LinkedIn URL; `sender_id` wrote to it."""

    external_id: str
    campaign_id: str = ""
    campaign_name: str = ""
    linkedin_url: str = ""
    sender_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Carry contact fields, named as those of `leads.Lead`, that fill empty fields of the lead."""

    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    title: str = ""
    company: str = ""
    industry: str = ""
    location: str = ""
