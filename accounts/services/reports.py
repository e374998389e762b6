"""Apply reports to accounts. Every change is added to the history and, where agencies receive it, recorded as an
Event."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.campaigns import service as campaigns
from accounts.core import known_ids
from accounts.core.enums import AccountStatus, EventType, StatusReason
from accounts.core.text import plain_fields
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events import reactions
from accounts.events.ordering import Origin, is_newer
from accounts.linkedin import links
from accounts.linkedin.matching import AccountIdentity, copy_identity, get_or_build_account, lock_account
from accounts.models import Account, AccountReport, AccountToken, Agency, Event, SubAccount

EVENTS = {  # new status --> event for agencies
    AccountStatus.INCOMPLETE: EventType.LINKEDIN_INCOMPLETE,
    AccountStatus.DISCONNECTED: EventType.LINKEDIN_DISCONNECTED,
    AccountStatus.AUTH_ERROR: EventType.LINKEDIN_AUTH_ERROR,
    AccountStatus.BLOCKED: EventType.LINKEDIN_BLOCKED,
    AccountStatus.DELETED: EventType.LINKEDIN_DELETED,
}
#: The subscriber that reacts to changes of accounts' statuses.
STATUS_SUBSCRIBER = "account status"
#: The fields of an account that a report may change.
REPORTED = (
    *("name", "email", "first_name", "last_name", "public_identifier", "occupation", "premium", "updated_at"),
    *("status", "status_reason", "status_since", "reported_at", "reported_sequence"),
)
#: Two guessed ends of a rate limit (no `resets_at`) that are closer than this belong to the same limit.
SAME_WINDOW = timedelta(minutes=1)


@transaction.atomic(savepoint=False)
def report_status(
    agency: Agency,
    *,
    provider: str,
    identity: AccountIdentity,
    status: AccountStatus,
    origin: Origin,
    reason: str = "",
    error_detail: str = "",
    passed_on: EventType | None = None,
    account: Account | None = None,
    work: UnitOfWork = AT_ONCE,
) -> Account:
    """Apply one report of a status. `account` is the account if the caller knows it.

    With `passed_on` the agency receives that event even if the report changes nothing. Raises Quarantine.
    """
    account, first_seen = get_or_build_account(agency, provider, identity, status, origin, account, work)
    before = "" if first_seen else account.status
    applied = is_newer(origin, account)
    previous_name = "" if first_seen else account.display_name
    copy_identity(account, identity, overwrite=applied)
    text = error_detail or reason
    if applied and before == AccountStatus.DELETED and status != before:
        text = f"Revived by {origin.by}. {text}".rstrip()
    if applied:
        _set_status(account, status, origin=origin, reason=error_detail or reason)
    _save(account, first_seen, *REPORTED, work=work)
    if account.display_name != previous_name:
        links.propose_links(account, work)
    _add_history_row(account, before=before, after=status, origin=origin, applied=applied, note=text, work=work)
    event_type = passed_on or (_event_for(before, status) if applied else None)
    event = None
    if event_type:
        extra = {"error_detail": error_detail} if event_type is EventType.LINKEDIN_AUTH_ERROR else {}
        event = record_account_event(account, event_type, origin=origin, work=work, **extra)
    if applied and account.status not in (before, AccountStatus.ACTIVE if not before else ""):
        _apply_status(account, origin=origin, work=work)
        _request_status_reaction(account, before=before, origin=origin, event=event, work=work)
    if first_seen:
        _catch_up_with_uninstall(account, work)
    return account


@transaction.atomic(savepoint=False)
def report_rate_limit(
    agency: Agency,
    *,
    provider: str,
    identity: AccountIdentity,
    origin: Origin,
    resets_at: datetime | None = None,
    limit_type: str = "",
    api_name: str = "",
    passed_on: bool = False,
    account: Account | None = None,
    work: UnitOfWork = AT_ONCE,
) -> Account:
    """Apply one report of a rate limit, which leaves the status as it is. Raises Quarantine."""
    account, first_seen = get_or_build_account(agency, provider, identity, AccountStatus.ACTIVE, origin, account, work)
    before = account.rate_limited_until
    until = resets_at or origin.at + timedelta(seconds=settings.RATE_LIMIT_FALLBACK_SECONDS)
    later = before is None or until > before
    if later:
        account.rate_limited_until = until
    _save(account, first_seen, "rate_limited_until", "updated_at", work=work)
    if first_seen:
        links.propose_links(account, work)
    _add_history_row(
        account,
        before="" if first_seen else account.status,
        after=account.status,
        origin=origin,
        applied=later,
        note=f"rate limited until {events.iso_timestamp(until)}",
        work=work,
    )
    same_window = resets_at is None and before is not None and before > origin.at and until - before < SAME_WINDOW
    if passed_on or (later and not same_window):
        record_account_event(
            account,
            EventType.LINKEDIN_RATE_LIMIT,
            origin=origin,
            work=work,
            limit_type=limit_type,
            api_name=api_name,
            resets_at=events.iso_timestamp(resets_at) if resets_at else "",
        )
    return account


@transaction.atomic(savepoint=False)
def add_history_note(account: Account, *, origin: Origin, text: str, work: UnitOfWork = AT_ONCE) -> None:
    """Add a note to an account's history without changing the account."""
    _add_history_row(
        account, before=account.status, after=account.status, origin=origin, applied=False, note=text, work=work
    )


