"""The back office's pages for agencies, people, accounts, campaigns, sources and the event log."""

from accounts.admin import accounts, agencies, campaigns, events, people, reauth, sources

__all__ = ["accounts", "agencies", "campaigns", "events", "people", "reauth", "sources"]
