"""Apply what providers and people say of campaigns: started, paused, resumed, finished."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.campaigns import commands
from accounts.core.enums import AccountStatus, CampaignStatus, EventType, PausedBy
from accounts.core.provider_key import ProviderKey, group_by_provider
from accounts.core.text import plain
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin, is_newer
from accounts.labels import STATES
from accounts.linkedin import readiness
from accounts.models import Account, Agency, Campaign

FOR_GOOD = STATES[AccountStatus.DELETED]
#: Nobody pauses them in an outage: it is not known whose account they run on.
UNPROTECTED = Q(account__isnull=True) & ~Q(status=CampaignStatus.FINISHED)


class NotReady(ValueError):
    """The account cannot be used now. The message says why, for people."""


def campaign_of(
    agency: Agency, *, provider: str, external_id: str, name: str = "", work: UnitOfWork = AT_ONCE
) -> Campaign:
    """Return the agency's campaign with this id at the provider. Make it, active, if it is new."""
    named = {"agency": agency, "provider": provider, "external_id": external_id}
    key = ProviderKey(agency.pk, provider, external_id)
    campaign = work.look_up(CAMPAIGNS_NAMED, key)
    if campaign is None:
        campaign = Campaign(**named, name=name)
        if work.try_add(campaign):
            work.remember(CAMPAIGNS_NAMED, {key: campaign})
        else:
            campaign = Campaign.objects.get(**named)
    if name and campaign.name != name:
        campaign.name = name
        work.update(campaign, "name", "updated_at")
    return campaign


@transaction.atomic(savepoint=False)
def report_campaign(
    agency: Agency,
    *,
    provider: str,
    external_id: str,
    name: str,
    status: CampaignStatus,
    changed_by: str,
    origin: Origin,
    work: UnitOfWork = AT_ONCE,
) -> Campaign:
    """Apply what a provider says of a campaign. Its own `system` is `provider` to us: `system` is Leadline."""
    found = campaign_of(agency, provider=provider, external_id=external_id, name=name, work=work)
    work.bypass(Campaign)
    campaign = Campaign.objects.select_for_update().get(pk=found.pk)
    if commands.take_echo(campaign, status, by=changed_by, at=origin.at) or not is_newer(origin, campaign):
        return campaign
    campaign.reported_at, campaign.reported_sequence = origin.order
    campaign.source = origin.source or campaign.source
    if status != campaign.status:
        commands.cancel_command(campaign)
    by = PausedBy(changed_by) if changed_by in (PausedBy.API, PausedBy.USER) else PausedBy.PROVIDER
    _change(campaign, status, by=by, reason="", origin=origin, work=work)
    return campaign


@transaction.atomic(savepoint=False)
def update_campaign(
    campaign: Campaign, *, changed_by: PausedBy = PausedBy.API, work: UnitOfWork = AT_ONCE, **changes: Any
) -> Campaign:
    """Change `status`, `account` or `pause_reason` on behalf of a person.

    On another account it stops, or goes on, as if that had just become what it is.
    """
    work.flush(Account, Campaign)
    account = _locked(changes.get("account"))  # before the campaign, as who reports of an account locks them
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    has_moved = "account" in changes and account != campaign.account
    if has_moved:
        campaign.account = account
    reason = plain(changes.get("pause_reason", campaign.pause_reason))
    status = CampaignStatus(changes.get("status", campaign.status))
    campaign.pause_reason = reason if status is CampaignStatus.PAUSED else ""
    origin = Origin(by=changed_by, at=timezone.now())
    _change(campaign, status, by=changed_by, reason=reason, origin=origin, work=work)
    if has_moved and account is not None:
        _adapt_to_account(campaign, account, work)
    return campaign


