"""Say what is wrong with a connection in a marketer's words: which permission is missing, who grants it, where."""

from collections.abc import Iterable
from datetime import UTC, timedelta

from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.core.wording import Sentence, several
from accounts.models import Account
from leads.lead_sync import sentences
from leads.lead_sync.access import Roles, is_ad_account
from leads.lead_sync.oauth import EVENT_SCOPE, SCOPES
from leads.lead_sync.problem import ConnectionProblem
from leads.lead_sync.refusals import of_fetches, of_forms, of_pulls
from leads.models import LeadSync, Subscription

HEARTBEAT_WITHIN = timedelta(hours=26)


def store(sync: LeadSync, found: Iterable[ConnectionProblem]) -> None:
    """Set the problems that a check found, unsaved."""
    sync.problems = [problem.as_row() for problem in found]


def problems_of(sync: LeadSync) -> list[ConnectionProblem]:
    """Return what is wrong now: what the last check found, what LinkedIn refuses, and what time alone shows."""
    found = [ConnectionProblem.of_row(row) for row in sync.problems]
    if sync.source.removed_at:
        return found
    return [*_of_the_connection(sync.account), *found, *of_forms(sync), *of_pulls(sync), *of_fetches(sync)]


def count_problems(sync: LeadSync) -> int:
    """Count what is wrong, for a list that has loaded the rows. Answers that wait are not counted."""
    refused = sum(1 for row in sync.refused_forms.all() if row.next_attempt_at)
    return len(_of_the_connection(sync.account)) + len(sync.problems) + refused + len(of_pulls(sync))


def of_scopes(sync: LeadSync, granted: Iterable[str]) -> list[ConnectionProblem]:
    wanted = (*SCOPES, EVENT_SCOPE) if _has_events(sync) else SCOPES
    return [
        ConnectionProblem(f"scope_{scope}", sentences.SCOPE_MISSING(scope=several(sentences.SCOPES[scope])))
        for scope in wanted
        if scope not in set(granted)
    ]


def of_roles(wanted: Iterable[Subscription], roles: Roles) -> list[ConnectionProblem]:
    """Return which roles the person lacks on owners whose leads are wanted."""
    found: dict[str, ConnectionProblem] = {}
    for row in wanted:
        if not is_ad_account(row.owner):
            if not roles.on_page(row.owner, row.lead_type):
                found[row.owner + row.lead_type] = ConnectionProblem("role_page", _page_words(row))
            continue
        if not roles.on_account(row.owner):
            found[row.owner] = ConnectionProblem("role_ad_account", _account_words(row.owner))
        if not roles.on_any():
            found["page of the ads"] = ConnectionProblem("role_page", sentences.NO_ROLE_ON_ANY_PAGE)
    return list(found.values())


def of_subscriptions(sync: LeadSync, foreign: Iterable[str]) -> list[ConnectionProblem]:
    rows = [row for row in sync.subscriptions.all() if row.wanted]
    found = [
        ConnectionProblem(
            "subscription",
            sentences.NOT_SUBSCRIBED(lead_type=row.lead_type, owner=row.owner, why=several(row.error)),
        )
        for row in rows
        if row.error
    ]
    found += [ConnectionProblem("foreign_subscription", sentences.FOREIGN_SUBSCRIPTION(url=url)) for url in foreign]
    if not rows:
        found.append(ConnectionProblem("no_subscription", sentences.NO_SUBSCRIPTION))
    return found


def _of_the_connection(account: Account | None) -> list[ConnectionProblem]:
    if account is None:
        return [ConnectionProblem("not_connected", sentences.NOT_CONNECTED)]
    if account.status == AccountStatus.AUTH_ERROR:
        if account.status_reason.startswith("revoked"):
            return [ConnectionProblem("token_revoked", sentences.TOKEN_REVOKED)]
        return [ConnectionProblem("token_expired", sentences.TOKEN_EXPIRED)]
    last_heartbeat = account.last_heartbeat_at
    if last_heartbeat is None or timezone.now() - last_heartbeat > HEARTBEAT_WITHIN:
        return [ConnectionProblem("no_heartbeat", sentences.NO_HEARTBEAT)]
    if account.rate_limited_until is not None and account.rate_limited:
        until = account.rate_limited_until.astimezone(UTC)
        waits = sentences.LIMIT_USED_UP(until=until.isoformat())
        return [ConnectionProblem("rate_limited", waits)]
    return []


def _has_events(sync: LeadSync) -> bool:
    return any(row.wanted and row.lead_type == "EVENT" for row in sync.subscriptions.all())


def _account_words(owner: str) -> Sentence:
    return sentences.NO_ROLE_ON_ACCOUNT(account=owner.rpartition(":")[2])


def _page_words(row: Subscription) -> Sentence:
    wording = sentences.NO_ROLE_FOR_EVENTS if row.lead_type == "EVENT" else sentences.NO_ROLE_ON_PAGE
    return wording(page=row.owner.rpartition(":")[2])
