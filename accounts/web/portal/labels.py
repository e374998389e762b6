"""The states of accounts and sources in words, each with a tone and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.utils import timezone

from accounts.core.enums import AccountStatus, SuggestedAction, TroubleKind, provider_name
from accounts.core.markup import Tone
from accounts.models import Account, Source
from accounts.sources.issues import open_troubles


@dataclass(frozen=True, slots=True)
class State:
    label: str
    tone: Tone


STATUSES: dict[AccountStatus, State] = {
    AccountStatus.ACTIVE: State("works", "good"),
    AccountStatus.INCOMPLETE: State("waits for a step", "warn"),
    AccountStatus.DISCONNECTED: State("disconnected", "bad"),
    AccountStatus.AUTH_ERROR: State("sign-in failed", "bad"),
    AccountStatus.BLOCKED: State("blocked by LinkedIn", "bad"),
    AccountStatus.DELETED: State("removed", "quiet"),
}
ACTIONS: dict[SuggestedAction, str] = {
    SuggestedAction.NONE: "",
    SuggestedAction.COMPLETE_ONBOARDING: "Somebody has to finish connecting it, for example by entering a code.",
    SuggestedAction.SOLVE_CHALLENGE: "Ask its owner to open LinkedIn and solve the check it shows.",
    SuggestedAction.SIGN_IN_AGAIN: "Ask its owner to sign in again.",
    SuggestedAction.CONTACT_LINKEDIN: "Ask its owner to read LinkedIn's message and to contact LinkedIn's support.",
    SuggestedAction.WAIT: "Nothing: it works again by itself when the limit ends.",
    SuggestedAction.ARCHIVE: "It was removed at its provider. Nothing to do, unless that was a mistake.",
}


def account_state(account: Account) -> State:
    if account.status == AccountStatus.ACTIVE and account.rate_limited:
        return State("at a LinkedIn limit", "warn")
    return STATUSES[AccountStatus(account.status)]


def status_state(status: str) -> State:
    """A status of the history; empty: before the first report."""
    return STATUSES[AccountStatus(status)] if status in set(AccountStatus) else State("first seen", "quiet")


def what_to_do(account: Account) -> str:
    return ACTIONS[account.suggested_action]


TROUBLES: dict[TroubleKind, State] = {
    TroubleKind.BLOCKED: State("blocked by LinkedIn", "bad"),
    TroubleKind.REJECTING: State("is refused", "bad"),
    TroubleKind.LEAD_SYNC: State("leads are incomplete", "warn"),
    TroubleKind.AT_RISK: State("may soon be blocked", "warn"),
    TroubleKind.SILENT: State("gone quiet", "warn"),
    TroubleKind.SLOW: State("answered slowly", "warn"),
}


def source_state(source: Source, *, problems: bool) -> State:
    """The worst of it."""
    if source.removed_at is not None:
        return State("removed", "quiet")
    if not source.enabled:
        return State("switched off", "quiet")
    kinds = {trouble.kind for trouble in open_troubles(source)}
    if kinds:
        return next(state for kind, state in TROUBLES.items() if kind in kinds)
    if source.last_receipt_at is None:
        return State("nothing came yet", "warn")
    return State("needs a look", "warn") if problems else State("delivers", "good")


def views_in_words(views: Iterable[Account]) -> str:
    """What each provider says: `Salesflow: active, LinkedConnector: blocked since 14:02`. Times are UTC."""
    return ", ".join(f"{provider_name(view.provider)}: {_view(view)}" for view in views)


def _view(account: Account) -> str:
    if account.status == AccountStatus.ACTIVE:
        return account.status_label
    since = account.status_since.astimezone(UTC)
    today = timezone.now() - since < timedelta(days=1)
    return f"{account.status_label} since {since:%H:%M}" if today else f"{account.status_label} since {since:%d %b %Y}"
