"""Tell subscribers that a lead's details changed after the lead was created. No event says so to agencies."""

from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.reactions import request_reaction
from leads.models import Lead

_subscribers: list[str] = []


def subscribe_to_details(subscriber: str) -> None:
    """Have a reaction of this subscriber made whenever details of a lead change."""
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)


def request_detail_reactions(lead: Lead, work: UnitOfWork = AT_ONCE) -> None:
    """Make the reactions to changed details of a lead, in the transaction that changes them."""
    for subscriber in _subscribers:
        request_reaction(subscriber, subject=lead.pk, work=work)
