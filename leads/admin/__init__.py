"""The back office's pages for leads."""

from leads.admin import history, leads
from leads.linkedin import admin as linkedin

__all__ = ["history", "leads", "linkedin"]
