"""Export what the portal's pages use: access, pagination and rendering."""

from accounts.web.portal.access import MemberRequest, current_member, owners, readers, writers
from accounts.web.portal.pagination import Page, paginate
from accounts.web.portal.views import NewSecrets, add_error_messages, redirect_back, redirect_to_secrets, render_page

__all__ = [
    "MemberRequest",
    "NewSecrets",
    "Page",
    "add_error_messages",
    "current_member",
    "owners",
    "paginate",
    "readers",
    "redirect_back",
    "redirect_to_secrets",
    "render_page",
    "writers",
]
