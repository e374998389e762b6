"""Note whether the person who connected LinkedIn may see an owner's leads, and how far these were pulled meanwhile.

Where a role is missing LinkedIn answers 200 and nothing: an empty answer is no proof that there is nothing. So a window
counts as pulled only if the roles were there when its last page was asked for; else the next pull begins where the last
proved one ended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Max, Q
from django.utils import timezone

from accounts.providers.linkedin import Api, ErrorKind, LinkedInError
from leads.models import Lead, LeadSync, OwnerAccess, Pull, Subscription

ACCOUNT_ROLES = frozenset(
    {"ACCOUNT_BILLING_ADMIN", "ACCOUNT_MANAGER", "CAMPAIGN_MANAGER", "CREATIVE_MANAGER", "VIEWER"}
)
PAGE_ROLES = frozenset({"LEAD_GEN_FORMS_MANAGER", "ADMINISTRATOR"})
EVENT_ROLES = frozenset({"ADMINISTRATOR", "CONTENT_ADMINISTRATOR"})
PAGE = 100
MAX_PAGES = 100


class Access(StrEnum):
    PROVED = "proved"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Roles:
    """The person's roles by URN. None: LinkedIn does not let us see them."""

    on_accounts: dict[str, set[str]] | None
    on_pages: dict[str, set[str]] | None

    def access_to(self, owner: str, lead_type: str) -> Access:
        """Return whether the roles suffice for an owner's leads; ads need one on the account and one on a page."""
        if not is_ad_account(owner):
            return _judge(self.on_pages is not None, self.on_page(owner, lead_type))
        return _judge(self.on_accounts is not None and self.on_pages is not None, self.on_account(owner), self.on_any())

    def on_account(self, owner: str) -> bool:
        """Return whether nothing says that a role on the ad account is missing."""
        return self.on_accounts is None or bool(self.on_accounts.get(owner, set()) & ACCOUNT_ROLES)

    def on_page(self, owner: str, lead_type: str) -> bool:
        """Return whether nothing says that a role on the page is missing."""
        needed = EVENT_ROLES if lead_type == "EVENT" else PAGE_ROLES
        return self.on_pages is None or bool(self.on_pages.get(owner, set()) & needed)

    def on_any(self) -> bool:
        """Return whether nothing says that the person has no role on any page."""
        return self.on_pages is None or any(roles & PAGE_ROLES for roles in self.on_pages.values())


def is_ad_account(owner: str) -> bool:
    return owner.startswith("urn:li:sponsoredAccount:")


def ask_roles(api: Api) -> Roles:
    """Ask LinkedIn for the person's roles. Raises LinkedInError."""
    return Roles(
        _roles(api, "adAccountUsers", "q=authenticatedUser", "account"),
        _roles(api, "organizationAcls", "q=roleAssignee&state=APPROVED", "organization"),
    )


def record_roles(sync: LeadSync, wanted: Iterable[Subscription], roles: Roles) -> None:
    """Record, for every owner whose leads are wanted, whether the roles prove access."""
    for owner, lead_type in {(row.owner, row.lead_type) for row in wanted}:
        record_access(sync, owner, lead_type, roles.access_to(owner, lead_type))


def record_access(sync: LeadSync, owner: str, lead_type: str, access: Access) -> OwnerAccess:
    """Record whether access to an owner's leads is proved now."""
    now = timezone.now()
    row, _ = OwnerAccess.objects.get_or_create(sync=sync, owner=owner, lead_type=lead_type)
    row.proved_at = now if access is Access.PROVED else row.proved_at
    row.missing_since = (row.missing_since or now) if access is Access.MISSING else None
    row.save(update_fields=["proved_at", "missing_since"])
    return row


def record_pulled(pull: Pull, *, reaches_back_to: datetime) -> None:
    """Record that a back-fill covered its window while access was proved.

    The window counts if it joins what earlier back-fills covered, or, for a first one, if it reaches back as far as
    LinkedIn keeps leads.
    """
    rows = OwnerAccess.objects.filter(sync=pull.sync_id, owner=pull.owner, lead_type=pull.lead_type)
    joins = Q(pulled_until__gte=pull.since, pulled_until__lt=pull.until)
    if pull.since <= reaches_back_to:
        joins |= Q(pulled_until=None)
    rows.filter(joins).update(pulled_until=pull.until)


def pull_hidden_again(lead: Lead, sync: LeadSync) -> None:
    """Have leads pulled again that LinkedIn may have hidden like this one: those after the last complete lead of its
    form."""
    shown = Lead.objects.filter(source=sync.source_id, form=lead.form, details_pending=False).exclude(pk=lead.pk)
    last = shown.filter(received_at__lt=lead.received_at).aggregate(at=Max("received_at"))["at"]
    rows = OwnerAccess.objects.filter(sync=sync, owner=lead.owner, lead_type=lead.lead_type)
    if last is None:
        rows.update(pulled_until=None)
    else:
        rows.filter(pulled_until__gt=last).update(pulled_until=last)


def _judge(is_known: bool, *suffices: bool) -> Access:
    if not all(suffices):
        return Access.MISSING
    return Access.PROVED if is_known else Access.UNKNOWN


def _roles(api: Api, resource: str, query: str, of: str) -> dict[str, set[str]] | None:
    roles: dict[str, set[str]] = {}
    seen = 0
    for _ in range(MAX_PAGES):
        try:
            page = api.page(resource, f"{query}&count={PAGE}&start={seen}")
        except LinkedInError as error:
            if error.kind in {ErrorKind.FORBIDDEN, ErrorKind.NOT_FOUND, ErrorKind.REFUSED}:
                return None
            raise
        for row in page.rows:
            roles.setdefault(str(row.get(of, "")), set()).add(str(row.get("role", "")))
        seen += page.length
        if page.is_last(seen, PAGE):
            break
    return roles
