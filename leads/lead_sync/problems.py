"""Say what is wrong with a connection in a marketer's words: which permission is missing, who grants it, where."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.enums import AccountStatus
from accounts.models import Account
from leads.lead_sync.access import Roles, is_ad_account
from leads.lead_sync.oauth import EVENT_SCOPE, SCOPES
from leads.lead_sync.problem import ConnectionProblem
from leads.lead_sync.refusals import of_fetches, of_forms, of_pulls
from leads.models import LeadSync, Subscription

HEARTBEAT_WITHIN = timedelta(hours=26)
_SCOPE_WORDS = {
    "r_marketing_leadgen_automation": "reading the leads of your forms (r_marketing_leadgen_automation). LinkedIn "
    "grants it to the developer app: its owner asks for the product Lead Sync API in the Developer "
    "Portal, under Products",
    "r_ads": "seeing your ad accounts (r_ads). LinkedIn grants it to the developer app: its owner asks for the product "
    "Advertising API in the Developer Portal, under Products",
    "r_organization_admin": "seeing your pages (r_organization_admin). LinkedIn grants it to the developer app "
    "together with the product Lead Sync API in the Developer Portal, under Products",
    "r_events": "reading the leads of your events (r_events). LinkedIn grants it to the developer app: its owner asks "
    "for the product Events Management API in the Developer Portal, under Products",
}


def store(sync: LeadSync, found: Iterable[ConnectionProblem]) -> None:
    """Set the problems that a check found, unsaved."""
    sync.problems = [asdict(problem) for problem in found]


def problems_of(sync: LeadSync) -> list[ConnectionProblem]:
    """Return what is wrong now: what the last check found, what LinkedIn refuses, and what time alone shows."""
    found = [ConnectionProblem(row["code"], row["message"]) for row in sync.problems]
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
        ConnectionProblem(
            f"scope_{scope}",
            f"A permission is missing: {_SCOPE_WORDS[scope]}; then connect LinkedIn again here.",
        )
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
            found["page of the ads"] = ConnectionProblem("role_page", _ANY_PAGE)
    return list(found.values())


_ANY_PAGE = (
    "The person who connected LinkedIn has no role on the LinkedIn page behind the ads. A super admin of the page "
    "gives it: on the page under Settings, Manage admins, the role “Lead gen forms manager” for this person."
)


def of_subscriptions(sync: LeadSync, foreign: Iterable[str]) -> list[ConnectionProblem]:
    rows = [row for row in sync.subscriptions.all() if row.wanted]
    found = [
        ConnectionProblem("subscription", f"LinkedIn does not tell us about the {row}: {row.error}")
        for row in rows
        if row.error
    ]
    found += [
        ConnectionProblem("foreign_subscription", f"Another address gets the same leads: {url}. If it is not a tool of "
                "yours, take it away in the tool that set it up.")
        for url in foreign
    ]  # fmt: skip
    if not rows:
        found.append(
            ConnectionProblem(
                "no_subscription", "It is not said yet whose leads are wanted: add an ad account or a page below."
            )
        )
    return found


def _of_the_connection(account: Account | None) -> list[ConnectionProblem]:
    if account is None:
        return [
            ConnectionProblem(
                "not_connected", gettext_noop("Nobody has connected LinkedIn yet. Press “Connect LinkedIn”.")
            )
        ]
    if account.status == AccountStatus.AUTH_ERROR:
        how = "was taken back" if account.status_reason.startswith("revoked") else "has run out"
        code = "token_revoked" if account.status_reason.startswith("revoked") else "token_expired"
        return [ConnectionProblem(code, f"The permission to read from LinkedIn {how}. Press “Connect LinkedIn” again.")]
    last_heartbeat = account.last_heartbeat_at
    if last_heartbeat is None or timezone.now() - last_heartbeat > HEARTBEAT_WITHIN:
        return [
            ConnectionProblem(
                "no_heartbeat",
                "LinkedIn has not confirmed the connection for more than 26 hours. If this does not go away within an "
                "hour, press “Connect LinkedIn” and sign in again.",
            )
        ]
    if account.rate_limited_until is not None and account.rate_limited:
        until = account.rate_limited_until.astimezone(UTC)
        return [
            ConnectionProblem(
                "rate_limited",
                f"LinkedIn's limit is used up: everything waits until {until:%H:%M} UTC on {until:%d %b %Y}, and goes "
                "on by itself.",
            )
        ]
    return []


def _has_events(sync: LeadSync) -> bool:
    return any(row.wanted and row.lead_type == "EVENT" for row in sync.subscriptions.all())


def _account_words(owner: str) -> str:
    return (
        f"The person who connected LinkedIn has no role on the ad account {owner.rpartition(':')[2]}. An account "
        "manager of it gives one: in Campaign Manager under Account settings, Manage access, at least “Viewer”."
    )


def _page_words(row: Subscription) -> str:
    role = "“Super admin” or “Content admin”" if row.lead_type == "EVENT" else "“Lead gen forms manager”"
    return (
        f"The person who connected LinkedIn lacks a role on the page {row.owner.rpartition(':')[2]}. A super admin of "
        f"the page gives it: on the page under Settings, Manage admins, the role {role}."
    )
