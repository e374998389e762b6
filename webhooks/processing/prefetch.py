"""Load what a batch of provider events from one source will need, in few queries."""

from collections.abc import Collection, Iterable, Sequence

from accounts.campaigns.service import CAMPAIGNS_NAMED, HAS_CAMPAIGNS
from accounts.core.linkedin_identity import linkedin_key
from accounts.core.provider_key import ProviderKey
from accounts.core.unit_of_work import ReportBatch
from accounts.linkedin.matching import ACCOUNTS, ACCOUNTS_BY_EXTERNAL_ID
from accounts.models import Campaign, Source
from leads.models import Lead, LeadReference
from leads.pipeline.dto import Identity
from leads.pipeline.matching import (
    ERASURE_TIMES,
    LEAD_IDS_BY_EXTERNAL_ID,
    LEADS_BY_ID,
    RECORDS_BY_PROFILE,
    REFERENCES_BY_LEAD,
)
from leads.pipeline.sendings import AWAITED_ECHOES
from webhooks.providers.events import (
    AccountRateLimited,
    AccountRef,
    AccountReported,
    LeadNoted,
    LeadStatusReported,
    LeadSubmitted,
    LeadTagged,
    ProviderEvent,
)


def prefetch(work: ReportBatch, source: Source, events: Sequence[ProviderEvent]) -> None:
    """Load and lock the accounts and leads that the events name, and the rows that processing them reads."""
    accounts = [event.account for event in events if isinstance(event, AccountReported | AccountRateLimited)]
    leads = [event.lead for event in events if isinstance(event, LeadStatusReported | LeadNoted | LeadTagged)]
    leads += [Identity(external_id=event.external_id) for event in events if isinstance(event, LeadSubmitted)]
    if accounts:
        _prefetch_accounts(work, source, accounts)
    if leads:
        wanted = _prefetch_leads(work, source, leads)
        if any(isinstance(event, LeadStatusReported) and event.text for event in events):
            work.prefetch(AWAITED_ECHOES, wanted)


def _prefetch_accounts(work: ReportBatch, source: Source, named: Collection[AccountRef]) -> None:
    found = work.prefetch(ACCOUNTS_BY_EXTERNAL_ID, _keys(source, (account.external_id for account in named)))
    accounts = {account.pk: account for account in found.values() if account}
    work.remember(ACCOUNTS, accounts)
    work.prefetch(HAS_CAMPAIGNS, accounts)


def _prefetch_leads(work: ReportBatch, source: Source, named: Collection[Identity]) -> set[str]:
    """Load and lock the leads. Return their ids."""
    ids = _keys(source, (lead.external_id for lead in named))
    keys = {linkedin_key(lead.linkedin_url) for lead in named} - {""}
    by_id = work.prefetch(LEAD_IDS_BY_EXTERNAL_ID, ids)
    by_profile = work.prefetch(RECORDS_BY_PROFILE, {(source.agency_id or "", key) for key in keys})
    wanted = set().union(*by_id.values(), (profile.root_id for profile in by_profile.values() if profile))
    leads = work.prefetch(LEADS_BY_ID, wanted)
    references = work.prefetch(REFERENCES_BY_LEAD, wanted)
    rows: list[Lead | LeadReference] = [
        *filter(None, leads.values()),
        *(row for of_lead in references.values() for row in of_lead),
    ]
    campaigns = {_key(campaign): campaign for campaign in _share_campaigns(rows)}
    work.remember(CAMPAIGNS_NAMED, campaigns)
    work.prefetch(CAMPAIGNS_NAMED, _keys(source, (lead.campaign_id for lead in named)) - campaigns.keys())
    # After the leads are locked: an earlier erasure has committed its tombstone, and a later one waits for the lock.
    work.prefetch(ERASURE_TIMES, ids)
    return wanted


def _share_campaigns(rows: Iterable[Lead | LeadReference]) -> Iterable[Campaign]:
    """Give rows of one campaign the same object, so that a new name reaches all of them. Return the campaigns."""
    found: dict[str, Campaign] = {}
    for row in rows:
        if row.campaign:
            row.campaign = found.setdefault(row.campaign.pk, row.campaign)
    return found.values()


def _keys(source: Source, external_ids: Iterable[str]) -> set[ProviderKey]:
    return {ProviderKey(source.agency_id or "", source.provider, each) for each in external_ids if each}


def _key(campaign: Campaign) -> ProviderKey:
    return ProviderKey(campaign.agency_id, campaign.provider, campaign.external_id)
