"""A source that was taken away: LinkedIn is told to send nothing more to its address.

Its subscriptions are the order: until LinkedIn has none of them it is told again, for a day at most. Of what the source
knew only the person's token is left for that, encrypted as ever, and it goes when this ends.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import ProviderSlug
from accounts.core.jobs import end
from accounts.models import AccountToken, Source
from accounts.providers.linkedin import TOKEN_ERRORS, ErrorKind, LinkedInError
from accounts.sources.service import on_source_removal
from leads import wakeups
from leads.lead_sync import problems
from leads.lead_sync.problem import ConnectionProblem
from leads.lead_sync.subscriptions import reconcile
from leads.lead_sync.tokens import api_of_removed, midnight
from leads.models import LeadFetch, LeadSync, Pull

DISCONNECT_TIMEOUT = timedelta(hours=24)
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
GONE = "The source was taken away."
REFUSED = "It does not let go of one."
NOBODY = "Nobody's permission is left to ask it with."


def begin(source: Source) -> None:
    """Nothing more is wanted, fetched or pulled; LinkedIn hears of it soon. In the transaction of the removal."""
    now = timezone.now()
    if not LeadSync.objects.filter(source=source).update(next_check_at=now, check_attempts=0, problems=[]):
        return
    source.lead_sync.subscriptions.update(wanted=False)
    source.lead_sync.refused_forms.all().delete()
    end(Pull.objects.filter(sync__source=source, next_attempt_at__isnull=False), GONE)
    end(LeadFetch.objects.filter(source=source, next_attempt_at__isnull=False), GONE)
    transaction.on_commit(wakeups.wake_up, robust=True)


def take_leave(sync: LeadSync) -> None:
    """Tell LinkedIn, once; on failure say so on the sync's row, and when it is told again."""
    now = timezone.now()
    again: datetime | None = now + WAITS[min(sync.check_attempts, len(WAITS) - 1)]
    why = REFUSED
    api = api_of_removed(sync)
    try:
        if api:
            reconcile(sync, api)
        else:
            why, again = NOBODY, None
    except LinkedInError as error:
        why = str(error)
        if error.kind is ErrorKind.THROTTLED:
            again = midnight(now)
        elif error.kind in TOKEN_ERRORS:
            again = None
    removed_at = sync.source.removed_at or now
    if not sync.subscriptions.exclude(external_id="").exists():
        _end(sync, [])
    elif again is None or again > removed_at + DISCONNECT_TIMEOUT:
        _end(sync, [_problem(why, "Take them away by hand: in LinkedIn's Developer Portal, the app, Webhooks.")])
    else:
        problems.store(sync, [_problem(why, "It is told again by itself.")])
        LeadSync.objects.filter(pk=sync.pk).update(problems=sync.problems, next_check_at=again)


def _problem(why: str, then: str) -> ConnectionProblem:
    return ConnectionProblem(
        "left_at_linkedin", f"LinkedIn still has subscriptions for a source that is gone. {why} {then}"
    )


@transaction.atomic
def _end(sync: LeadSync, found: list[ConnectionProblem]) -> None:
    """What is left stands there to be seen; the token goes, unless another source works with it."""
    problems.store(sync, found)
    account = sync.account
    LeadSync.objects.filter(pk=sync.pk).update(
        account=None, problems=sync.problems, next_check_at=None, check_attempts=0, checked_at=timezone.now()
    )
    if account and not account.lead_syncs.exists():
        AccountToken.objects.filter(account=account).delete()


on_source_removal(ProviderSlug.LINKEDIN, begin)
