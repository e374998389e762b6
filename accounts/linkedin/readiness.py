"""Whether an account may be used now, and why not: what an automation asks before it sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.core.enums import AccountStatus, CampaignStatus
from accounts.models import Account, Campaign

#: After this long without a word from the account's source, about this account or any other, we no longer know how it
#: is. Providers report changes only: an account that stays as it is may say nothing for months.
EVIDENCE_LASTS = timedelta(days=7)


class Action(StrEnum):
    SEND_MESSAGE = "send_message"
    SEND_INVITATION = "send_invitation"
    VIEW_PROFILE = "view_profile"
    SYNC = "sync"


#: Actions that reach nobody: a pause of the campaigns does not forbid them.
QUIET = (Action.VIEW_PROFILE, Action.SYNC)


RATE_LIMITED, STALE = "rate_limited", "stale"


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """`retry_at` is when the rate limit ends, if there is one; the evidence is the newest report that counted."""

    reasons: tuple[Reason, ...]
    retry_at: datetime | None
    evidence_age_seconds: int

    @property
    def ready(self) -> bool:
        return not self.reasons


def readiness(account: Account, action: Action | None = None) -> Readiness:
    """Whether `action` (None: any) may be done with the account now; every reason against it."""
    now = timezone.now()
    reported_at = account.reported_at or account.status_since
    age = max(timedelta(0), now - reported_at)
    heard_at = max(reported_at, (account.source and account.source.last_receipt_at) or reported_at)
    reasons = []
    if account.status != AccountStatus.ACTIVE:
        state = account.status.replace("_", " ")
        reasons.append(Reason(f"status_{account.status}", f"The account is {state}, not active."))
    if account.rate_limited:
        reasons.append(Reason(RATE_LIMITED, "LinkedIn limits this account for now."))
    if action not in QUIET and _stands_still(account):
        reasons.append(Reason("campaigns_paused", "All campaigns of this account are paused."))
    if now - heard_at > EVIDENCE_LASTS:
        silence = (now - heard_at).days
        reasons.append(Reason(STALE, f"Nothing was heard from this account's provider for {silence} days."))
    retry_at = account.rate_limited_until if account.rate_limited else None
    return Readiness(tuple(reasons), retry_at, int(age.total_seconds()))


@dataclass(frozen=True, slots=True)
class Held:
    """Why something waits, and until when at least (None: until the account is back)."""

    message: str
    until: datetime | None


def held(account: Account, action: Action = Action.SYNC) -> Held | None:
    """What everything of ours asks before it sends, pushes, pulls or follows up: None, go on; else wait, do not fail.

    It is `readiness`, asked by Leadline itself: that nothing was heard for long forbids nothing here, since an answer
    is what tells.
    """
    found = [reason for reason in readiness(account, action).reasons if reason.code != STALE]
    if not found:
        return None
    until = account.rate_limited_until if all(reason.code == RATE_LIMITED for reason in found) else None
    return Held(" ".join(reason.message for reason in found), until)


def with_campaigns_paused(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Adds `campaigns_paused`: there are paused campaigns, and none that runs."""
    return accounts.annotate(campaigns_paused=_all_paused())


def _stands_still(account: Account) -> bool:
    """The same of one account, in the cheapest of queries: automations ask before each of their steps."""
    statuses = set(Campaign.objects.filter(account=account.pk).order_by().values_list("status", flat=True).distinct())
    return CampaignStatus.PAUSED in statuses and CampaignStatus.ACTIVE not in statuses


def _all_paused() -> Q:
    campaigns = Campaign.objects.filter(account=OuterRef("pk"))
    paused = Exists(campaigns.filter(status=CampaignStatus.PAUSED))
    running = Exists(campaigns.filter(status=CampaignStatus.ACTIVE))
    return Q(paused & ~running)
