"""Say in words what a request of a provider reports."""

from django.utils.translation import gettext as _

from accounts.labels import ACCOUNT_STATUSES, CAMPAIGN_STATUSES
from leads.labels import STATUSES
from webhooks.models import Receipt
from webhooks.processing.word_mappings import words_of
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest, UnknownVocabulary, UnreadablePayload
from webhooks.providers.events import (
    AccountRateLimited,
    AccountRef,
    AccountReported,
    AppInstalled,
    AppUninstalled,
    CampaignReported,
    LeadNoted,
    LeadStatusReported,
    LeadSubmitted,
    LeadTagged,
    LeadWithdrawn,
    ProviderEvent,
    RequestOutcome,
)


def describe_receipt(receipt: Receipt) -> list[str]:
    """Return a sentence for each event that the receipt reports. Empty if it cannot be read."""
    request = SignedRequest(bytes(receipt.body), receipt.headers, receipt.received_at)
    try:
        parsed = PROVIDERS[receipt.provider].parse(request, words_of(receipt.source))
    except (UnknownVocabulary, UnreadablePayload):
        return []
    return [describe_event(event) for event in parsed.events]


def describe_event(event: ProviderEvent) -> str:  # noqa: C901 (one arm per kind of event)
    """Return what one provider event reports, as a sentence."""
    match event:
        case AccountReported():
            status = ACCOUNT_STATUSES[event.status].text
            return _("The account %(account)s is %(status)s.") % {"account": _name(event.account), "status": status}
        case AccountRateLimited():
            return _("LinkedIn limits the rate of the account %(account)s.") % {"account": _name(event.account)}
        case AppInstalled():
            return _("The app was installed.")
        case AppUninstalled():
            return _("The app was uninstalled.")
        case RequestOutcome():
            if event.succeeded:
                return _("The request %(id)s succeeded.") % {"id": event.request_id}
            reason = event.code or event.error
            return _("The request %(id)s failed: %(reason)s.") % {"id": event.request_id, "reason": reason}
        case LeadStatusReported():
            values = {"lead": event.lead.external_id, "status": STATUSES[event.status].text}
            return _("The lead %(lead)s is now %(status)s.") % values
        case LeadNoted():
            return _("A note about the lead %(lead)s: %(note)s.") % {
                "lead": event.lead.external_id,
                "note": event.note,
            }
        case LeadTagged():
            values = {"lead": event.lead.external_id, "tags": ", ".join(event.tags) or "–"}
            return _("The lead %(lead)s has the tags %(tags)s.") % values
        case LeadSubmitted():
            return _("The lead form response %(lead)s was submitted.") % {"lead": event.external_id}
        case LeadWithdrawn():
            return _("The lead form response %(lead)s was deleted.") % {"lead": event.external_id}
        case CampaignReported():
            status = CAMPAIGN_STATUSES[event.status].text
            return _("The campaign %(campaign)s is %(status)s.") % {
                "campaign": event.name or event.external_id,
                "status": status,
            }
        case _:
            return _("Nothing about an account or a lead.")


def _name(account: AccountRef) -> str:
    return account.name or account.email or account.external_id or "–"
