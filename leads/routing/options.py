"""Change how an agency's leads are routed besides its rules."""

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from leads.models import RoutingSettings

MAX_DAYS = 730


@transaction.atomic
def change_options(
    agency: Agency, *, same_company: bool, company_days: int, by: Actor | None = None
) -> RoutingSettings:
    """Set whether the owner of the same company gets a lead, and how old their lead may be. Raises FieldError."""
    if not 1 <= company_days <= MAX_DAYS:
        raise FieldError("company_days", f"Enter a number of days from 1 to {MAX_DAYS}.")
    values = {"same_company": same_company, "company_days": company_days}
    stored = RoutingSettings.objects.update_or_create(agency=agency, defaults=values)[0]
    detail = f"same company: {company_days} days" if same_company else "same company: off"
    audit.record_audit(agency, by=by, action=gettext_noop("Routing changed"), detail=detail)
    return stored
