"""Find members by a part of their name or address. They are few, so their texts are folded when they are asked for."""

from django.db.models import Q

from accounts.core.derived_fields import fold, search_text
from accounts.models import Member


def members_matching(agency_id: str, word: str) -> Q:
    """Return the condition of the members, of one agency or (empty) of all, that a word finds."""
    folded = fold(word)
    members = Member.objects.filter(agency=agency_id) if agency_id else Member.objects.all()
    known = members.values_list("pk", "user__first_name", "user__last_name", "user__email", "user__username").iterator()
    found = [
        key
        for key, first_name, last_name, *addresses in known
        if folded and folded in search_text([f"{first_name} {last_name}", *addresses, key])
    ]
    return Q(pk__in=found)
