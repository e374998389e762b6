"""Let an agency choose what counts as a conversion."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.tenancy.audit import Actor, record_audit
from leads.analytics.rebuilding import request_rebuild
from leads.enums import DEFAULT_CONVERSIONS
from leads.models import FigureSettings


@transaction.atomic
def choose_conversions(agency: Agency, statuses: Collection[str], *, by: Actor | None = None) -> None:
    """Choose which statuses count as a conversion. All leads are counted anew. Raises FieldError."""
    chosen = [status.value for status in DEFAULT_CONVERSIONS if status in statuses]
    if not chosen or len(chosen) < len(set(statuses)):
        raise FieldError("conversions", gettext("Choose at least one of the statuses."))
    FigureSettings.objects.update_or_create(agency=agency, defaults={"conversions": chosen})
    record_audit(agency, by=by, action=gettext_noop("Conversions chosen"), detail=", ".join(chosen))
    request_rebuild(agency)
