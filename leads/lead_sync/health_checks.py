"""The daily look at every connection: is the token good, are permissions and roles there, does LinkedIn tell us."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from accounts import services as accounts
from accounts.core.connections import undone_after_outage
from accounts.core.enums import AccountStatus, EventType, IssueKind, ProviderSlug
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.linkedin.readiness import Action, held
from accounts.models import Account, SourceIssue
from accounts.providers.linkedin import ErrorKind, LinkedInError
from leads.lead_sync import backfill, problems
from leads.lead_sync.access import ask_roles, note_roles
from leads.lead_sync.disconnect import take_leave
from leads.lead_sync.problem import ConnectionProblem
from leads.lead_sync.source_health import show_health
from leads.lead_sync.subscriptions import reconcile
from leads.lead_sync.tokens import NotConnected, OnHold, api_for, app_of, heartbeat, report_error
from leads.models import LeadSync

EVERY = timedelta(hours=24)
EVERY_WITHOUT_ROLES = timedelta(hours=1)  # so that the gap is pulled soon after a role is given back
LEASE = timedelta(seconds=60)
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
WARN_DAYS = (1, 3, 7, 14)


def check_due() -> bool:
    """Check one connection that is due, or end that of a source that was taken away; whether there was one."""
    until = timezone.now() + LEASE
    with undone_after_outage(partial(_release, until)):
        sync = _claim(until)
        if sync is not None and sync.source.removed_at:
            take_leave(sync)
        elif sync is not None:
            _check_one(sync)
    return sync is not None


def _check_one(sync: LeadSync) -> None:
    try:
        found = _check(sync)
    except OnHold as hold:
        kept = [ConnectionProblem(row["code"], row["message"]) for row in sync.problems]
        _settle(sync, kept if hold.until else [], next_check_at=hold.until, done=hold.until is None)
    except NotConnected:
        _settle(sync, [], next_check_at=None)
    except LinkedInError as error:
        _kind_of(sync, error)
    else:
        lacks_roles = any(problem.code.startswith("role_") for problem in found)
        _settle(sync, found, next_check_at=timezone.now() + (EVERY_WITHOUT_ROLES if lacks_roles else EVERY))
        backfill.plan(sync, patient=True)


def look_after_all() -> None:
    """Warn ahead of an expiry, end what has expired, and recover from blocks that the source monitor saw end."""
    now = timezone.now()
    connected = Account.objects.filter(provider=ProviderSlug.LINKEDIN, status=AccountStatus.ACTIVE)
    for account in connected.filter(lead_syncs__isnull=False).distinct().select_related("agency", "sub_account"):
        _warn(account, now)
    ended = Q(account__token_expires_at__lte=now, account__status=AccountStatus.ACTIVE)
    LeadSync.objects.filter(ended, next_check_at__gt=now + LEASE).update(next_check_at=now)
    over = SourceIssue.objects.filter(
        kind=IssueKind.BLOCKED, source=OuterRef("pk"), closed_at__gt=OuterRef("checked_at")
    )
    LeadSync.objects.filter(Exists(over), next_check_at__gt=now + LEASE).update(next_check_at=now)


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and is not done. The attempt does not count."""
    claimed = LeadSync.objects.filter(next_check_at=until)
    claimed.update(next_check_at=timezone.now(), check_attempts=F("check_attempts") - 1)


def _claim(until: datetime) -> LeadSync | None:
    with transaction.atomic():
        due = LeadSync.objects.filter(next_check_at__lte=timezone.now()).order_by("next_check_at")
        key = due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True).first()
        if key is None:
            return None
        LeadSync.objects.filter(pk=key).update(next_check_at=until, check_attempts=F("check_attempts") + 1)
    rows = LeadSync.objects.select_related("source__agency", "account__agency", "account__sub_account")
    return rows.prefetch_related("subscriptions").filter(pk=key).first()


def _check(sync: LeadSync) -> list[ConnectionProblem]:
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
    note_roles(sync, wanted, roles)
    found += problems.of_roles(wanted, roles)
    foreign = reconcile(sync, api)
    sync = LeadSync.objects.prefetch_related("subscriptions").get(pk=sync.pk)
    return found + problems.of_subscriptions(sync, foreign)


def _kind_of(sync: LeadSync, error: LinkedInError) -> None:
    """Say what is wrong, and look again: after the limit's end, soon, or when a person has mended it."""
    until: datetime | None = report_error(sync, error)
    if until is None:
        place = min(sync.check_attempts, len(WAITS) - 1)
        until = timezone.now() + (WAITS[place] if error.kind.passes else WAITS[-1])
    found = (
        [] if error.kind.passes or error.kind is ErrorKind.THROTTLED else [ConnectionProblem(error.kind, str(error))]
    )
    kept = [ConnectionProblem(row["code"], row["message"]) for row in sync.problems if row["code"] != error.kind]
    _settle(sync, [*kept, *found], next_check_at=until, done=False)


def _settle(
    sync: LeadSync, found: list[ConnectionProblem], *, next_check_at: datetime | None, done: bool = True
) -> None:
    """Keep what was found, unless somebody connected anew meanwhile: that made another check due."""
    problems.store(sync, found)
    LeadSync.objects.filter(pk=sync.pk, connected_at=sync.connected_at).update(
        problems=sync.problems,
        next_check_at=next_check_at,
        check_attempts=0 if done else sync.check_attempts,
        checked_at=timezone.now() if done else sync.checked_at,
    )
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
