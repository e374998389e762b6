"""Map the statuses of receipts to labels and tones, the reasons of quarantine to sentences, and meanings to words."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.core.enums import AccountStatus, ProviderSlug, WordKind
from accounts.core.labels import Label
from accounts.labels import ACCOUNT_STATUSES, RATE_LIMITED
from leads.enums import LeadStatus
from leads.labels import STATUSES
from webhooks.models import ReceiptStatus

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

RECEIPT_LABELS: dict[ReceiptStatus, Label] = {
    ReceiptStatus.RECEIVED: Label(_("Pending"), "busy"),
    ReceiptStatus.PROCESSED: Label(_("Processed"), "good"),
    ReceiptStatus.QUARANTINED: Label(_("Quarantined"), "warn"),
    ReceiptStatus.FAILED: Label(_("Failed"), "bad"),
}
WORD_KINDS = {WordKind.EVENT: _("event"), WordKind.STATUS: _("status")}
ONLY_NOTED = Label(_("Only in the history"), "quiet")
INSTALLED, UNINSTALLED = Label(_("App installed"), "good"), Label(_("App uninstalled"), "quiet")
#: Meanings of providers' words that are no account or lead status by themselves.
MEANINGS: dict[str, Label] = {
    "ignored": Label(_("Ignored"), "quiet"),
    "ACCOUNT_STATUS_CHANGED": Label(_("Account status changed"), "busy"),
    "LEAD_ACTION": Label(_("Lead form submitted or deleted"), "busy"),
    "CREATED": Label(_("Lead form submitted"), "good"),
    "DELETED": Label(_("Lead deleted"), "quiet"),
    "INSTALL": INSTALLED,
    "install": INSTALLED,
    "UNINSTALL": UNINSTALLED,
    "uninstall": UNINSTALLED,
    "PLAN_CHANGE": Label(_("Plan changed"), "quiet"),
    "linkedin_disconnected": ACCOUNT_STATUSES[AccountStatus.DISCONNECTED],
    "linkedin_deleted": ACCOUNT_STATUSES[AccountStatus.DELETED],
    "linkedin_blocked": ACCOUNT_STATUSES[AccountStatus.BLOCKED],
    "linkedin_auth_error": ACCOUNT_STATUSES[AccountStatus.AUTH_ERROR],
    "linkedin_reconnected": ACCOUNT_STATUSES[AccountStatus.ACTIVE],
    "linkedin_rate_limit": RATE_LIMITED,
    "lead.updated": Label(_("Lead status changed"), "busy"),
    "lead.tag.updated": Label(_("Tags changed"), "busy"),
    "connection_request.sent": STATUSES[LeadStatus.CONNECTION_SENT],
    "connection_request.accepted": STATUSES[LeadStatus.CONNECTION_ACCEPTED],
    "message.sent": STATUSES[LeadStatus.MESSAGE_SENT],
    "reply.received": STATUSES[LeadStatus.REPLY_RECEIVED],
    "campaign.started": Label(_("Campaign started"), "good"),
    "campaign.resumed": Label(_("Campaign resumed"), "good"),
    "campaign.paused": Label(_("Campaign paused"), "warn"),
    "campaign.finished": Label(_("Campaign finished"), "quiet"),
    "SUCCESS": Label(_("Success"), "good"),
    "PIN_REQUIRED": ACCOUNT_STATUSES[AccountStatus.INCOMPLETE],
    "RECRUITER_ACKNOWLEDGEMENT_REQUIRED": ACCOUNT_STATUSES[AccountStatus.INCOMPLETE],
    "WRONG_PASSWORD": ACCOUNT_STATUSES[AccountStatus.AUTH_ERROR],
    "RECRUITER_LOGIN_SUBMISSION_FAILED": ACCOUNT_STATUSES[AccountStatus.AUTH_ERROR],
    "RECRUITER_AUTH_REQUIRED": ACCOUNT_STATUSES[AccountStatus.AUTH_ERROR],
    "ACCOUNT_RESTRICTED": ACCOUNT_STATUSES[AccountStatus.BLOCKED],
    "STATUS_429": RATE_LIMITED,
    "PROXY_ERROR": ONLY_NOTED,
    "PROFILE_NOT_FOUND": ONLY_NOTED,
    "LOGIN_SUCCESS": Label(_("Sign-in succeeded"), "good"),
    "LOGIN_FAILED": ACCOUNT_STATUSES[AccountStatus.AUTH_ERROR],
    "LOGIN_PIN_REQUIRED": ACCOUNT_STATUSES[AccountStatus.INCOMPLETE],
    "CONNECTION_SENT": STATUSES[LeadStatus.CONNECTION_SENT],
    "MESSAGE_SENT": STATUSES[LeadStatus.MESSAGE_SENT],
    "MESSAGE_REPLY": STATUSES[LeadStatus.REPLY_RECEIVED],
}
#: Reason of a quarantine --> the sentence that the back office shows.
QUARANTINE_REASONS: dict[str, "str | _StrPromise"] = {
    "unknown_event_type": _("The provider uses an event type that Leadline does not know yet."),
    "unknown_status": _("The provider uses a status word that Leadline does not know yet."),
    "missing_field": _("A field is missing without which the event means nothing."),
    "bad_field": _("A field that it needs has a value of the wrong kind."),
    "unknown_request": _(
        "The agency has not said what this We-Link request was for. It is processed by itself as soon "
        "as the request is registered (POST /api/v1/sources/{id}/requests)."
    ),
    "other_app": _("It is about another app of HighLevel's marketplace than the one that HIGHLEVEL_APP_ID names."),
    "unknown_account": _(
        "It does not say which account it is about. It is processed by itself once its location has one account."
    ),
    "unknown_company": _(
        "It names a company or a location that no agency here has. It is processed by itself as soon as one has it."
    ),
    "foreign_company": _(
        "It names a company that is not the one this source belongs to. It is processed by itself if "
        "the agency gets this company id."
    ),
    "unknown_lead": _("It does not say which lead it is about."),
}


def meaning_label(provider: str, kind: WordKind, meaning: str) -> Label:
    """Return the label of what a word of a provider is treated as. Words that speak for themselves are shown as they
    are."""
    if kind is WordKind.STATUS and provider == ProviderSlug.SENDPILOT and meaning in set(LeadStatus):
        return STATUSES[LeadStatus(meaning)]
    if meaning in set(AccountStatus):
        return ACCOUNT_STATUSES[AccountStatus(meaning)]
    return MEANINGS.get(meaning) or Label(meaning.replace("_", " ").capitalize(), "quiet")
