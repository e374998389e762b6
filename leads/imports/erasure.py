"""Erase what files of leads say of an erased person, also in rows that were refused or not imported yet."""

from django.db.models import Q

from accounts.core.linkedin_identity import names_in_urls
from accounts.events.erasure import Erasure, register_eraser
from leads.models import ImportRow, Lead, LeadImport


@register_eraser
def _import_rows(erasure: Erasure) -> dict[str, int]:
    """Delete the rows about a lead. Rows that name nobody are compared by what they hold."""
    lead = Lead.all_records.filter(pk=erasure.lead_id).first()
    if lead is None:
        return {"rows of imports": 0}
    imports = list(LeadImport.objects.filter(agency=lead.agency_id, rows_deleted=False).values_list("pk", flat=True))
    if not imports:
        return {"rows of imports": 0}
    rows = ImportRow.objects.filter(lead_import__in=imports)
    values = {"profile_key": lead.linkedin_key, "email_key": lead.email.lower(), "phone_key": lead.phone_e164}
    known = {name: value for name, value in values.items() if value}
    deleted = sum(rows.filter(**{name: value}).delete()[0] for name, value in known.items())
    unread = rows.filter(profile_key="", email_key="", phone_key="").exclude(cells=[])
    if (words := _words(lead)) and unread.exists():
        deleted += unread.filter(words).delete()[0]
    return {"rows of imports": deleted + rows.filter(lead=lead).count()}  # these go with the lead


def _words(lead: Lead) -> Q:
    """Return the condition that a row's text holds an address, a profile or a telephone of the lead."""
    words = [lead.email, lead.phone, *(names_in_urls(lead.linkedin_key) if lead.linkedin_key else ())]
    condition = Q()
    for word in words:
        condition |= Q(cells__icontains=word) if len(word) > 4 else Q()
    return condition
