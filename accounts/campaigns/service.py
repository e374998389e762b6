"""Campaigns: seen, started, paused, resumed, finished; by their provider or by a person."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.campaigns import commands
from accounts.core import unit_of_work
from accounts.core.enums import AccountStatus, CampaignStatus, EventType, PausedBy
from accounts.core.text import plain
from accounts.events import outbox as events
from accounts.events.ordering import Origin, is_newer
from accounts.linkedin import readiness
from accounts.models import Account, Agency, Campaign

FOR_GOOD = "The account was deleted."
#: Nobody stops them when an account drops: it is not known whose they are.
UNPROTECTED = Q(account__isnull=True) & ~Q(status=CampaignStatus.FINISHED)


class NotReady(ValueError):
    """The account cannot be used now. The message says why, for people."""


def campaign_of(agency: Agency, *, provider: str, external_id: str, name: str = "") -> Campaign:
    """The agency's campaign with this id at the provider, made (active) if it is new."""
    named = {"agency": agency, "provider": provider, "external_id": external_id}
    key = (agency.pk, provider, external_id)
    campaign = unit_of_work.recall(Campaign, key, lambda: Campaign.objects.filter(**named).first())
    if campaign is None:
        campaign = Campaign(**named, name=name)
        if unit_of_work.claim(campaign):
            unit_of_work.remember(Campaign, {key: campaign})
        else:
            campaign = Campaign.objects.get(**named)
    if name and campaign.name != name:
        campaign.name = name
        unit_of_work.change(campaign, "name", "updated_at")
    return campaign


def expect_named(
    agency: Agency, provider: str, external_ids: Collection[str], also: Collection[str]
) -> dict[str, Campaign]:
    """Fetch for a batch of reports the campaigns that they name, and `also` those with these ids of ours, by these."""
    named = Q(agency=agency, provider=provider, external_id__in=external_ids)
    found = {campaign.pk: campaign for campaign in Campaign.objects.filter(named | Q(pk__in=also))}
    unit_of_work.remember(Campaign, {(agency.pk, provider, external_id): None for external_id in external_ids})
    for campaign in found.values():
        unit_of_work.remember(Campaign, {(agency.pk, campaign.provider, campaign.external_id): campaign})
    return found


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
) -> Campaign:
    """Apply what a provider says of a campaign. Its own `system` is `provider` to us: `system` is Leadline."""
    found = campaign_of(agency, provider=provider, external_id=external_id, name=name)
    campaign = Campaign.objects.select_for_update().get(pk=found.pk)
    if commands.is_echo(campaign, status, by=changed_by, at=origin.at) or not is_newer(origin, campaign):
        return campaign
    campaign.reported_at, campaign.reported_sequence = origin.order
    campaign.source = origin.source or campaign.source
    if status != campaign.status:
        commands.overtake(campaign)
    by = PausedBy(changed_by) if changed_by in (PausedBy.API, PausedBy.USER) else PausedBy.PROVIDER
    _change(campaign, status, by=by, reason="", origin=origin)
    return campaign


@transaction.atomic(savepoint=False)
def update_campaign(campaign: Campaign, *, changed_by: PausedBy = PausedBy.API, **changes: Any) -> Campaign:
    """Change `status`, `account` or `pause_reason` on behalf of a person.

    On another account it stops, or goes on, as if that had just become what it is.
    """
    account = _locked(changes.get("account"))  # before the campaign, as who reports of an account locks them
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    moves = "account" in changes and account != campaign.account
    if moves:
        campaign.account = account
    reason = plain(changes.get("pause_reason", campaign.pause_reason))
    status = CampaignStatus(changes.get("status", campaign.status))
    campaign.pause_reason = reason if status is CampaignStatus.PAUSED else ""
    _change(campaign, status, by=changed_by, reason=reason, origin=Origin(by=changed_by, at=timezone.now()))
    if moves and account is not None:
        _fall_in(campaign, account)
    return campaign


def expect(accounts: Collection[Account]) -> None:
    """Fetch what a batch of reports about these accounts will ask for."""
    with_some = set(Campaign.objects.filter(account__in=accounts).values_list("account", flat=True))
    unit_of_work.remember(Campaign, {one.pk: one.pk in with_some for one in accounts})


def pause_for(account: Account, *, origin: Origin) -> None:
    """Pause what runs on an account that left `active`; what a deleted one leaves behind never resumes by itself."""
    if not _has_some(account):
        return
    for campaign in _campaigns_of(account, status=CampaignStatus.ACTIVE):
        _change(campaign, CampaignStatus.PAUSED, by=PausedBy.SYSTEM, reason=_why(account), origin=origin)
    if account.status == AccountStatus.DELETED:
        waiting = account.campaigns.filter(status=CampaignStatus.PAUSED, paused_by=PausedBy.SYSTEM)
        waiting.update(pause_reason=FOR_GOOD)


