"""Ask providers to send a message or an invitation, on its way."""

from accounts.core.enums import ProviderSlug
from accounts.linkedin.readiness import Action
from accounts.models import Account
from accounts.providers import sendpilot, welink
from leads.enums import LeadStatus, SendingKind
from leads.inbox.ways import Way
from leads.models import Sending

#: What an account has to be ready for.
ACTIONS = {SendingKind.MESSAGE: Action.SEND_MESSAGE, SendingKind.INVITATION: Action.SEND_INVITATION}
#: The lead's status that follows.
STATUSES = {SendingKind.MESSAGE: LeadStatus.MESSAGE_SENT, SendingKind.INVITATION: LeadStatus.CONNECTION_SENT}


def account_id_of(way: Way) -> str:
    """Return the id by which We-Link's API knows the account, or "". Raises ProviderError."""
    account = way.account
    if way.provider is not ProviderSlug.WELINK or account is None:
        return ""
    if not account.api_id and account.email:
        account.api_id = welink.find_account_id(way.credentials, account.email)
        Account.objects.filter(pk=account.pk).update(api_id=account.api_id)
    return account.api_id


def ask_provider(sending: Sending, way: Way, account_id: str) -> str:
    """Have the provider send. Return its id of the message or request. Raises ProviderError."""
    if sending.kind == SendingKind.INVITATION:
        return _invite(sending.message.text, way, account_id)
    if way.provider is ProviderSlug.WELINK:
        return welink.send_message(
            way.credentials,
            account_id=account_id,
            text=sending.message.text,
            thread_id=way.thread_id,
            profile_id=way.profile_id,
        )
    return sendpilot.send_message(
        way.credentials,
        sender_id=way.sender_id,
        recipient_url=way.recipient_url,
        text=sending.message.text,
        campaign_id=way.campaign_id,
        lead_id=way.lead_id,
    )


def _invite(note: str, way: Way, account_id: str) -> str:
    if way.provider is ProviderSlug.WELINK:
        return welink.send_invitation(way.credentials, account_id=account_id, profile_id=way.profile_id, note=note)
    return sendpilot.send_invitation(
        way.credentials, sender_id=way.sender_id, recipient_url=way.recipient_url, note=note
    )
