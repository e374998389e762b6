"""Export what the portal's pages use: access, pagination and rendering."""

from accounts.web.portal.access import MemberRequest, current_member, owners, readers, writers
from accounts.web.portal.pagination import Page, turn
from accounts.web.portal.views import Shown, back_to, say_errors, show, show_once

__all__ = [
    "MemberRequest",
    "Page",
    "Shown",
    "back_to",
    "current_member",
    "owners",
    "readers",
    "say_errors",
    "show",
    "show_once",
    "turn",
    "writers",
]
