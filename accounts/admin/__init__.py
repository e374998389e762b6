"""Show agencies, people, accounts, campaigns, sources and the event log in the back office."""

from accounts.admin import (
    accounts,
    agencies,
    audit,
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
    "audit",
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
