"""Store the messages that providers report of leads, and have `leads.inbox` sort them into conversations."""

from accounts.core.text import plain, shorten
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import Origin
from accounts.events.reactions import request_reaction
from accounts.models import Account
from leads.enums import LeadStatus, MessageAuthor
from leads.models import Lead, LeadReference, Message
from leads.pipeline.dto import MAX_MESSAGE_LENGTH

#: The subscriber that sorts messages (`leads.inbox.sorting`).
CONVERSATIONS = "conversations"


def message_author(status: LeadStatus, *, by_person: bool) -> MessageAuthor:
    """Return who wrote the message of a report of this status."""
    if status is LeadStatus.REPLY_RECEIVED:
        return MessageAuthor.LEAD
    return MessageAuthor.MEMBER if by_person else MessageAuthor.AUTOMATION


def store_message(
    lead: Lead,
    reference: LeadReference,
    account: Account | None,
    *,
    author: MessageAuthor,
    text: str,
    is_preview: bool,
    origin: Origin,
    work: UnitOfWork,
) -> None:
    """Store a message of a lead. Without an account it belongs to the account of the campaign, or else of the lead."""
    text = shorten(plain(text, lines=True).strip(), MAX_MESSAGE_LENGTH)
    if not text:
        return
    of_campaign = reference.campaign.account_id if reference.campaign else None
    work.add(
        Message(
            agency_id=lead.agency_id,
            lead=lead,
            origin_id=reference.origin_id,
            account_id=account.pk if account else of_campaign or lead.account_id,
            provider=reference.provider,
            author=author,
            text=text,
            is_preview=is_preview,
            occurred_at=origin.at,
            receipt_id=origin.receipt_id,
        )
    )
    request_reaction(CONVERSATIONS, subject=lead.pk, work=work)
