"""Have providers pause and resume campaigns as Leadline does, where a source holds a key to the provider's API.

A command says how a campaign is to be. The latest one is carried out, whatever happens on the way. What the provider
then reports of our own call is an echo, and changes nothing.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.core.enums import CampaignStatus, ProviderSlug
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import CRASHED, Backoff, claim_due, complete, end, fail, put_off, restart, retry
from accounts.events.ordering import PROVIDER_CLOCK_SKEW
from accounts.linkedin.readiness import Held, held
from accounts.models import Campaign, CampaignCall, CampaignCommand, Source
from accounts.models.command import CommandAction, CommandStatus
from accounts.providers import sendpilot
from accounts.providers.client import ProviderError

log = structlog.get_logger(__name__)

BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600)])
HOLD_INTERVAL = timedelta(minutes=1)  # before an account that is not ready is asked about again
LEASE = timedelta(seconds=60)  # a call and a look at what became of it last 40 s at most
ECHO_TIMEOUT = timedelta(minutes=15)  # after a call
ACTIONS = {CampaignStatus.PAUSED: CommandAction.PAUSE, CampaignStatus.ACTIVE: CommandAction.RESUME}
TRANSIENT_STATUSES = frozenset({408, 425, 429})
NO_KEY = "No source of this agency has an API key for SendPilot any more."
OVERTAKEN = "The provider reported another change since."


class NothingFailed(ValueError):
    """There is nothing to try again."""


def issue_command(campaign: Campaign) -> None:
    """Have a campaign that changed on our side changed at its provider too. Call it in the change's transaction."""
    action = ACTIONS.get(CampaignStatus(campaign.status))
    if action is None or not can_command(campaign):
        return
    fresh = {"action": action, "status": CommandStatus.PENDING, "issued_at": timezone.now(), "done_at": None}
    _, is_new = CampaignCommand.objects.get_or_create(campaign=campaign, defaults=fresh)
    if not is_new:
        restart(CampaignCommand.objects.filter(campaign=campaign), **fresh)
    transaction.on_commit(_wake_up, robust=True)


def can_command(campaign: Campaign) -> bool:
    """Return whether Leadline can pause and resume the campaign at its provider, not only in its own lists."""
    return campaign.provider == ProviderSlug.SENDPILOT and credentials_for(campaign) is not None


@transaction.atomic
def try_again(campaign: Campaign) -> CampaignCommand:
    """Have a command that failed carried out, on behalf of a person. Raises NothingFailed."""
    failed = CampaignCommand.objects.filter(campaign=campaign, status=CommandStatus.FAILED)
    if not restart(failed, status=CommandStatus.PENDING):
        raise NothingFailed("Nothing that was asked of the provider has failed.")
    transaction.on_commit(_wake_up, robust=True)
    return CampaignCommand.objects.get(campaign=campaign)


def take_echo(campaign: Campaign, status: CampaignStatus, *, by: str, at: datetime) -> bool:
    """Return whether a report of this time is the echo of a call of ours; each call has one. The campaign is locked."""
    action = ACTIONS.get(status)
    if action is None or by not in ("api", ""):
        return False
    since, until = at - ECHO_TIMEOUT, at + PROVIDER_CLOCK_SKEW
    call = campaign.calls.filter(action=action, at__gt=since, at__lt=until, echoed_at=None).order_by("id").first()
    if call is None:
        return False
    call.echoed_at = timezone.now()
    call.save(update_fields=["echoed_at"])
    return True


def cancel_command(campaign: Campaign) -> None:
    """Cancel what is still to be asked of the provider, which reported a change that was not ours."""
    pending = CampaignCommand.objects.filter(campaign=campaign, status=CommandStatus.PENDING)
    end(pending, OVERTAKEN, status=CommandStatus.CANCELLED)


def carry_out_due(limit: int = 20) -> int:
    """Carry out commands that are due, at most `limit`. Return how many were due."""
    due = CampaignCommand.objects.select_related("campaign__account")
    with claim_due(due, limit=limit, lease=LEASE) as claimed:
        for command in claimed:
            _carry_out(command)
    return len(claimed)


def credentials_for(campaign: Campaign) -> dict[str, str] | None:
    """Return the credentials of the source that the campaign came by, or of the agency's only source that has some."""
    sources = Source.objects.filter(agency_id=campaign.agency_id, provider=campaign.provider, removed_at__isnull=True)
    keys = {source.pk: found for source in sources if sendpilot.can_control(found := source.readable_credentials)}
    if campaign.source_id in keys:
        return keys[campaign.source_id]
    return next(iter(keys.values())) if len(keys) == 1 else None


def _wake_up() -> None:
    wake_up_jobs("sync")


def _carry_out(command: CampaignCommand) -> None:
    """Have the provider change the campaign, or have that done later."""
    if hold := _hold_of(command):
        put_off(command, hold.until or timezone.now() + HOLD_INTERVAL, hold.message)
        return
    if not BACKOFF.allows(command.attempts):
        fail(command, CRASHED, status=CommandStatus.FAILED)
        return
    # Written before the call: its echo may be faster than its answer.
    call = CampaignCall.objects.create(campaign=command.campaign, action=command.action)
    error, is_transient = _ask_provider(command)
    if not error:
        complete(command, status=CommandStatus.DONE, done_at=timezone.now())
        return
    CampaignCall.objects.filter(pk=call.pk).update(error=error[:300])
    again_at = BACKOFF.next_attempt_at(command.attempts) if is_transient else None
    retry(command, error, again_at, status=CommandStatus.PENDING if again_at else CommandStatus.FAILED)


def _hold_of(command: CampaignCommand) -> Held | None:
    """Return why a resumption waits: its account is not ready. A pause never waits, since it protects the account."""
    account = command.campaign.account
    return held(account) if account is not None and command.action == CommandAction.RESUME else None


def _ask_provider(command: CampaignCommand) -> tuple[str, bool]:
    """Ask the provider to change the campaign. Return what went wrong (empty: nothing), and whether that may pass."""
    credentials = credentials_for(command.campaign)
    if credentials is None:
        return NO_KEY, False
    try:
        sendpilot.set_campaign(credentials, external_id=command.campaign.external_id, action=command.action)
    except ProviderError as error:
        return str(error), error.status is None or error.status >= 500 or error.status in TRANSIENT_STATUSES
    except Exception as error:
        log.exception("A campaign command failed inside Leadline.", campaign_id=command.pk)
        return f"Leadline could not ask the provider ({type(error).__name__}).", True
    return "", False
