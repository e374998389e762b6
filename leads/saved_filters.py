"""Save lists of leads for a member, and remove them."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.core.errors import FieldError
from accounts.core.text import plain
from accounts.models import Member
from leads.models import SavedFilter

MAX_SAVED = 12


@transaction.atomic
def save_filter(member: Member, *, name: str, query: str) -> SavedFilter:
    """Save a list under a name; a list that has the name already is replaced. Raises FieldError."""
    name = plain(name).strip()
    if not name:
        raise FieldError("name", _("Enter a name for the filter."))
    if not query:
        raise FieldError("", _("Choose filters first: the list of all leads needs no name."))
    Member.objects.select_for_update().get(pk=member.pk)
    others = SavedFilter.objects.filter(member=member).exclude(name=name)
    if others.count() >= MAX_SAVED:
        raise FieldError("", _("You have %(count)d saved filters already: remove one first.") % {"count": MAX_SAVED})
    return SavedFilter.objects.update_or_create(member=member, name=name, defaults={"query": query})[0]


def remove_filter(saved: SavedFilter) -> None:
    """Remove a saved filter."""
    saved.delete()
