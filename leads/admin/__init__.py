"""Register the back office's pages for leads."""

from leads.admin import (
    activities,
    clocks,
    duplicates,
    enrichment,
    figures,
    history,
    imports,
    inbox,
    leads,
    routing,
    rules,
    saved_filters,
    sequences,
    target_lists,
    templates,
    timeline,
)
from leads.lead_sync import admin as linkedin

__all__ = [
    "activities",
    "clocks",
    "duplicates",
    "enrichment",
    "figures",
    "history",
    "imports",
    "inbox",
    "leads",
    "linkedin",
    "routing",
    "rules",
    "saved_filters",
    "sequences",
    "target_lists",
    "templates",
    "timeline",
]
