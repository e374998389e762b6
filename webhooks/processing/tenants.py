"""Determine the agency that a receipt belongs to, and the time at which its report counts."""

from collections.abc import Sequence
from datetime import UTC, datetime

from accounts.events.ordering import MAX_TIME_AHEAD, Quarantine
from accounts.models import Agency, SubAccount
from webhooks.models import Receipt
from webhooks.providers.events import Tenant


def effective_time(receipt: Receipt, occurred_at: datetime | None) -> datetime:
    """Return the provider's time, or the time of receipt if the provider's is absent or far ahead."""
    if occurred_at is None or occurred_at > receipt.received_at + MAX_TIME_AHEAD:
        return receipt.received_at
    return occurred_at


def agency_for(receipt: Receipt, tenant: Tenant = Tenant(), occurred_at: datetime | None = None) -> Agency:
    """Return the agency that a receipt belongs to: the source's, or for a marketplace source the one the body names.

    Raises Quarantine if the body names another company than the source's, or one that is unknown.
    """
    agency = receipt.source.agency
    if agency is None:
        agency = _agency_named(tenant, at=effective_time(receipt, occurred_at))
    elif tenant.company_id and tenant.company_id != agency.ghl_company_id:
        raise Quarantine(
            "foreign_company",
            "The body names another company than the one this source belongs to.",
            waits_for=tenant.company_id,
        )
    receipt.agency = agency
    return agency


def _agency_named(tenant: Tenant, *, at: datetime) -> Agency:
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
        "No agency has this company id or location.",
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
