"""Label the states of accounts, campaigns and sources, with a tone each, for back office and portal."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import (
    AccountStatus,
    CampaignStatus,
    IncidentCause,
    IssueKind,
    PausedBy,
    SuggestedAction,
    provider_name,
)
from accounts.core.labels import Label
from accounts.core.sentences import own_words
from accounts.models import Account, Source
from accounts.models.command import CommandStatus
from accounts.models.link import LinkState
from accounts.models.reauth import PromptEnd, StepKind

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ACCOUNT_STATUSES: dict[AccountStatus, Label] = {
    AccountStatus.ACTIVE: Label(_("Active"), "good"),
    AccountStatus.INCOMPLETE: Label(_("Action required"), "warn"),
    AccountStatus.DISCONNECTED: Label(_("Disconnected"), "bad"),
    AccountStatus.AUTH_ERROR: Label(_("Sign-in failed"), "bad"),
    AccountStatus.BLOCKED: Label(_("Blocked by LinkedIn"), "bad"),
    AccountStatus.DELETED: Label(_("Deleted"), "quiet"),
}
RATE_LIMITED = Label(_("Rate limited"), "warn")
#: Why an account may not be used now, by the code of the reason.
READINESS: dict[str, str] = {
    "rate_limited": gettext_noop("LinkedIn limits this account for now."),
    "campaigns_paused": gettext_noop("All campaigns of this account are paused."),
    "stale": gettext_noop("Its provider has reported nothing for more than seven days."),
}
#: What an account's status means, as a whole sentence.
STATES: dict[AccountStatus, str] = {
    AccountStatus.ACTIVE: gettext_noop("The account is active."),
    AccountStatus.INCOMPLETE: gettext_noop("The account is not set up completely."),
    AccountStatus.DISCONNECTED: gettext_noop("The account is disconnected."),
    AccountStatus.AUTH_ERROR: gettext_noop("The account has a sign-in problem."),
    AccountStatus.BLOCKED: gettext_noop("The account is blocked by LinkedIn."),
    AccountStatus.DELETED: gettext_noop("The account was deleted."),
}
FIRST_SEEN = Label(_("Created"), "quiet")  # before an account's first report

#: What probably made accounts drop together; below, what to do about it.
INCIDENT_CAUSES: dict[IncidentCause, "str | _StrPromise"] = {
    IncidentCause.PROXY: _("Probably the proxy that the accounts go through."),
    IncidentCause.PROVIDER: _("Probably the provider, which lost its connections to LinkedIn."),
    IncidentCause.PASSWORD: _("Probably passwords that LinkedIn no longer accepts."),
    IncidentCause.UNKNOWN: _("The cause is not known yet."),
}
INCIDENT_STEPS: dict[IncidentCause, "str | _StrPromise"] = {
    IncidentCause.PROXY: _("Ask the provider to check or change the accounts' proxy."),
    IncidentCause.PROVIDER: _("Look at the provider's status page. The accounts' owners were asked to reconnect them."),
    IncidentCause.PASSWORD: _("Ask whether passwords were changed. The accounts' owners were asked to sign in again."),
    IncidentCause.UNKNOWN: _("Look at the accounts below. Their owners were asked to reconnect them."),
}
#: What an agency should do about an account.
ACTIONS: "dict[SuggestedAction, str | _StrPromise]" = {
    SuggestedAction.NONE: "",
    SuggestedAction.COMPLETE_ONBOARDING: _("Finish connecting it, for example by entering a code."),
    SuggestedAction.SOLVE_CHALLENGE: _("Ask its owner to open LinkedIn and solve the check it shows."),
    SuggestedAction.SIGN_IN_AGAIN: _("Ask its owner to sign in again."),
    SuggestedAction.CONTACT_LINKEDIN: _("Ask its owner to read LinkedIn's message and to contact LinkedIn's support."),
    SuggestedAction.WAIT: _("Nothing: it resumes by itself when the limit ends."),
    SuggestedAction.ARCHIVE: _("It was deleted at its provider. Nothing to do, unless that was a mistake."),
}
CAMPAIGN_STATUSES: dict[CampaignStatus, Label] = {
    CampaignStatus.ACTIVE: Label(_("Active"), "good"),
    CampaignStatus.PAUSED: Label(_("Paused"), "warn"),
    CampaignStatus.FINISHED: Label(_("Finished"), "quiet"),
}
PAUSED, RESUMED = Label(_("Campaign paused"), "warn"), Label(_("Campaign resumed"), "good")
CAMPAIGN_COMMANDS: dict[CommandStatus, Label] = {
    CommandStatus.PENDING: Label("Pending", "busy"),
    CommandStatus.DONE: Label("Done", "good"),
    CommandStatus.FAILED: Label("Failed", "bad"),
    CommandStatus.CANCELLED: Label("Cancelled", "quiet"),
}
ACCOUNT_LINKS: dict[LinkState, Label] = {
    LinkState.PROPOSED: Label("Undecided", "busy"),
    LinkState.ACCEPTED: Label("Same person", "good"),
    LinkState.DECLINED: Label("Not the same person", "quiet"),
}
PROMPT_ENDS: dict[PromptEnd, Label] = {
    PromptEnd.DONE: Label("Reconnected", "good"),
    PromptEnd.EXPIRED: Label("Expired", "warn"),
    PromptEnd.REVOKED: Label("Revoked", "quiet"),
}
PROMPT_OPEN = Label("Open", "busy")
#: What happened after an owner was asked to reconnect an account, for agencies.
PROMPT_STEPS: dict[StepKind, Label] = {
    StepKind.OPENED: Label(_("Reconnect link made"), "quiet"),
    StepKind.MAILED: Label(_("Owner asked to reconnect"), "busy"),
    StepKind.REMINDED: Label(_("Owner reminded"), "busy"),
    StepKind.VIEWED: Label(_("Owner opened the page"), "quiet"),
    StepKind.STARTED: Label(_("Owner went on to the provider"), "quiet"),
    StepKind.SUBMITTED: Label(_("Owner signed in"), "busy"),
    StepKind.FINISHED: Label(_("Finished at the provider"), "good"),
    StepKind.FAILED: Label(_("Reconnecting failed"), "warn"),
    StepKind.BOUNCED: Label(_("Mail bounces"), "bad"),
    StepKind.CLOSED: Label(_("Reconnect request closed"), "quiet"),
}
#: From the worst to the mildest.
SOURCE_ISSUES: dict[IssueKind, Label] = {
    IssueKind.BLOCKED: Label(_("Blocked by LinkedIn"), "bad"),
    IssueKind.REJECTING: Label(_("Rejecting requests"), "bad"),
    IssueKind.LEAD_SYNC: Label(_("Leads incomplete"), "warn"),
    IssueKind.AT_RISK: Label(_("May soon be blocked"), "warn"),
    IssueKind.SILENT: Label(_("No recent events"), "warn"),
    IssueKind.SLOW: Label(_("Slow responses"), "warn"),
}
REMOVED, SWITCHED_OFF = Label(_("Removed"), "quiet"), Label(_("Disabled"), "quiet")
WAITS_FOR_FIRST, NEEDS_A_LOOK = Label(_("Waiting for first event"), "warn"), Label(_("Check"), "warn")
DELIVERS, DELIVERS_UNKNOWN = Label(_("Healthy"), "good"), Label(_("Healthy, with unknown fields"), "warn")


def account_label(account: Account) -> Label:
    """Return the label of an account: that of its status, or of a LinkedIn limit on an active account."""
    if account.status == AccountStatus.ACTIVE and account.rate_limited:
        return RATE_LIMITED
    return ACCOUNT_STATUSES[AccountStatus(account.status)]


def status_label(status: str) -> Label:
    """Return the label of a status in an account's history. An empty status stands for the time before the first
    report."""
    return ACCOUNT_STATUSES[AccountStatus(status)] if status in set(AccountStatus) else FIRST_SEEN


def status_badge(status: str) -> SafeString:
    """Return the badge of an account's status, in the words of every page."""
    return status_label(status).badge()


