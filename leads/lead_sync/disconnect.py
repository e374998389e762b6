"""Delete the subscriptions that LinkedIn has for a source that was taken away, so that it sends nothing more there.

LinkedIn is asked again until it has none of them, for a day at most. Of the source's secrets only the person's token is
left for that, encrypted as ever, and is deleted when this ends.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.enums import ProviderSlug
from accounts.core.jobs import Backoff, complete, end, restart, retry
from accounts.core.wording import several
from accounts.models import AccountToken, Source
from accounts.providers.linkedin import TOKEN_ERRORS, ErrorKind, LinkedInError
from accounts.sources.service import on_source_removal
from leads import wakeups
from leads.lead_sync import problems
from leads.lead_sync.problem import ConnectionProblem
from leads.lead_sync.sentences import LEFT_AT_LINKEDIN
from leads.lead_sync.subscriptions import reconcile
from leads.lead_sync.tokens import api_of_removed, midnight
from leads.models import LeadFetch, LeadSync, Pull

DISCONNECT_TIMEOUT = timedelta(hours=24)
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (5, 15, 60)], is_endless=True)
GONE = "The source was taken away."
REFUSED = gettext_noop("It does not let go of one.")
NOBODY = gettext_noop("Nobody's permission is left to ask it with.")
BY_HAND = gettext_noop("Take them away by hand: in LinkedIn's Developer Portal, the app, Webhooks.")
SAID_AGAIN = gettext_noop("It is told again by itself.")


def begin(source: Source) -> None:
    """End what is fetched and pulled for a source, and have its subscriptions deleted at LinkedIn. Call it in the
    transaction of the removal."""
    if not restart(LeadSync.objects.filter(source=source), problems=[]):
        return
    source.lead_sync.subscriptions.update(wanted=False)
    source.lead_sync.refused_forms.all().delete()
    end(Pull.objects.filter(sync__source=source, next_attempt_at__isnull=False), GONE)
    end(LeadFetch.objects.filter(source=source, next_attempt_at__isnull=False), GONE)
    transaction.on_commit(wakeups.wake_up, robust=True)


def delete_subscriptions(sync: LeadSync) -> None:
    """Have LinkedIn delete the subscriptions of a source that was taken away. After an error show the problem, and when
    LinkedIn is asked again."""
    now = timezone.now()
    again = BACKOFF.next_attempt_at(sync.attempts)
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
        _end(sync, [_problem(why, BY_HAND)])
    else:
        problems.store(sync, [_problem(why, SAID_AGAIN)])
        retry(sync, why, again, problems=sync.problems)


def _problem(why: str, then: str) -> ConnectionProblem:
    return ConnectionProblem("left_at_linkedin", several(LEFT_AT_LINKEDIN, why, then))


@transaction.atomic
def _end(sync: LeadSync, found: list[ConnectionProblem]) -> None:
    """End the connection. Problems that are left stay visible; the token goes, unless another source works with it."""
    problems.store(sync, found)
    account = sync.account
    has_ended = complete(sync, account=None, problems=sync.problems, checked_at=timezone.now())
    if has_ended and account and not account.lead_syncs.exists():
        AccountToken.objects.filter(account=account).delete()


on_source_removal(ProviderSlug.LINKEDIN, begin)
