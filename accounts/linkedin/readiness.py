"""Decide whether an account may be used now, and why not. Automations ask this before they send."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.core.enums import AccountStatus, CampaignStatus
from accounts.labels import READINESS, STATES, readiness_text
from accounts.models import Account, Campaign

#: How long the status counts after the last report from the account's source, about any account. Providers report only
#: changes, so a stable account may report nothing for months.
EVIDENCE_LIFETIME = timedelta(days=7)


class Action(StrEnum):
    SEND_MESSAGE = "send_message"
    SEND_INVITATION = "send_invitation"
    VIEW_PROFILE = "view_profile"
    SYNC = "sync"


#: Actions that reach no person, so that a pause of the campaigns does not forbid them.
PASSIVE_ACTIONS = (Action.VIEW_PROFILE, Action.SYNC)


RATE_LIMITED, STALE = "rate_limited", "stale"


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an account may be used. `retry_at` is when the rate limit ends; the age is that of the newest applied
    report."""

    reasons: tuple[Reason, ...]
    retry_at: datetime | None
    evidence_age_seconds: int

    @property
    def ready(self) -> bool:
        return not self.reasons


def readiness(account: Account, action: Action | None = None) -> Readiness:
    """Return whether `action` (None: any) may be done with the account now, with every reason against it."""
    now = timezone.now()
    reported_at = account.reported_at or account.status_since
    age = max(timedelta(0), now - reported_at)
    last_receipt_at = max(reported_at, (account.source and account.source.last_receipt_at) or reported_at)
    reasons = []
    if account.status != AccountStatus.ACTIVE:
        reasons.append(Reason(f"status_{account.status}", STATES[AccountStatus(account.status)]))
    if account.rate_limited:
        reasons.append(Reason(RATE_LIMITED, READINESS[RATE_LIMITED]))
    if action not in PASSIVE_ACTIONS and _are_campaigns_paused(account):
        reasons.append(Reason("campaigns_paused", "All campaigns of this account are paused."))
    if now - last_receipt_at > EVIDENCE_LIFETIME:
        silence = (now - last_receipt_at).days
        reasons.append(Reason(STALE, f"Nothing was heard from this account's provider for {silence} days."))
    retry_at = account.rate_limited_until if account.rate_limited else None
    return Readiness(tuple(reasons), retry_at, int(age.total_seconds()))


@dataclass(frozen=True, slots=True)
class Held:
    """Why something waits, and until when at least (None: until the account is back)."""

    message: str
    until: datetime | None
    codes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Return the message in the reader's language."""
        return " ".join(readiness_text(code) for code in self.codes)


def held(account: Account, action: Action = Action.SYNC) -> Held | None:
    """Return why Leadline's own work with the account has to wait, or None if it may go on. Work that waits does not
    fail.

    The rule is that of `readiness`, but without staleness: only an attempt can show how a silent account is.
    """
    found = [reason for reason in readiness(account, action).reasons if reason.code != STALE]
    if not found:
        return None
    until = account.rate_limited_until if all(reason.code == RATE_LIMITED for reason in found) else None
    return Held(" ".join(reason.message for reason in found), until, tuple(reason.code for reason in found))


def with_campaigns_paused(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Annotate accounts with `campaigns_paused`: they have paused campaigns and no active one."""
    return accounts.annotate(campaigns_paused=_all_paused())


def _are_campaigns_paused(account: Account) -> bool:
    """Return whether an account has paused campaigns and no active one.

    The query is the cheapest one, because automations ask before each step.
    """
    statuses = set(Campaign.objects.filter(account=account.pk).order_by().values_list("status", flat=True).distinct())
    return CampaignStatus.PAUSED in statuses and CampaignStatus.ACTIVE not in statuses


def _all_paused() -> Q:
    campaigns = Campaign.objects.filter(account=OuterRef("pk"))
    paused = Exists(campaigns.filter(status=CampaignStatus.PAUSED))
    running = Exists(campaigns.filter(status=CampaignStatus.ACTIVE))
    return Q(paused & ~running)
