"""Register the back office's pages for leads."""

from leads.admin import enrichment, history, leads
from leads.lead_sync import admin as linkedin

__all__ = ["enrichment", "history", "leads", "linkedin"]