def pause_reason(reason: str, paused_by: str) -> str:
    """Return why a campaign was paused. Leadline's own reasons are fixed texts: say them in the reader's language."""
    return own_words(reason) if paused_by == PausedBy.SYSTEM else reason


def paused_by_name(paused_by: str, provider: str) -> str:
    """Return who paused a campaign; the provider by its name."""
    names = {
        PausedBy.SYSTEM.value: "Leadline",
        PausedBy.USER.value: gettext("a person"),
        PausedBy.API.value: gettext("the API"),
        PausedBy.PROVIDER.value: provider_name(provider),
    }
    return names.get(paused_by, paused_by)


def step_note(kind: StepKind, note: str) -> str:
    """Return what an agency reads of a step's note: what went wrong, or the account's state that ended the request."""
    if kind == StepKind.CLOSED:  # its end, then perhaps the state of the account: `done. The account is active.`
        state = note.partition(". ")[2]
        return gettext(state) if state in STATES.values() else ""
    return note if kind in (StepKind.FAILED, StepKind.BOUNCED) else ""


def what_to_do(account: Account) -> str:
    return str(ACTIONS[account.suggested_action])


def source_label(source: Source, issues: Collection[IssueKind], *, problems: bool = False) -> Label:
    """Return the label of a source's worst state: its open `issues`, then `problems` with single requests."""
    if source.removed_at is not None:
        return REMOVED
    if not source.enabled:
        return SWITCHED_OFF
    if issues:
        return next(label for kind, label in SOURCE_ISSUES.items() if kind in issues)
    if source.last_receipt_at is None:
        return WAITS_FOR_FIRST
    return NEEDS_A_LOOK if problems else DELIVERS


def readiness_text(code: str) -> str:
    """Return what a reason against using an account says to agencies. The API says it in English."""
    if code.startswith("status_"):
        return gettext(STATES[AccountStatus(code.removeprefix("status_"))])
    return gettext(READINESS[code])
