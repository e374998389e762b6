"""React to changes of accounts' statuses: flapping, the owner's prompt, outages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.core.email_addresses import email_key
from accounts.core.unit_of_work import Lookup, ReportBatch, UnitOfWork
from accounts.events.ordering import Origin
from accounts.linkedin import flapping, outages
from accounts.linkedin.matching import ACCOUNTS
from accounts.models import Account, Agency, Reaction
from accounts.reauth import prompts
from accounts.reauth.recipients import BLOCK_REASONS


def react_to_statuses(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Carry out reactions to changes and errors of accounts, in the order in which each account had them."""
    if isinstance(work, ReportBatch):
        _prefetch(work, [reaction.subject for reaction in reactions])
    accounts = work.look_up_all(ACCOUNTS, [reaction.subject for reaction in reactions])
    agencies = Agency.objects.in_bulk({account.agency_id for account in accounts.values()})
    for reaction in reactions:
        account = accounts[reaction.subject]
        account.agency = agencies[account.agency_id]
        _react(account, reaction.facts, work)


def _react(account: Account, facts: dict[str, Any], work: UnitOfWork) -> None:
    origin = Origin(by=facts["by"], at=datetime.fromisoformat(facts["at"]), receipt_id=facts["receipt_id"])
    account.status, account.status_reason = facts["status"], facts["reason"]  # at that time; not saved here
    if "problem" in facts:
        outages.record_problem(account, code=facts["problem"], origin=origin, work=work)
        return
    flapping.record_flapping(account, before=facts["before"], origin=origin, work=work)
    prompts.update_prompt(account, before=facts["before"], origin=origin, work=work)
    outages.update_outage(account, origin=origin, work=work)


def _prefetch(work: ReportBatch, account_ids: Sequence[str]) -> None:
    """Load and lock the accounts, and load what belongs to them."""
    accounts = work.prefetch(ACCOUNTS, account_ids)
    lookups: list[Lookup[str, Any]] = [
        *(
            outages.OPEN_OUTAGES,
            outages.PAGE_USES,
            flapping.REPORTED_LATELY,
            flapping.RECENT_LOSSES,
            prompts.OPEN_PROMPTS,
        )
    ]
    for lookup in lookups:
        work.prefetch(lookup, account_ids)
    work.prefetch(BLOCK_REASONS, {email_key(account.email) for account in accounts.values()} - {""})
