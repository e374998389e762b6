"""Show the connection on the card of a LinkedIn source in the portal."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.core.enums import ProviderSlug
from accounts.models import Source


def connection_link(source: Source) -> SafeString | str:
    """Return the way to the page on which LinkedIn is connected; "" for other providers' sources."""
    if source.provider != ProviderSlug.LINKEDIN:
        return ""
    url = reverse("portal_linkedin", args=[source.pk])
    return format_html('<p><a class="btn btn-sm" href="{}">{}</a></p>', url, gettext("Connection and set-up"))