@transaction.atomic(savepoint=False)
def report_problem(account: Account, *, code: str, origin: Origin, text: str, work: UnitOfWork = AT_ONCE) -> None:
    """Record an error that leaves the account's status as it is. It becomes part of an incident if many accounts have
    it."""
    add_history_note(account, origin=origin, text=text, work=work)
    account = lock_account(account, work)
    _request_status_reaction(account, before=account.status, origin=origin, work=work, problem=code)


@transaction.atomic(savepoint=False)
def disconnect_for_uninstall(account: Account, *, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Disconnect an account because the app was uninstalled at its location. Record no event besides the `uninstall`
    event."""
    account = lock_account(account, work)
    if account.status == AccountStatus.DELETED:
        return
    applied = is_newer(origin, account)
    _add_history_row(
        account,
        before=account.status,
        after=AccountStatus.DISCONNECTED,
        origin=origin,
        applied=applied,
        note=StatusReason.UNINSTALLED,
        work=work,
    )
    if applied:
        before = account.status
        _set_status(account, AccountStatus.DISCONNECTED, origin=origin, reason=StatusReason.UNINSTALLED)
        work.update(account, *REPORTED)
        if account.status != before:
            _apply_status(account, origin=origin, work=work)
        # also if it was down before, because nobody is asked to undo an uninstall
        _request_status_reaction(account, before=before, origin=origin, work=work)


@transaction.atomic(savepoint=False)
def update_account(account: Account, **changes: Any) -> Account:
    """Change `name`, `email` or `sub_account` on behalf of a person."""
    for name, value in plain_fields(changes, "name").items():
        setattr(account, name, value)
    account.save(update_fields=[*changes, "updated_at"])
    if "name" in changes:
        links.propose_links(account)
    if account.sub_account and "sub_account" in changes:
        known_ids.announce_known_ids(account.agency_id, account.sub_account.location_id)
    return account


def record_account_event(
    account: Account, event_type: EventType, *, origin: Origin, work: UnitOfWork = AT_ONCE, **fields: Any
) -> Event:
    """Record an event about an account."""
    return events.record_event(
        account.agency,
        event_type,
        subject=account.id,
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        work=work,
        **events.account_fields(account),
        **fields,
    )


def _set_status(account: Account, status: AccountStatus, *, origin: Origin, reason: str) -> None:
    if status != account.status:
        account.status, account.status_since = status, origin.at
    account.status_reason = reason[:500]
    account.reported_at, account.reported_sequence = origin.order


def _save(account: Account, first_seen: bool, *changed: str, work: UnitOfWork) -> None:
    if first_seen:
        work.add(account)
        if account.external_id is None and account.sub_account:  # a location's account, possibly its only one
            work.bypass()
            known_ids.announce_known_ids(account.agency_id, account.sub_account.location_id)
    else:
        work.update(account, *changed)


def _apply_status(account: Account, *, origin: Origin, work: UnitOfWork) -> None:
    """Apply the immediate effects of a new status.

    Campaigns run while their account is active; a rate limit alone pauses none. The token of a deleted account is
    deleted. `accounts.services.status_reactions` does the rest shortly afterwards.
    """
    if account.status == AccountStatus.ACTIVE:
        campaigns.resume_for(account, origin=origin, work=work)
    else:
        campaigns.pause_for(account, origin=origin, work=work)
    if account.status == AccountStatus.DELETED:
        work.bypass(AccountToken)
        AccountToken.objects.filter(account=account).delete()


def _request_status_reaction(
    account: Account,
    *,
    before: str,
    origin: Origin,
    work: UnitOfWork,
    event: Event | None = None,
    **more: str,
) -> None:
    """Request the reaction of `accounts.services.status_reactions` to the account's current status."""
    facts = {
        "before": before,
        "status": account.status,
        "reason": account.status_reason,
        "by": origin.by,
        "at": origin.at.isoformat(),
        "receipt_id": origin.receipt_id,
        **more,
    }
    reactions.request_reaction(STATUS_SUBSCRIBER, subject=account.pk, event=event, facts=facts, work=work)


def _event_for(before: str, after: AccountStatus) -> EventType | None:
    if before == after:
        return None
    if after is AccountStatus.ACTIVE:
        fresh = before in ("", AccountStatus.DELETED)
        return EventType.LINKEDIN_CONNECTED if fresh else EventType.LINKEDIN_RECONNECTED
    return EVENTS[after]


def _add_history_row(
    account: Account, *, before: str, after: str, origin: Origin, applied: bool, note: str, work: UnitOfWork
) -> None:
    report = AccountReport(
        account=account,
        from_status=before,
        to_status=after,
        occurred_at=origin.at,
        reported_by=origin.by,
        receipt_id=origin.receipt_id,
        applied=applied,
        note=note[:500],
    )
    work.add(report)


def _catch_up_with_uninstall(account: Account, work: UnitOfWork) -> None:
    """Disconnect a new account if its location was uninstalled after this report, which came late."""
    location: SubAccount | None = account.sub_account
    if location and not location.installed and location.uninstalled_at and account.reported_at:
        origin = Origin(by=account.provider, at=location.uninstalled_at, sequence=location.reported_sequence)
        if is_newer(origin, account):
            disconnect_for_uninstall(account, origin=origin, work=work)
