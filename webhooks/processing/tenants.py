"""Which agency a receipt belongs to, and when what it says counts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from accounts.events.ordering import Quarantine
from accounts.models import Agency, SubAccount
from webhooks.models import Receipt
from webhooks.providers.events import Tenant

#: A time further ahead than this is a wrong clock: the time of receipt counts instead (contract: "Order").
MAX_CLOCK_SKEW = timedelta(minutes=5)


def counted_time(receipt: Receipt, occurred_at: datetime | None) -> datetime:
    """Return the provider's time, else (none, or far ahead of us) the time of receipt."""
    if occurred_at is None or occurred_at > receipt.received_at + MAX_CLOCK_SKEW:
        return receipt.received_at
    return occurred_at


def agency_for(receipt: Receipt, tenant: Tenant = Tenant(), occurred_at: datetime | None = None) -> Agency:
    """The agency a receipt belongs to. The source decides; a marketplace source leaves it to company or location.

    Raises Quarantine for a body that names another company than the source's, or one that nobody knows.
    """
    agency = receipt.source.agency
    if agency is None:
        agency = _agency_named(tenant, at=counted_time(receipt, occurred_at))
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
        # Anybody may write a location's id into a webhook of their own; HighLevel's word outweighs theirs.
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
    """Of a location that moved from agency to agency, the row of the agency where the app was installed at a time."""

    def order(location: SubAccount) -> tuple[bool, bool, datetime]:
        installed_at = location.installed_at or datetime.min.replace(tzinfo=UTC)
        since = installed_at <= at
        until = location.installed or (location.uninstalled_at is not None and location.uninstalled_at >= at)
        return since, until, installed_at

    return max(locations, key=order)
