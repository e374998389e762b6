"""The back office's pages for agencies, people, accounts, campaigns, sources and the event log."""

from accounts.admin import (
    accounts,
    agencies,
    campaigns,
    events,
    incidents,
    keys,
    links,
    people,
    reauth,
    reports,
    sources,
    team,
    timeline,
    troubles,
)

__all__ = [
    "accounts",
    "agencies",
    "campaigns",
    "events",
    "incidents",
    "keys",
    "links",
    "people",
    "reauth",
    "reports",
    "sources",
    "team",
    "timeline",
    "troubles",
]
