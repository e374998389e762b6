"""Senders: whose account a campaign runs on, where the provider only names a sender and somebody said who that is."""

from collections.abc import Iterable

from django.db import transaction

from accounts.campaigns.service import update_campaign
from accounts.core.enums import ProviderSlug
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.models import Account, Agency, Campaign, Sender

#: The only provider that names senders.
PROVIDER = ProviderSlug.SENDPILOT


def seen(campaign: Campaign, sender_id: str, work: UnitOfWork = AT_ONCE) -> None:
    """Note who sends a campaign when that is first heard; its account follows if it has none."""
    if not sender_id or campaign.sender_id:
        return
    work.bypass(Sender)
    sender, _ = Sender.objects.get_or_create(
        agency_id=campaign.agency_id, provider=campaign.provider, external_id=sender_id
    )
    campaign.sender_id = sender_id
    work.update(campaign, "sender_id", "updated_at")
    if sender.account_id and campaign.account_id is None:
        work.flush(Account)
        update_campaign(campaign, account=sender.account, work=work)
        campaign.refresh_from_db()


@transaction.atomic
def map_sender(sender: Sender, account: Account | None) -> Sender:
    """Say whose sender it is. Its campaigns follow, but for those that a person gave to another account."""
    sender = Sender.objects.select_for_update(of=("self",)).get(pk=sender.pk)
    mine = Campaign.objects.filter(
        agency_id=sender.agency_id, provider=sender.provider, sender_id=sender.external_id, account=sender.account_id
    )
    for campaign in mine:
        update_campaign(campaign, account=account)
    sender.account = account
    sender.save(update_fields=["account"])
    return sender


@transaction.atomic
def set_senders(account: Account, external_ids: Iterable[str]) -> None:
    """Make these, and no others, the account's senders, also such as were not heard of yet."""
    wanted = set(external_ids)
    for sender in account.senders.filter(provider=PROVIDER).exclude(external_id__in=wanted):
        map_sender(sender, None)
    for external_id in sorted(wanted):
        map_sender(_sender(account.agency, external_id), account)


def _sender(agency: Agency, external_id: str) -> Sender:
    return Sender.objects.get_or_create(agency=agency, provider=PROVIDER, external_id=external_id)[0]
