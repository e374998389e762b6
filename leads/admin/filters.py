"""List filters of leads."""

from accounts.admin.filters import ByParent, ByStatus
from leads.models import Lead
from leads.vocabulary import LeadStatus


class ByLeadStatus(ByStatus):
    """Every status is common somewhere and rare elsewhere: only the index of one agency serves them all."""

    options = [(status.value, status.label) for status in LeadStatus]
    within_agency = True


class ByLead(ByParent):
    title, parameter_name, model = "lead", "lead", Lead

    def shown(self) -> tuple[str, ...]:
        return ("name", "first_name", "last_name", "linkedin_url")
