"""Check every connection daily: its token, its permissions and roles, its subscriptions at LinkedIn."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts import services as accounts
from accounts.core.enums import AccountStatus, EventType, IssueKind, ProviderSlug
from accounts.core.jobs import Backoff, claim_due, complete, hasten, put_off, retry
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.linkedin.readiness import Action, held
from accounts.models import Account, SourceIssue
from accounts.providers.linkedin import ErrorKind, LinkedInError
from leads.lead_sync import backfill, problems
from leads.lead_sync.access import ask_roles, record_roles
from leads.lead_sync.disconnect import delete_subscriptions
from leads.lead_sync.problem import ConnectionProblem
from leads.lead_sync.source_health import show_health
from leads.lead_sync.subscriptions import reconcile
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, app_of, heartbeat, report_error
from leads.models import LeadSync

INTERVAL = timedelta(hours=24)
INTERVAL_WITHOUT_ROLES = timedelta(hours=1)  # so that the gap is pulled soon after a role is given back
LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (5, 15, 60)], is_endless=True)
WARN_DAYS = (1, 3, 7, 14)


def check_due() -> bool:
    """Check one connection that is due, or end that of a source that was taken away. Return whether one was due."""
    due = LeadSync.objects.select_related("source__agency", "account__agency", "account__sub_account")
    with claim_due(due.prefetch_related("subscriptions"), limit=1, lease=LEASE) as claimed:
        for sync in claimed:
            _check_or_end(sync)
    return bool(claimed)


def _check_or_end(sync: LeadSync) -> None:
    """Check a connection, and have it checked again; end that of a source that was taken away."""
    if sync.source.removed_at:
        delete_subscriptions(sync)
        return
    try:
        found = _check(sync)
    except OnHold as hold:
        if hold.until:
            put_off(sync, hold.until, str(hold))
            show_health(sync)
        else:
            _store_result(sync, [], again_at=None)
    except NotConnected:
        _store_result(sync, [], again_at=None)
    except LinkedInError as error:
        _retry(sync, error)
    else:
        lacks_roles = any(problem.code.startswith("role_") for problem in found)
        _store_result(sync, found, again_at=timezone.now() + (INTERVAL_WITHOUT_ROLES if lacks_roles else INTERVAL))
        backfill.plan(sync, patient=True)


def look_after_all() -> None:
    """Warn ahead of an expiry, end what has expired, and recover from blocks that the source monitor saw end."""
    now = timezone.now()
    connected = Account.objects.filter(provider=ProviderSlug.LINKEDIN, status=AccountStatus.ACTIVE)
    for account in connected.filter(lead_syncs__isnull=False).distinct().select_related("agency", "sub_account"):
        _warn(account, now)
    ended = Q(account__token_expires_at__lte=now, account__status=AccountStatus.ACTIVE)
    hasten(LeadSync.objects.filter(ended))
    over = SourceIssue.objects.filter(
        kind=IssueKind.BLOCKED, source=OuterRef("pk"), closed_at__gt=OuterRef("checked_at")
    )
    hasten(LeadSync.objects.filter(Exists(over)))


def _check(sync: LeadSync) -> list[ConnectionProblem]:
    """Return what is wrong with a connection. Raises NotConnected, OnHold, LinkedInError."""
    app = app_of(sync.source)
    if sync.account is None or app is None or sync.account.status != AccountStatus.ACTIVE:
        raise NotConnected
    if hold := held(sync.account, Action.SYNC):
        raise OnHold(hold)
    heartbeat(sync.account, app)
    api = api_for(sync)
    found = problems.of_scopes(sync, sync.account.granted_scopes)
    wanted = [row for row in sync.subscriptions.all() if row.wanted]
    roles = ask_roles(api)
    record_roles(sync, wanted, roles)
    found += problems.of_roles(wanted, roles)
    foreign = reconcile(sync, api)
    sync = LeadSync.objects.prefetch_related("subscriptions").get(pk=sync.pk)
    return found + problems.of_subscriptions(sync, foreign)


def _retry(sync: LeadSync, error: LinkedInError) -> None:
    """Show the problem that broke off a check, and check again: after the limit's end, soon, or once a person may have
    mended it."""
    until = report_error(sync, error)
    if until is None:
        until = BACKOFF.next_attempt_at(sync.attempts) if error.kind.passes else timezone.now() + BACKOFF.steps[-1]
    is_shown = not error.kind.passes and error.kind is not ErrorKind.THROTTLED
    others = [ConnectionProblem.of_row(row) for row in sync.problems if row["code"] != error.kind]
    problems.store(sync, [*others, ConnectionProblem(error.kind, error.args[0])] if is_shown else others)
    retry(sync, str(error), until, problems=sync.problems)
    show_health(sync)


def _store_result(sync: LeadSync, found: list[ConnectionProblem], *, again_at: datetime | None) -> None:
    """Store and show the problems that a check found."""
    problems.store(sync, found)
    complete(sync, again_at=again_at, problems=sync.problems, checked_at=timezone.now())
    show_health(sync)


@transaction.atomic
def _warn(account: Account, now: datetime) -> None:
    ends = account.sign_in_by
    if ends is None or ends <= now:
        return
    left = next((days for days in WARN_DAYS if ends - now <= timedelta(days=days)), None)
    if left is None:
        return
    fresh = Q(warned_days=None) | Q(warned_days__gt=left)
    if Account.objects.filter(fresh, pk=account.pk).update(warned_days=left):
        origin = Origin(by=ProviderSlug.LINKEDIN, at=now)
        accounts.record_account_event(
            account, EventType.LINKEDIN_TOKEN_EXPIRING, origin=origin, expires_at=events.iso_timestamp(ends)
        )
