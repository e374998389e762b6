"""Pause and resume one campaign on behalf of a member of its agency."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.campaigns.service import update_campaign
from accounts.core.enums import CampaignStatus, PausedBy
from accounts.core.errors import StateError
from accounts.linkedin import readiness
from accounts.models import Account, Campaign
from accounts.tenancy import audit

MAX_REASON = 300


@transaction.atomic
def pause_campaign(campaign: Campaign, *, reason: str = "", by: User) -> Campaign:
    """Pause a campaign. Only a person resumes it. Raises StateError if it does not run."""
    campaign = _lock(campaign)
    if campaign.status != CampaignStatus.ACTIVE:
        raise StateError("", _("Only an active campaign can be paused."))
    audit.log_change(by, campaign, gettext_noop("Paused"), reason[:MAX_REASON])
    return update_campaign(
        campaign, changed_by=PausedBy.USER, status=CampaignStatus.PAUSED, pause_reason=reason[:MAX_REASON]
    )


@transaction.atomic
def resume_campaign(campaign: Campaign, *, by: User) -> Campaign:
    """Resume a campaign. Raises StateError if it is not paused, or while its account is not ready."""
    campaign = _lock(campaign)
    if campaign.status != CampaignStatus.PAUSED:
        raise StateError("", _("Only a paused campaign can be resumed."))
    hold = readiness.held(campaign.account) if campaign.account else None
    if hold is not None:
        raise StateError("", _("%(reason)s The campaign can run again when that has ended.") % {"reason": hold.words})
    audit.log_change(by, campaign, gettext_noop("Resumed"))
    return update_campaign(campaign, changed_by=PausedBy.USER, status=CampaignStatus.ACTIVE)


def _lock(campaign: Campaign) -> Campaign:
    """Lock a campaign and, before it, its account, as who reports of an account locks them."""
    accounts = Account.objects.select_for_update(of=("self",), no_key=True).select_related("sub_account")
    account = accounts.filter(pk=campaign.account_id).first()
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("agency").get(pk=campaign.pk)
    if account is not None and account.pk == campaign.account_id:
        campaign.account = account
    return campaign
