"""The back office's pages for agencies, people, accounts, campaigns, sources and the event log."""

from accounts.admin import (
    accounts,
    agencies,
    campaigns,
    events,
    incidents,
    issues,
    keys,
    links,
    people,
    reactions,
    reauth,
    reports,
    sources,
    team,
    timeline,
)

__all__ = [
    "accounts",
    "agencies",
    "campaigns",
    "events",
    "incidents",
    "issues",
    "keys",
    "links",
    "people",
    "reactions",
    "reauth",
    "reports",
    "sources",
    "team",
    "timeline",
]
