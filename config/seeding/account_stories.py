"""What happens to LinkedIn accounts: they connect, go down alone or together, are reconnected, limited, deleted."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from accounts.core.enums import AccountStatus, ProviderSlug, RequestAction
from accounts.events.outbox import iso_timestamp
from accounts.models import Account
from config.seeding.accounts import Together, limit_rate, report_status
from config.seeding.happenings import Happening
from config.seeding.place import Place
from webhooks.models import ProviderRequest

WORDS = {  # our status --> Salesflow's
    AccountStatus.ACTIVE: "ACCOUNT_ACTIVE",
    AccountStatus.INCOMPLETE: "ACCOUNT_PAUSED",
    AccountStatus.DISCONNECTED: "ACCOUNT_BLOCKED",
    AccountStatus.DELETED: "ACCOUNT_DELETED",
}
FAILURES = {  # our status --> We-Link's code, and its message
    AccountStatus.AUTH_ERROR: ("WRONG_PASSWORD", "wrong password"),
    AccountStatus.INCOMPLETE: ("PIN_REQUIRED", "Please provide the verification code sent to the user"),
    AccountStatus.BLOCKED: ("ACCOUNT_RESTRICTED", "LinkedIn has restricted the account"),
}
DETAIL = "The session was refused: sign in again."
#: How an account of a provider goes down.
DOWN = {
    ProviderSlug.SALESFLOW: (AccountStatus.DISCONNECTED, AccountStatus.DISCONNECTED, AccountStatus.INCOMPLETE),
    ProviderSlug.WELINK: (AccountStatus.AUTH_ERROR, AccountStatus.INCOMPLETE, AccountStatus.BLOCKED),
    ProviderSlug.LINKEDCONNECTOR: (AccountStatus.AUTH_ERROR, AccountStatus.BLOCKED),
}
RATHER_SHORT, RATHER_LONG = timedelta(minutes=40), timedelta(days=2)
#: So many accounts went down alone, and so many of them are down now.
UP_AND_DOWN, DOWN_NOW = 25, 5


def account_stories(place: Place) -> list[Happening]:
    """Return all that happens to the agency's accounts."""
    by_provider: dict[str, list[Account]] = {}
    for account in place.accounts:
        by_provider.setdefault(account.provider, []).append(account)
    salesflow, welink = by_provider[ProviderSlug.SALESFLOW], by_provider[ProviderSlug.WELINK]
    connectors = by_provider[ProviderSlug.LINKEDCONNECTOR]
    past = place.working_time(place.random.uniform(34, 42))
    lately = place.now - timedelta(minutes=place.random.randint(50, 600))
    found = [*_connections(place)]
    found += _together(place, salesflow[1:7], AccountStatus.DISCONNECTED, past, back_after=timedelta(hours=3))
    found += _together(place, welink[1:5], AccountStatus.AUTH_ERROR, lately, back_after=None)
    gone, limited = salesflow[7], connectors[:2]
    apart = {account.pk for account in (*salesflow[1:8], *welink[1:5], *limited)}
    others = [account for account in place.accounts if account.pk not in apart]
    for number, account in enumerate(place.random.sample(others, UP_AND_DOWN)):
        found += _downs(place, account, is_down=number < DOWN_NOW)
    found.append(_limit(place, limited[0], place.now - timedelta(minutes=15), place.now + timedelta(minutes=45)))
    at = place.working_time(50)
    found.append(_limit(place, limited[1], at, at + timedelta(hours=1)))
    found.append(_report(place, gone, AccountStatus.DELETED, place.working_time(52)))
    return found


def _connections(place: Place) -> Iterator[Happening]:
    for account in place.accounts:
        yield _report(place, account, AccountStatus.ACTIVE, account.created_at)


def _downs(place: Place, account: Account, *, is_down: bool) -> Iterator[Happening]:
    """One or two times within the account's life; the last without an end if it is down now."""
    at = account.created_at + timedelta(days=place.random.uniform(2, 12))
    for _ in range(place.random.randint(1, 2)):
        length = place.random.uniform(RATHER_SHORT.total_seconds(), RATHER_LONG.total_seconds())
        until = at + timedelta(seconds=length)
        if until > place.now - timedelta(days=3):
            break
        yield from _down(place, account, at, until)
        at = until + timedelta(days=place.random.uniform(4, 12))
    if is_down:
        yield from _down(place, account, place.now - timedelta(hours=place.random.uniform(3, 60)), None)