def pause_for(account: Account, *, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Pause what runs on an account that left `active`; what a deleted one leaves behind never resumes by itself."""
    if not work.look_up(HAS_CAMPAIGNS, account.pk):
        return
    work.flush(Account, Campaign)
    for campaign in _campaigns_of(account, status=CampaignStatus.ACTIVE):
        _change(
            campaign, CampaignStatus.PAUSED, by=PausedBy.SYSTEM, reason=_pause_reason(account), origin=origin, work=work
        )
    if account.status == AccountStatus.DELETED:
        work.bypass(Campaign)
        waiting = account.campaigns.filter(status=CampaignStatus.PAUSED, paused_by=PausedBy.SYSTEM)
        waiting.update(pause_reason=FOR_GOOD)


def resume_for(account: Account, *, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Resume what Leadline itself paused, and nobody else. While the account is not ready it waits (`resume_held`)."""
    if not work.look_up(HAS_CAMPAIGNS, account.pk):
        return
    work.flush(Account, Campaign)
    if readiness.held(account) is not None:
        return
    paused = _campaigns_of(account, status=CampaignStatus.PAUSED, paused_by=PausedBy.SYSTEM)
    for campaign in paused.exclude(pause_reason=FOR_GOOD):
        _change(campaign, CampaignStatus.ACTIVE, by=PausedBy.SYSTEM, reason="", origin=origin, work=work)


def resume_held(limit: int = 100) -> int:
    """Resume what waited for its account to be ready, such as for the end of a limit. Return of how many accounts."""
    waiting = Campaign.objects.filter(status=CampaignStatus.PAUSED, paused_by=PausedBy.SYSTEM)
    waiting = waiting.exclude(pause_reason=FOR_GOOD).filter(account__status=AccountStatus.ACTIVE)
    limits = Q(account__rate_limited_until__isnull=True) | Q(account__rate_limited_until__lte=timezone.now())
    keys = list(waiting.filter(limits).order_by().values_list("account", flat=True).distinct()[:limit])
    for key in keys:
        with transaction.atomic():
            account = Account.objects.select_for_update(of=("self",)).get(pk=key)
            resume_for(account, origin=Origin(by=PausedBy.SYSTEM, at=timezone.now()))
    return len(keys)


@transaction.atomic
def pause_all(account: Account, *, reason: str) -> int:
    """Pause what runs on an account on behalf of a person. Return how many. Only a person resumes them."""
    origin = Origin(by=PausedBy.USER, at=timezone.now())
    running = list(_campaigns_of(account, status=CampaignStatus.ACTIVE))
    for campaign in running:
        _change(campaign, CampaignStatus.PAUSED, by=PausedBy.USER, reason=reason, origin=origin)
    return len(running)


@transaction.atomic
def resume_all(account: Account) -> int:
    """Resume all that is paused on an account, on behalf of a person. Return how many. Raises NotReady."""
    hold = readiness.held(account)
    if hold is not None:
        raise NotReady(_("%(reason)s Its campaigns can run again when that has ended.") % {"reason": hold.words})
    origin = Origin(by=PausedBy.USER, at=timezone.now())
    paused = list(_campaigns_of(account, status=CampaignStatus.PAUSED))
    for campaign in paused:
        _change(campaign, CampaignStatus.ACTIVE, by=PausedBy.USER, reason="", origin=origin)
    return len(paused)


def _adapt_to_account(campaign: Campaign, account: Account, work: UnitOfWork) -> None:
    """Pause or resume a campaign as its new account requires. Both are locked."""
    origin = Origin(by=PausedBy.SYSTEM, at=timezone.now())
    if campaign.status == CampaignStatus.ACTIVE and account.status != AccountStatus.ACTIVE:
        _change(
            campaign, CampaignStatus.PAUSED, by=PausedBy.SYSTEM, reason=_pause_reason(account), origin=origin, work=work
        )
    elif campaign.status == CampaignStatus.PAUSED and campaign.paused_by == PausedBy.SYSTEM:
        hold = readiness.held(account)
        if hold is None:
            _change(campaign, CampaignStatus.ACTIVE, by=PausedBy.SYSTEM, reason="", origin=origin, work=work)
        else:
            campaign.pause_reason = hold.message if account.status == AccountStatus.ACTIVE else _pause_reason(account)
            campaign.save(update_fields=["pause_reason", "updated_at"])


def _pause_reason(account: Account) -> str:
    return STATES[AccountStatus(account.status)]


def _locked(account: Account | None) -> Account | None:
    rows = Account.objects.select_for_update(of=("self",), no_key=True).select_related("sub_account")
    return rows.get(pk=account.pk) if account else None


def _campaigns_of(account: Account, **filters: str) -> QuerySet[Campaign]:
    campaigns = Campaign.objects.select_for_update(of=("self",)).select_related("agency", "account__sub_account")
    return campaigns.filter(account=account, **filters).order_by("id")


def _change(
    campaign: Campaign,
    status: CampaignStatus,
    *,
    by: PausedBy,
    reason: str,
    origin: Origin,
    work: UnitOfWork = AT_ONCE,
) -> None:
    work.bypass(Campaign)
    before = campaign.status
    if status != before:
        campaign.status = status
        paused = status is CampaignStatus.PAUSED
        campaign.paused_by, campaign.pause_reason = (by, reason) if paused else ("", "")
    campaign.save()
    if status == before:
        return
    if origin.by != campaign.provider or by is PausedBy.SYSTEM:
        commands.issue_command(campaign)
    if status is CampaignStatus.PAUSED:
        _record_event(campaign, EventType.CAMPAIGN_PAUSED, origin=origin, work=work, paused_by=by, pause_reason=reason)
    elif status is CampaignStatus.ACTIVE and before == CampaignStatus.PAUSED:
        _record_event(campaign, EventType.CAMPAIGN_RESUMED, origin=origin, work=work)


def _record_event(
    campaign: Campaign, event_type: EventType, *, origin: Origin, work: UnitOfWork, **fields: Any
) -> None:
    account = events.account_fields(campaign.account) if campaign.account else {"provider": campaign.provider}
    events.record_event(
        campaign.agency,
        event_type,
        subject=campaign.id,
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        work=work,
        **account,
        **events.campaign_fields(campaign),
        **fields,
    )


def _load_named(keys: Collection[ProviderKey]) -> dict[ProviderKey, Campaign | None]:
    found: dict[ProviderKey, Campaign | None] = dict.fromkeys(keys)
    for (agency_id, provider), external_ids in group_by_provider(keys).items():
        named = Campaign.objects.filter(agency=agency_id, provider=provider, external_id__in=external_ids)
        found |= {ProviderKey(agency_id, provider, campaign.external_id): campaign for campaign in named}
    return found


def _load_having(account_ids: Collection[str]) -> dict[str, bool]:
    having = set(Campaign.objects.filter(account__in=account_ids).order_by().values_list("account", flat=True))
    return {pk: pk in having for pk in account_ids}


#: Campaigns by the provider's id.
CAMPAIGNS_NAMED: Lookup[ProviderKey, Campaign | None] = Lookup(_load_named, Campaign)
#: Whether an account has campaigns, by its id.
HAS_CAMPAIGNS: Lookup[str, bool] = Lookup(_load_having, Campaign)
