"""Set up an agency and invite its owner, in one step of staff."""

from django.contrib.auth.models import User
from django.db import transaction

from accounts.core.enums import Role
from accounts.core.errors import FieldError
from accounts.models import Agency, Invitation
from accounts.tenancy.agencies import create_agency_without_key
from accounts.tenancy.team import invite_member


@transaction.atomic
def set_up_agency(
    *, name: str, owner_email: str, timezone: str, locale: str, company_id: str | None = None, by: User | None = None
) -> tuple[Agency, Invitation]:
    """Create an agency and invite its owner by e-mail. No API key is made: the owner makes the keys.

    Raises FieldError, TooManyMails, and IntegrityError if the company id is taken.
    """
    agency = create_agency_without_key(name=name, company_id=company_id, timezone=timezone, locale=locale, by=by)
    try:
        return agency, invite_member(agency, email=owner_email, role=Role.OWNER, invited_by=by)
    except FieldError as refusal:
        raise FieldError("owner_email" if refusal.field == "email" else refusal.field, str(refusal)) from None
