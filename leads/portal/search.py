"""What search over everything of an agency finds of leads."""

from django.db.models import QuerySet
from django.urls import reverse

from accounts.core.search import Hit, Searchable, add_searchable
from leads.models import Lead
from leads.pipeline.search import leads_matching


def add_leads() -> None:
    """Let agencies find leads."""
    add_searchable(Searchable("lead", "Leads", "address-book", 10, _leads, _show, "portal_leads", in_api=True))


def _leads(agency_id: str, word: str) -> QuerySet[Lead]:
    ours = Lead.objects.filter(agency=agency_id)  # first, because PostgreSQL compares texts in this order
    return ours.filter(leads_matching(agency_id, word))


def _show(lead: Lead) -> Hit:
    job = ", ".join(filter(None, (lead.title, lead.company)))
    about = " · ".join(filter(None, (job, lead.email, lead.status_label)))
    return Hit(lead.pk, str(lead), about, reverse("portal_lead", args=[lead.pk]))
