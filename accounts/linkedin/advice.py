"""Say what to do about an account: one sentence per suggested action, for the API, the back office, mails and pages."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from accounts.core.enums import AccountStatus, StatusReason, SuggestedAction
from accounts.models import Account


class Turn(StrEnum):
    """Who has to act next."""

    OWNER = "owner"
    WAIT = "wait"
    NOBODY = "nobody"


SENTENCES = {
    SuggestedAction.NONE: _("Nothing to do: the account works."),
    SuggestedAction.COMPLETE_ONBOARDING: _(
        "The account's owner has to finish connecting it, for example enter a code."
    ),
    SuggestedAction.SOLVE_CHALLENGE: _("The account's owner has to solve the check that LinkedIn shows."),
    SuggestedAction.SIGN_IN_AGAIN: _("The account's owner has to sign in to LinkedIn again."),
    SuggestedAction.CONTACT_LINKEDIN: _("The account's owner has to sign in on linkedin.com and lift the restriction."),
    SuggestedAction.WAIT: _("Wait: LinkedIn's limit ends by itself."),
    SuggestedAction.ARCHIVE: _("Nothing to do: the account is gone."),
}
TURNS = {
    SuggestedAction.NONE: Turn.NOBODY,
    SuggestedAction.COMPLETE_ONBOARDING: Turn.OWNER,
    SuggestedAction.SOLVE_CHALLENGE: Turn.OWNER,
    SuggestedAction.SIGN_IN_AGAIN: Turn.OWNER,
    SuggestedAction.CONTACT_LINKEDIN: Turn.OWNER,
    SuggestedAction.WAIT: Turn.WAIT,
    SuggestedAction.ARCHIVE: Turn.NOBODY,
}
#: The reason why the owner is asked, addressed to the owner.
REASONS = {
    AccountStatus.INCOMPLETE: _("LinkedIn waits for a code or a confirmation from you."),
    AccountStatus.DISCONNECTED: _("The account was disconnected from LinkedIn."),
    AccountStatus.AUTH_ERROR: _("LinkedIn did not accept the account's sign-in."),
    AccountStatus.BLOCKED: _("LinkedIn restricted the account."),
}
#: The statuses that the owner can end by signing in.
RECOVERABLE = (AccountStatus.INCOMPLETE, AccountStatus.DISCONNECTED, AccountStatus.AUTH_ERROR)
#: Reasons of a deliberate disconnection, which nobody is asked to undo.
DELIBERATE_REASONS = (StatusReason.USER_ACTION, StatusReason.UNINSTALLED)


def advice_sentence(account: Account) -> str:
    return str(SENTENCES[account.suggested_action])


def whose_turn(account: Account) -> Turn:
    return TURNS[account.suggested_action]


def is_deliberate(account: Account) -> bool:
    """Return whether the account is disconnected because a person wanted it so."""
    return account.status == AccountStatus.DISCONNECTED and account.status_reason in DELIBERATE_REASONS


def needs_owner(account: Account) -> bool:
    """Return whether the owner is asked to reconnect the account."""
    return account.status in RECOVERABLE and not is_deliberate(account)