def _down(place: Place, account: Account, at: datetime, until: datetime | None) -> Iterator[Happening]:
    yield _report(place, account, place.random.choice(DOWN[ProviderSlug(account.provider)]), at)
    if until:
        yield _report(place, account, AccountStatus.ACTIVE, until)


def _together(
    place: Place, accounts: Sequence[Account], status: AccountStatus, at: datetime, back_after: timedelta | None
) -> Iterator[Happening]:
    """Several accounts within four minutes: an incident, which ends when all of them are back."""
    ready = [account for account in accounts if account.created_at < at - timedelta(days=1)]
    together = Together(place, len(ready))
    for number, account in enumerate(ready):
        dropped_at = at + timedelta(minutes=4) * number / len(ready)
        yield _report(place, account, status, dropped_at, together=together)
        if back_after:
            yield _report(place, account, AccountStatus.ACTIVE, at + back_after + timedelta(minutes=7 * number))


def _report(
    place: Place, account: Account, status: AccountStatus, at: datetime, together: Together | None = None
) -> Happening:
    body, reason = _body(place, account, status, at)
    return Happening(
        at,
        partial(report_status, place, account, status, reason, together),
        account.provider,
        body,
        account_id=account.pk,
        correlation=body.get("request_id", ""),
    )


def _body(place: Place, account: Account, status: AccountStatus, at: datetime) -> tuple[dict[str, Any], str]:
    """Return what the provider sends, and the reason that it gives."""
    match account.provider:
        case ProviderSlug.SALESFLOW:
            word = WORDS[status]
            body = {
                "EventType": "ACCOUNT_STATUS_CHANGED", "Payload": {"Data": {"Status": word}},
                "LinkedInAccountId": int(account.external_id or 0), "LinkedInEmail": account.email,
            }  # fmt: skip
            return body, "" if status is AccountStatus.ACTIVE else word
        case ProviderSlug.WELINK:
            return _answer(place, account, status, at)
        case _:
            event = "linkedin_reconnected" if status is AccountStatus.ACTIVE else f"linkedin_{status}"
            detail = DETAIL if status is AccountStatus.AUTH_ERROR else ""
            body = {
                "event_type": event, "ghl_company_id": place.agency.ghl_company_id,
                "ghl_location_id": account.sub_account.location_id if account.sub_account else "",
                "linkedin_account_name": account.name, "timestamp": iso_timestamp(at),
            }  # fmt: skip
            return body | ({"error_detail": detail} if detail else {}), detail


def _answer(place: Place, account: Account, status: AccountStatus, at: datetime) -> tuple[dict[str, Any], str]:
    request = ProviderRequest(
        source=place.sources[account.provider], action=RequestAction.LOGIN, account=account, created_at=at,
        request_id=f"login-{place.random.getrandbits(48):012x}",
    )  # fmt: skip
    place.requests.append(request)
    if status is AccountStatus.ACTIVE:
        result = {
            "first_name": account.first_name, "last_name": account.last_name, "profile_id": account.external_id,
            "public_identifier": account.public_identifier, "premium": bool(account.premium),
            "occupation": account.occupation, "email": account.email,
        }  # fmt: skip
        return {"status": "SUCCESS", "request_id": request.request_id, "result": result}, ""
    code, message = FAILURES[status]
    return {"status": code, "request_id": request.request_id, "message": message}, message


def _limit(place: Place, account: Account, at: datetime, resets_at: datetime) -> Happening:
    body = {
        "event_type": "linkedin_rate_limit", "ghl_company_id": place.agency.ghl_company_id,
        "ghl_location_id": account.sub_account.location_id if account.sub_account else "",
        "linkedin_account_name": account.name, "timestamp": iso_timestamp(at), "resets_at": iso_timestamp(resets_at),
        "limit_type": "daily", "api_name": "messages",
    }  # fmt: skip
    return Happening(at, partial(limit_rate, place, account, resets_at), account.provider, body, account_id=account.pk)