def resume_for(account: Account, *, origin: Origin) -> None:
    """Resume what Leadline itself paused, and nobody else. While the account is not ready it waits (`resume_held`)."""
    if not _has_some(account) or readiness.held(account) is not None:
        return
    paused = _campaigns_of(account, status=CampaignStatus.PAUSED, paused_by=PausedBy.SYSTEM)
    for campaign in paused.exclude(pause_reason=FOR_GOOD):
        _change(campaign, CampaignStatus.ACTIVE, by=PausedBy.SYSTEM, reason="", origin=origin)


def resume_held(limit: int = 100) -> int:
    """Resume what waited for its account to be ready, such as for the end of a limit; how many accounts."""
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
    """Pause what runs on an account on behalf of a person; how many. Only a person resumes them."""
    origin = Origin(by=PausedBy.USER, at=timezone.now())
    running = list(_campaigns_of(account, status=CampaignStatus.ACTIVE))
    for campaign in running:
        _change(campaign, CampaignStatus.PAUSED, by=PausedBy.USER, reason=reason, origin=origin)
    return len(running)


@transaction.atomic
def resume_all(account: Account) -> int:
    """Resume all that is paused on an account on behalf of a person; how many. Raises NotReady while the account is."""
    hold = readiness.held(account)
    if hold is not None:
        raise NotReady(f"{hold.message} Its campaigns can run again when that has ended.")
    origin = Origin(by=PausedBy.USER, at=timezone.now())
    paused = list(_campaigns_of(account, status=CampaignStatus.PAUSED))
    for campaign in paused:
        _change(campaign, CampaignStatus.ACTIVE, by=PausedBy.USER, reason="", origin=origin)
    return len(paused)


def _fall_in(campaign: Campaign, account: Account) -> None:
    """Pause or resume a campaign as the account is that it was just given; both are locked."""
    origin = Origin(by=PausedBy.SYSTEM, at=timezone.now())
    if campaign.status == CampaignStatus.ACTIVE and account.status != AccountStatus.ACTIVE:
        _change(campaign, CampaignStatus.PAUSED, by=PausedBy.SYSTEM, reason=_why(account), origin=origin)
    elif campaign.status == CampaignStatus.PAUSED and campaign.paused_by == PausedBy.SYSTEM:
        hold = readiness.held(account)
        if hold is None:
            _change(campaign, CampaignStatus.ACTIVE, by=PausedBy.SYSTEM, reason="", origin=origin)
        else:
            campaign.pause_reason = hold.message if account.status == AccountStatus.ACTIVE else _why(account)
            campaign.save(update_fields=["pause_reason", "updated_at"])


def _why(account: Account) -> str:
    return FOR_GOOD if account.status == AccountStatus.DELETED else f"The account is {account.status_label}."


def _locked(account: Account | None) -> Account | None:
    rows = Account.objects.select_for_update(of=("self",), no_key=True).select_related("sub_account")
    return rows.get(pk=account.pk) if account else None


def _has_some(account: Account) -> bool:
    return unit_of_work.recall(Campaign, account.pk, lambda: account.campaigns.exists())


def _campaigns_of(account: Account, **filters: str) -> QuerySet[Campaign]:
    campaigns = Campaign.objects.select_for_update(of=("self",)).select_related("agency", "account__sub_account")
    return campaigns.filter(account=account, **filters).order_by("id")


def _change(campaign: Campaign, status: CampaignStatus, *, by: PausedBy, reason: str, origin: Origin) -> None:
    before = campaign.status
    if status != before:
        campaign.status = status
        paused = status is CampaignStatus.PAUSED
        campaign.paused_by, campaign.pause_reason = (by, reason) if paused else ("", "")
    campaign.save()
    if status == before:
        return
    if origin.by != campaign.provider or by is PausedBy.SYSTEM:
        commands.place(campaign)
    if status is CampaignStatus.PAUSED:
        _tell(campaign, EventType.CAMPAIGN_PAUSED, origin=origin, paused_by=by, pause_reason=reason)
    elif status is CampaignStatus.ACTIVE and before == CampaignStatus.PAUSED:
        _tell(campaign, EventType.CAMPAIGN_RESUMED, origin=origin)


def _tell(campaign: Campaign, event_type: EventType, *, origin: Origin, **fields: Any) -> None:
    account = events.account_fields(campaign.account) if campaign.account else {"provider": campaign.provider}
    events.record(
        campaign.agency,
        event_type,
        subject=campaign.id,
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        **account,
        **events.campaign_fields(campaign),
        **fields,
    )
