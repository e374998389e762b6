"""Find the agency whose company or location a marketplace app's request names."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext_noop

from accounts.events.ordering import Quarantine
from accounts.models import Agency, SubAccount
from webhooks.providers.events import Tenant


def agency_named(tenant: Tenant, *, at: datetime) -> Agency:
    """Return the agency with this company or location at a time. Raises Quarantine if it is unknown."""
    if tenant.company_id:
        agency = Agency.objects.filter(ghl_company_id=tenant.company_id).first()
        if agency:
            return agency
    elif tenant.location_id:
        # Any sender can name any location. A location that HighLevel confirmed takes precedence.
        locations = list(SubAccount.objects.select_related("agency").filter(location_id=tenant.location_id))
        vouched_for = [location for location in locations if location.vouched_for]
        if len(vouched_for or locations) == 1:
            return (vouched_for or locations)[0].agency
        if vouched_for:
            return _installed_at(vouched_for, at).agency
    raise Quarantine(
        "unknown_company",
        gettext_noop("No agency has this company id or location."),
        waits_for=tenant.company_id or tenant.location_id,
    )


def _installed_at(locations: Sequence[SubAccount], at: datetime) -> SubAccount:
    """Return the sub-account, of several with one location id, in whose agency the app was installed at a time."""

    def order(location: SubAccount) -> tuple[bool, bool, datetime]:
        installed_at = location.installed_at or datetime.min.replace(tzinfo=UTC)
        since = installed_at <= at
        until = location.installed or (location.uninstalled_at is not None and location.uninstalled_at >= at)
        return since, until, installed_at

    return max(locations, key=order)
