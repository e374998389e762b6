"""Find the page of the portal that a message opens: that of the lead, account, … that its event is about."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: How the id of a subject begins --> the name of its page, and what the button says.
_PAGES: "dict[str, tuple[str, _StrPromise]]" = {
    "lead_": ("portal_lead", _("Open lead")),
    "acc_": ("portal_account", _("Open account")),
    "cmp_": ("portal_campaign", _("Open campaign")),
    "inc_": ("portal_incident", _("Open incident")),
    "src_": ("portal_source", _("Open source")),
}
#: The same, where the subject stands on a list, in an element with its id.
_LISTS: "dict[str, tuple[str, _StrPromise]]" = {
    "chn_": ("portal_notifications", _("Open channel")),
    "src_": ("portal_sources", _("Open source")),
    "sub_": ("portal_accounts", _("Open accounts")),
    "inc_": ("portal_accounts", _("Open accounts")),
}


def subject_page(subject: str) -> tuple[str, str]:
    """Return what a link to the subject's page says, and its URL; two empty texts if it has no page."""
    start = subject.partition("_")[0] + "_"
    if start in _PAGES:
        name, label = _PAGES[start]
        try:
            return str(label), absolute(reverse(name, args=[subject]))
        except NoReverseMatch:  # shown on a list alone
            pass
    if start in _LISTS:
        name, label = _LISTS[start]
        return str(label), absolute(f"{reverse(name)}#{subject}")
    return "", ""


def delivery_page(delivery_id: str) -> tuple[str, str]:
    return str(_("Open delivery")), absolute(reverse("portal_delivery", args=[delivery_id]))


def absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
