"""Map senders to accounts: where a provider only names who sends a campaign, a person says whose account that is."""

from collections.abc import Iterable

from django.db import transaction

from accounts.campaigns.service import update_campaign
from accounts.core.enums import ProviderSlug
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.models import Account, Agency, Campaign, Sender

#: The only provider that names senders.
PROVIDER = ProviderSlug.SENDPILOT


def record_sender(campaign: Campaign, sender_id: str, work: UnitOfWork = AT_ONCE) -> None:
    """Note who sends a campaign, at the first report that says so. Give it the sender's account if it has none."""
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
    """Set whose account a sender is. Its campaigns get it too, but for those that a person gave to another account."""
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
    """Make these, and no others, the account's senders, including those that no report has named yet."""
    wanted = set(external_ids)
    for sender in account.senders.filter(provider=PROVIDER).exclude(external_id__in=wanted):
        map_sender(sender, None)
    for external_id in sorted(wanted):
        map_sender(_sender(account.agency, external_id), account)


def _sender(agency: Agency, external_id: str) -> Sender:
    return Sender.objects.get_or_create(agency=agency, provider=PROVIDER, external_id=external_id)[0]
