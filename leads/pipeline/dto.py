"""What a report says of a lead: how it names it, and what it brings along. Pure: wire adapters make these too."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The provider's id of the lead and of the campaign it is in, the person's LinkedIn URL, and who wrote to them."""

    external_id: str
    campaign_id: str = ""
    campaign_name: str = ""
    linkedin_url: str = ""
    sender_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Contact fields that fill what is empty. Names are those of `leads.Lead`."""

    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    title: str = ""
    company: str = ""
    industry: str = ""
    location: str = ""
